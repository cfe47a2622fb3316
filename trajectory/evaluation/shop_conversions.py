"""The best that can be stated of a made-up shop's conversions: by its own probabilities, and all that it knows.

It knows more than any log that is read: what was shown, what was taken out of the cart, and which sessions a campaign
or a cause made, which buy for sure. So its AUC is a bound that no model of the log reaches.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from trajectory.data.pipeline.conversion_labels import CART
from trajectory.schema import Histories, UserError

SURE = ("cause", "campaign")  # origins of sessions that buy what they show


def best_possible(
    histories: Histories, event: np.ndarray, truth: pl.DataFrame, shop: dict[str, Any], unit: str
) -> np.ndarray:
    """Probability [n] that each `event` (flat index, of a log's first rows by user and time) converts, by `truth`.

    `truth`: the shop's table of events (trajectory/data/simulate/shop/generate.py), `shop`: its parameters. Asked of
    carts, a purchase within the horizon that another session makes is left out: it is rare. Raises UserError for the
    unit user, which other sessions decide, or a log that is not of this shop.
    """
    if unit == "user":
        raise UserError("the best that is possible is known of sessions and carts, which the shop's funnel decides")
    keys = ["user", "second", "item", "event_type"]
    kept = 1 - shop["removing"]
    later = shop["viewing"] * shop["carting"] * kept  # of what was shown and not come to yet
    in_session = pl.col("session_id")
    known = truth.filter(in_session.is_not_null()).with_columns(
        shown=(pl.col("event_type") == "impression").cum_sum().over(in_session)
    )
    order = known.filter(pl.col("event_type") == "impression").select(
        "session_id", "item_id", order=pl.col("shown"), count=pl.len().over("session_id")
    )
    known = known.join(order, on=["session_id", "item_id"], how="left", maintain_order="left")
    # What is in the cart for sure: put there before the item that is being looked at, and not taken out since.
    change = pl.when(pl.col("event_type") == CART).then(1).when(pl.col("event_type") == "remove_from_cart").then(-1)
    known = known.with_columns(held=change.otherwise(0).cum_sum().over(in_session))
    mine = pl.col("event_type") == CART
    sure = pl.col("origin").is_in(SURE)
    pending = pl.when(mine).then(kept).when(pl.col("event_type") == "view").then(shop["carting"] * kept).otherwise(0.0)
    nothing = (1 - pending) * (1 - later) ** (pl.col("count") - pl.col("order"))
    any_left = pl.when(pl.col("held") - mine.cast(pl.Int64) > 0).then(1.0).otherwise(1 - nothing)
    buys = pl.when(sure).then(1.0).otherwise(shop["buying"] * (any_left if unit == "session" else kept))
    never = (pl.col("event_type") == "purchase") | (pl.col("origin") == "bot")
    chance = pl.when(never).then(0.0).otherwise(buys)
    table = known.select(
        pl.col("user_id").cast(pl.String).alias("user"),
        pl.col("timestamp").dt.epoch("s").alias("second"),
        pl.col("item_id").cast(pl.String).alias("item"),
        "event_type",
        chance=chance,
    ).unique(keys, keep="first")
    user = np.searchsorted(histories.offsets, event, side="right") - 1
    asked = pl.DataFrame(
        {
            "user": histories.users["user"].cast(pl.String).gather(user),
            "second": histories.time[event],
            "item": histories.items["item"].cast(pl.String).gather(histories.item[event] - 1),
            "event_type": pl.Series(histories.event_types).gather(histories.event_type[event].astype(np.int64) - 1),
        }
    )
    found = asked.join(table, on=keys, how="left", maintain_order="left")["chance"]
    if found.null_count():
        raise UserError(f"{found.null_count():,} of {len(found):,} events of this log are none of the shop's")
    return found.to_numpy()
