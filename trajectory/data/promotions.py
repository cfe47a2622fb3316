"""Promotions that a log's folder tells of: in how many stores each product is advertised or displayed, week by week."""

from __future__ import annotations

from pathlib import Path

import polars as pl
from ml_collections import ConfigDict

from trajectory.data.columns import ITEM_NAMES, detect
from trajectory.data.domains import known, locate, resolve
from trajectory.data.items import match, read_items
from trajectory.data.times import MONDAY, WEEK, read_times

KINDS = ("mailer", "display")


def read_promotions(data: ConfigDict) -> pl.DataFrame | None:
    """Stores with each kind of promotion of each item, in rows item, begins, mailer, display; None if there are none.

    `item` (String) is an item of the log that `config.data` describes: products are summed to their type where the
    log's items are types. `begins`: Monday of the week, unix seconds. Read from promotions_by_week.parquet, or from
    promotions.parquet, which has a row per product, store and week and "0" where a kind of promotion is not on. Weeks
    are numbered; which week a number is, the log's own column `week` says.
    """
    data = resolve(data)
    folder = locate(data.source) if data.source in known() else Path(data.source).expanduser()
    products, weeks = _by_product(folder), _first_week(folder)
    if products is None or weeks is None:
        return None
    if data.item_column:
        tables = [path for path in (folder / "items.parquet", folder / "products.parquet") if path.exists()]
        if not tables:
            return None
        item, table = match(products["item"], read_items(pl.read_parquet(tables[0])))
        of = table.select("item", of=pl.col(data.item_column).cast(pl.String))
        products = products.with_columns(item=item).join(of, on="item").drop("item").rename({"of": "item"})
    return (
        products.filter(pl.col("item").is_not_null())
        .with_columns(pl.col("item").cast(pl.String), begins=weeks + pl.col("week").cast(pl.Int64) * WEEK)
        .group_by("item", "begins")
        .agg(pl.col(kind).sum().cast(pl.Float64) for kind in KINDS)
        .sort("item", "begins")
    )


def _by_product(folder: Path) -> pl.DataFrame | None:
    """Rows item, week, mailer, display: stores of each product and week."""
    if (folder / "promotions_by_week.parquet").exists():
        table = pl.scan_parquet(folder / "promotions_by_week.parquet")
        stores = [pl.col(f"stores_{kind}").alias(kind) for kind in KINDS]
    elif (folder / "promotions.parquet").exists():
        table = pl.scan_parquet(folder / "promotions.parquet")
        stores = [(pl.col(f"{kind}_location") != "0").cast(pl.Int64).alias(kind) for kind in KINDS]
    else:
        return None
    item = detect(table.collect_schema().names(), {"item": ITEM_NAMES["item"]})["item"]
    rows = table.select(pl.col(item).alias("item"), "week", *stores)
    # Twenty million rows: summed as they are read.
    return rows.group_by("item", "week").agg(pl.col(kind).sum() for kind in KINDS).collect(engine="streaming")


def _first_week(folder: Path) -> int | None:
    """Unix seconds at which week 0 begins, by most of the log's events; None if the log does not number its weeks."""
    for name in ("interactions", "transactions"):
        path = folder / f"{name}.parquet"
        if not path.exists():
            continue
        columns = pl.scan_parquet(path).collect_schema().names()
        time = detect(columns, {"time": ("timestamp", "transaction_timestamp")}).get("time")
        if "week" not in columns or time is None:
            return None
        table = pl.read_parquet(path, columns=["week", time])
        begins = (read_times(table[time], "auto")[0] - MONDAY) // WEEK * WEEK + MONDAY
        return int((begins - table["week"].cast(pl.Int64) * WEEK).mode()[0])
    return None
