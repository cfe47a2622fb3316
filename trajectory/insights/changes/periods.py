"""What was sold in each month (week, of a short log), of each interest and in all: what the page compares."""

from __future__ import annotations

import numpy as np
import polars as pl

from trajectory.data.store.sales import has_values, selling_event_types
from trajectory.data.times import DAY
from trajectory.insights.sale_lines import sale_lines
from trajectory.schema import Histories

ALL = "all"  # the row of all interests
LONG = 120  # days of a log from which on periods are months


def periods(histories: Histories, segment: np.ndarray | None = None) -> pl.DataFrame:
    """Customers, orders, pieces and value of each period and interest, in the order of time; of a log without sales,
    customers and events.

    Args:
      histories: of a log with times.
      segment: str [N], of each user, "" for none: the same is counted of each segment's users.

    Returns period (its first day), whole (whether the log covers all of it), segment, interest ("all" for all),
    customers (different ones, with a sale), orders (likewise), pieces and value (less what was given back).
    """
    sells, lines = bool(selling_event_types(histories)), sale_lines(histories)
    interest = np.append(histories.item_interest, 0)[lines.item]
    names = np.array(["", *histories.interests])
    each = pl.DataFrame(
        {
            "user": lines.user,
            "order": lines.order,
            "day": pl.from_epoch(pl.Series(lines.time), time_unit="s").dt.date(),
            "interest": names[interest],
            "pieces": lines.pieces,
            "value": lines.value,
        }
    )
    if segment is not None:
        of = np.append(segment, "")[each["user"].to_numpy()]  # the last: of lines without a user
        each = each.with_columns(segment=of).filter(pl.col("segment") != "")
    first, last = int(histories.time.min()) // DAY, (histories.now - 1) // DAY
    unit = "1mo" if last - first + 1 >= LONG else "1w"
    each = each.with_columns(period=pl.col("day").dt.truncate(unit))
    keys = ["period", *["segment"] * (segment is not None), "interest"]
    sold = pl.col("pieces") > 0
    counted = [
        pl.col("user").filter(sold).n_unique().alias("customers"),
        pl.col("order").filter(sold).n_unique().alias("orders"),
        pl.col("pieces").sum().round(3),
        pl.col("value").sum().round(2),
    ]
    left_out = ["value"] * (not (sells and has_values(histories)))
    left_out += ["orders"] * (not sells) + ["pieces"] * (sells and not np.isfinite(histories.quantity).any())
    rows = pl.concat(
        [
            each.with_columns(interest=pl.lit(ALL)).group_by(keys).agg(counted),
            each.filter(pl.col("interest") != "").group_by(keys).agg(counted),
        ]
    )
    begins, ends = pl.col("period"), pl.col("period").dt.offset_by(unit)
    day = pl.date(1970, 1, 1)
    whole = (begins >= day + pl.duration(days=first)) & (ends <= day + pl.duration(days=last + 1))
    named = rows.with_columns(whole=whole).sort(keys).drop(left_out)
    named = named if sells else named.rename({"pieces": "events"})
    return named.select("period", "whole", *keys[1:], *[name for name in named.columns if name not in {"whole", *keys}])
