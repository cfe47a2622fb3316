"""What the books and raw exports of a made-up shop truly tell of, for what insights say of it to be compared with."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from trajectory.data.simulate.shop.write import DIALECTS


class Pair(NamedTuple):
    """One number of a written table, and the same from the truth."""

    part: str
    what: str
    said: Any  # a number; None where the table lacks it
    true: Any


def true_events(folder: Path, export: str = "") -> pl.DataFrame:
    """What the books of a shop, or one of its raw exports, tell of: its usable rows as they truly were, by time.

    user, item (ids of that log, text), title, category, department, time (unix seconds), type, quantity and value (of
    sales; of returns below 0; value null where the row does not tell it), roles.
    """
    events = pl.read_parquet(folder / "truth" / "events.parquet").with_row_index("event")
    items = pl.read_parquet(folder / "items.parquet").select("item_id", "title", "category", "department")
    user, item = pl.col("user_id").cast(pl.String), pl.col("item_id").cast(pl.String)
    if export:
        rows = pl.read_parquet(folder / "truth" / f"raw_{export}.parquet").filter("usable")
        events = events.join(rows.select("event", "wrong"), on="event", maintain_order="left")
        unknown = pl.col("wrong") == "missing_price"
        events = events.with_columns(value=pl.when(~unknown).then("value"))
        user, item = DIALECTS[export].user_ids(pl.col("user_id")), DIALECTS[export].item_ids(pl.col("item_id"))
        user = user.cast(pl.String).str.strip_suffix(".0")
        if export == "ga4":
            user = pl.when("logged_in").then(user).otherwise("device_id")
    sign = pl.col("event_type").replace_strict({"purchase": 1, "return": -1}, default=None)
    return (
        events.join(items, on="item_id", how="left", maintain_order="left")
        .select(
            user.alias("user"),
            item.alias("item"),
            "title",
            "category",
            "department",
            pl.col("timestamp").dt.truncate("1m" if export == "orders" else "1s").dt.epoch("s").alias("time"),
            pl.col("event_type").alias("type"),
            quantity=pl.col("quantity") * sign,
            value=pl.col("value") * sign,
            roles=pl.col("roles").str.split(","),
        )
        .sort("time", maintain_order=True)
    )


def end_of(truth: pl.DataFrame) -> int:
    """The second after the last event that is no return: returns trail the sales they are of."""
    return int(truth.filter(pl.col("type") != "return").select(pl.col("time").max()).item()) + 1
