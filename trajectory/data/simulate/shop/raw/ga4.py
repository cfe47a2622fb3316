"""A raw export like Google Analytics 4 in BigQuery: nested JSON Lines, the device in each, the user in some."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from trajectory.data.simulate.shop.parameters import Dirt
from trajectory.data.simulate.shop.raw.soil import soiled

NAMES = {
    "impression": "view_item_list",
    "search": "view_search_results",
    "view": "view_item",
    "cart": "add_to_cart",
    "remove_from_cart": "remove_from_cart",
    "purchase": "purchase",
    "return": "refund",
}


def item_ids(item: pl.Expr) -> pl.Expr:
    """The export's ids of items."""
    return pl.format("SKU{}", item.cast(pl.String).str.zfill(5))


def user_ids(user: pl.Expr) -> pl.Expr:
    """The export's ids of users that are logged in."""
    return pl.format("U{}", user)


def write(
    events: pl.DataFrame, items: pl.DataFrame, folder: Path, dirt: Dirt, rng: np.random.Generator
) -> pl.DataFrame:
    """Writes interactions.jsonl; returns its rows for `account`, one for each event of a line.

    What is shown at once, and the lines of an order, are one line with several items. Whole numbers are texts, as
    BigQuery writes them.
    """
    known = items.select("item_id", "title", "category", "brand")
    rows = events.with_row_index("event").join(known, on="item_id", how="left", maintain_order="left")
    single = ~pl.col("event_type").is_in(["impression", "purchase"])
    rows = rows.with_columns(page=pl.when(single).then("event"), number=pl.int_range(pl.len()))
    item = pl.struct(
        item_id=item_ids(pl.col("item_id")),
        item_name="title",
        item_brand="brand",
        item_category="category",
        price="price",
        quantity=pl.col("quantity").cast(pl.String),
    )
    records = rows.group_by("session_id", "event_type", "order_id", "page", maintain_order=True).agg(
        pl.col("timestamp", "user_id", "device_id", "logged_in", "query").first(),
        revenue=pl.col("value").sum().round(2),
        pieces=pl.col("quantity").sum(),
        items=item.filter(pl.col("item_id").is_not_null()),
        event="event",
    )
    records = soiled(records.with_columns(time=pl.col("timestamp").cast(pl.Int64)), dirt, rng)
    cut = (records["wrong"] == "ragged").to_list()
    lines = [line[: 2 * len(line) // 3] if broken else line for line, broken in zip(_json(records), cut, strict=True)]
    (folder / "interactions.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    ordered = pl.when(pl.col("event_type").is_in(["purchase", "return"])).then("order_id")
    gap = pl.when(pl.col("wrong") == "missing_user").then(pl.lit("user"))  # all lines of a purchase are one record
    rows = records.with_row_index("line", offset=1).select("line", "event", "wrong", gap=gap, order=ordered)
    return rows.explode("event")


def _json(records: pl.DataFrame) -> pl.Series:
    wrong = pl.col("wrong")
    foreign, ordered = wrong == "foreign", pl.col("event_type").is_in(["purchase", "return"])
    nothing = pl.lit(None, pl.String)

    def parameter(key: str, text: pl.Expr, number: pl.Expr) -> pl.Expr:
        return pl.struct(pl.lit(key).alias("key"), value=pl.struct(string_value=text, int_value=number))

    unset = pl.lit("(not set)")
    spoiled_item = pl.element().struct.with_fields(item_id=unset, item_name=unset)
    spoiled_price = pl.element().struct.with_fields(price=pl.lit(None, pl.Float64))
    items = (
        pl.when(foreign)
        .then(pl.col("items").list.head(0))
        .when(wrong == "missing_item")
        .then(pl.col("items").list.eval(spoiled_item))
        .when(wrong == "missing_price")
        .then(pl.col("items").list.eval(spoiled_price))
        .otherwise("items")
    )
    return records.select(
        pl.struct(
            event_date=pl.from_epoch("time", "us").dt.strftime("%Y%m%d"),
            event_timestamp=pl.when(wrong != "bad_time").then(pl.col("time").cast(pl.String)),
            event_name=pl.when(foreign).then(pl.lit("session_start")).otherwise(pl.col("event_type").replace(NAMES)),
            event_params=pl.concat_list(
                parameter("ga_session_id", nothing, pl.col("session_id").cast(pl.String)),
                parameter("search_term", pl.col("query"), nothing),
            ),
            user_id=pl.when(pl.col("logged_in") & (wrong != "missing_user")).then(user_ids(pl.col("user_id"))),
            user_pseudo_id=pl.when(wrong != "missing_user").then("device_id"),
            ecommerce=pl.struct(
                transaction_id=pl.when(ordered).then(pl.col("order_id").cast(pl.String)),
                purchase_revenue=pl.when(ordered).then("revenue"),
                total_item_quantity=pl.when(ordered).then(pl.col("pieces").cast(pl.String)),
            ),
            items=items,
        ).struct.json_encode()
    ).to_series()
