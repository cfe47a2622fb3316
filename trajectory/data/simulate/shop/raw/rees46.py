"""A raw export like the REES46 event logs: CSV, a row per view, cart, removal, purchase, refund; currency signs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from trajectory.data.simulate.shop.parameters import Dirt
from trajectory.data.simulate.shop.raw.soil import csv_lines, missing, money, soiled, unreadable

NAMES = {
    "view": "view",
    "cart": "cart",
    "remove_from_cart": "remove_from_cart",
    "purchase": "purchase",
    "return": "refund",
}
COLUMNS = (
    "event_time", "event_type", "product_id", "category_id", "category_code", "brand", "price", "quantity", "user_id",
    "user_session",
)  # fmt: skip
PRODUCT, USER, CATEGORY = 44_600_000, 541_312_000, 2_053_013_555_631_882_655  # ids count on from here


def item_ids(item: pl.Expr) -> pl.Expr:
    """The export's ids of items."""
    return (item + PRODUCT).cast(pl.String)


def user_ids(user: pl.Expr) -> pl.Expr:
    """The export's ids of users."""
    return (user + USER).cast(pl.String)


def write(
    events: pl.DataFrame, items: pl.DataFrame, folder: Path, dirt: Dirt, rng: np.random.Generator
) -> pl.DataFrame:
    """Writes interactions.csv, which ends in a line of nothing but separators; returns its rows for `account`."""
    records = events.with_row_index("event").filter(pl.col("event_type").is_in(list(NAMES)))
    number = pl.col("category").rank("dense").cast(pl.Int64) + CATEGORY
    known = items.select("item_id", "category", "department", "brand", category_id=number.cast(pl.String))
    records = records.join(known, on="item_id", maintain_order="left")
    rows = soiled(records.with_columns(time=pl.col("timestamp").cast(pl.Int64)), dirt, rng)
    foreign = pl.col("wrong") == "foreign"
    # Most prices are bare; some have a sign, by event, so that what is sent twice is the same.
    sign = pl.when(pl.col("event") % 10 == 0).then(pl.lit("$")).when(pl.col("event") % 10 == 1).then(pl.lit("USD "))
    text = rows.select(
        "wrong",
        event_time=pl.from_epoch("time", "us").dt.strftime("%Y-%m-%d %H:%M:%S%.3f UTC"),
        event_type=pl.when(foreign).then(pl.lit("session_start")).otherwise(pl.col("event_type").replace(NAMES)),
        product_id=pl.when(~foreign).then(item_ids(pl.col("item_id"))),
        category_id="category_id",
        category_code=pl.col("department") + "." + pl.col("category"),
        brand="brand",
        price=sign.fill_null("") + money(pl.col("price")),
        quantity=pl.col("quantity").cast(pl.String),
        user_id=user_ids(pl.col("user_id")),
        user_session=pl.format("{}-{}", "device_id", pl.col("session_id").fill_null(0)),
    )
    text = text.with_columns(
        unreadable("event_time", rng, rows.height),
        missing("missing_item", "product_id", rng, rows.height),
        missing("missing_price", "price", rng, rows.height),
        missing("missing_user", "user_id", rng, rows.height),
    )
    lines = csv_lines(text.select(COLUMNS), ",", rows["wrong"].to_list())
    lines.append("," * (len(COLUMNS) - 1))
    (folder / "interactions.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    end = pl.DataFrame({"event": [None], "wrong": ["separator"]}, schema={"event": pl.UInt32, "wrong": pl.String})
    return pl.concat([rows.select("event", "wrong"), end]).with_row_index("line", offset=1)
