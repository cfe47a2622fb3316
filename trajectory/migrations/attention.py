"""Attention (views) and purchases apart: an interest's share of each, and how long one comes before the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import polars as pl

from trajectory.data.pipeline.sessions import session_starts
from trajectory.data.store.sales import selling_event_types
from trajectory.data.times import DAY
from trajectory.metrics.significance import confidence_interval
from trajectory.reports.words import only_dates_note, viewing_types
from trajectory.schema import Histories

PERIODS = (28.0, 7.0, 1.0)  # days; the longest of which a log has FEWEST
FEWEST = 4
LOOKBACK = 28.0  # days before a purchase in which its views are looked for; a third of the log where that is less
RESAMPLES = 1000


class Attention(NamedTuple):
    """What a log tells of views beside purchases.

    `shares`: period (from 0), start, interest, views, purchases (events), share_of_views, share_of_purchases
    (null in a period without any). `lag`: see `lags`.
    """

    shares: pl.DataFrame
    lag: pl.DataFrame
    period: float  # days
    lookback: float  # days
    note: str = ""  # what days are taken for


def attention(histories: Histories, session_timeout: float) -> Attention | None:
    """Views and purchases of each interest; None where the log lacks views, purchases, times or interests."""
    looks, buys = viewing_types(histories), set(selling_event_types(histories)) & set(histories.event_types)
    if not (looks and buys and histories.has_time and histories.interests):
        return None
    events = _events(histories, looks, sorted(buys), session_timeout)
    length = float(np.ptp(histories.time)) / DAY
    period = next((days for days in PERIODS if length >= FEWEST * days), PERIODS[-1])
    lookback = min(LOOKBACK, length / 3)
    return Attention(_shares(events, period), lags(events, lookback), period, lookback, only_dates_note(histories))


def _events(histories: Histories, looks: Sequence[str], buys: Sequence[str], session_timeout: float) -> pl.DataFrame:
    """Views and purchases of known interests, by user and time; of the same time, as of one day where a log has only
    dates, views first. `second`: since the first.
    """
    starts = session_starts(histories, session_timeout)
    names = pl.Series([None, *histories.event_types]).gather(histories.event_type)
    return pl.DataFrame(
        {
            "user": np.repeat(np.arange(histories.num_users), np.diff(histories.offsets)),
            "session": np.repeat(np.arange(len(starts)), np.diff(starts, append=histories.num_events)),
            "interest": pl.Series([None, *histories.interests]).gather(histories.item_interest[histories.item]),
            "time": histories.time,
            "second": histories.time - histories.time.min(),
            "view": names.is_in(looks),
            "buy": names.is_in(buys),
        }
    ).filter(pl.col("interest").is_not_null(), pl.col("view") | pl.col("buy")).sort(
        "user", "time", "buy", maintain_order=True
    )  # fmt: skip


def _shares(events: pl.DataFrame, period: float) -> pl.DataFrame:
    """Of every interest that has an event, in every period that has one."""
    number = (pl.col("second") / (period * DAY)).floor().cast(pl.Int64)
    counted = events.group_by("interest", period=number).agg(
        views=pl.col("view").sum().cast(pl.Int64), purchases=pl.col("buy").sum().cast(pl.Int64)
    )
    every = counted.select(pl.col("period").unique()).join(counted.select(pl.col("interest").unique()), how="cross")
    whole = every.join(counted, on=["period", "interest"], how="left").with_columns(
        pl.col("views", "purchases").fill_null(0)
    )
    total = {name: pl.col(name).sum().over("period") for name in ("views", "purchases")}
    first = events.select((pl.col("time") - pl.col("second")).min())
    return (
        whole.join(first, how="cross")
        .select(
            "period",
            pl.from_epoch(pl.col("time") + (pl.col("period") * period * DAY).cast(pl.Int64), "s").alias("start"),
            "interest",
            *total,
            *(pl.when(of > 0).then(pl.col(name) / of).alias(f"share_of_{name}") for name, of in total.items()),
        )
        .sort("period", "interest")
    )


def lags(events: pl.DataFrame, lookback: float) -> pl.DataFrame:
    """How long before a purchase of an interest its buyer first looked at it, a row for each interest that was bought.

    A purchase is a session that buys; its views are those of the interest since the user's purchase of it before, and
    at most `lookback` days old. Purchases of the log's first `lookback` days are left out: their views may lie before
    the log. Columns: interest; purchases; buyers; viewed, the share with a view before; earlier, the share with one in
    an earlier session; days (median) with low and high (95 % interval, buyers resampled) and the quartiles quarter and
    three_quarters, all of purchases with a view; days_earlier, the median of those with a view in an earlier session;
    null where there is none. The most bought first.
    """
    own = ("user", "interest")
    bought_before = pl.col("buy").cum_sum().over(*own, "session") - pl.col("buy")
    kept = events.filter(~(pl.col("buy") & (bought_before > 0)))  # a session buys an interest once
    epoch = (pl.col("buy").cum_sum() - pl.col("buy").cast(pl.UInt32)).over(own)
    kept = kept.with_columns(epoch=epoch)
    bought = kept.filter("buy").select(*own, "epoch", bought="second", at="session")
    views = (
        kept.filter("view")
        .join(bought, on=[*own, "epoch"])
        .filter(pl.col("bought") - pl.col("second") <= lookback * DAY)
        .group_by(*own, "epoch")
        .agg(first=pl.col("second").min(), session=pl.col("session").min())
    )
    each = (
        bought.filter(pl.col("bought") >= lookback * DAY)
        .join(views, on=[*own, "epoch"], how="left")
        .with_columns(
            days=(pl.col("bought") - pl.col("first")) / DAY,
            earlier=(pl.col("session") < pl.col("at")).fill_null(False),
        )
    )
    rows = [_row(interest, part) for (interest,), part in each.group_by("interest")]
    numbers = ("viewed", "earlier", "days", "low", "high", "quarter", "three_quarters", "days_earlier")
    schema = {"interest": pl.String, "purchases": pl.Int64, "buyers": pl.Int64, **dict.fromkeys(numbers, pl.Float64)}
    return pl.DataFrame(rows, schema=schema).sort("purchases", "interest", descending=[True, False])


def _row(interest: object, part: pl.DataFrame) -> dict[str, object]:
    row: dict[str, object] = {
        "interest": interest,
        "purchases": part.height,
        "buyers": part["user"].n_unique(),
        "viewed": part["days"].count() / part.height,
        "earlier": part["earlier"].mean(),
        "days_earlier": part.filter("earlier")["days"].median(),
    }
    seen = part.drop_nulls("days").sort("days", "user")
    if seen.is_empty():
        return row
    days = seen["days"].to_numpy()
    low, high = confidence_interval(_medians(days, seen["user"].to_numpy()))[:2]
    quartiles = zip(("quarter", "days", "three_quarters"), np.quantile(days, (0.25, 0.5, 0.75)).tolist(), strict=True)
    return row | dict(quartiles) | {"low": float(low), "high": float(high)}


def _medians(days: np.ndarray, user: np.ndarray) -> np.ndarray:
    """The median of ascending `days` in each of RESAMPLES drawings of users."""
    number = np.unique(user, return_inverse=True)[1]
    users = int(number.max()) + 1
    rng = np.random.default_rng(0)
    found = []
    for _ in range(RESAMPLES):
        weight = np.cumsum(rng.multinomial(users, np.full(users, 1 / users))[number])
        found.append(days[np.searchsorted(weight, weight[-1] / 2)])
    return np.array(found)
