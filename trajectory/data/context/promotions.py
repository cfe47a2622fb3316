"""Promotions that a log's folder tells of: in how many stores each product is advertised or displayed, week by week."""

from __future__ import annotations

from pathlib import Path

import polars as pl
from ml_collections import ConfigDict

from trajectory.data.files.table import read_table
from trajectory.data.ingest.cells.parsing import numbers
from trajectory.data.ingest.columns.detect import detect, listing
from trajectory.data.ingest.items.table import match, read_items
from trajectory.data.ingest.source.domains import resolve
from trajectory.data.ingest.source.side_files import ITEM, first_side_file, folder_of, read_side, usable_rows
from trajectory.data.times import MONDAY, WEEK, read_times
from trajectory.schema import UserError

KINDS = ("mailer", "display")


def read_promotions(data: ConfigDict) -> pl.DataFrame | None:
    """Stores with each kind of promotion of each item, in rows item, begins, mailer, display; None if there are none.

    `item` (String) is an item of the log that `config.data` describes: products are summed to their type where the
    log's items are types. `begins`: Monday of the week, unix seconds. Read from a file promotions_by_week, or from
    promotions, which has a row per product, store and week and "0" where a kind of promotion is not on. Weeks
    are numbered; which week a number is, the log's own column `week` says.
    """
    data = resolve(data)
    folder = folder_of(data.source)
    products = _by_product(folder) if folder else None
    weeks = _first_week(folder) if folder and products is not None else None
    if folder is None or products is None or weeks is None:
        return None
    if data.item_column:
        path = first_side_file(folder, "items", "products")
        if path is None:
            return None
        item, table = match(products["item"], read_items(read_table(path).table))
        if data.item_column not in table.columns:
            raise UserError(f"data.item_column={data.item_column!r} is not in {path}; it has {listing(table.columns)}")
        of = table.select("item", of=pl.col(data.item_column).cast(pl.String))
        products = products.with_columns(item=item).join(of, on="item").drop("item").rename({"of": "item"})
    return (
        products.filter(pl.col("item").is_not_null())
        .with_columns(pl.col("item").cast(pl.String), begins=weeks + pl.col("week") * WEEK)
        .group_by("item", "begins")
        .agg(pl.col(kind).sum().cast(pl.Float64) for kind in KINDS)
        .sort("item", "begins")
    )


def _by_product(folder: Path) -> pl.DataFrame | None:
    """Rows item, week, mailer, display: stores of each product and week."""
    if path := first_side_file(folder, "promotions_by_week"):
        table = read_side(path, path.stem, {**ITEM, "week": ("week",), **{kind: (f"stores_{kind}",) for kind in KINDS}})
        stores = [numbers(table[kind]) for kind in KINDS]
    elif path := first_side_file(folder, "promotions"):
        table = read_side(
            path, path.stem, {**ITEM, "week": ("week",), **{kind: (f"{kind}_location",) for kind in KINDS}}
        )
        stores = [(table[kind].cast(pl.String) != "0").cast(pl.Int64) for kind in KINDS]
    else:
        return None
    table = table.select("item", numbers(table["week"]).alias("week"), *stores)
    table = usable_rows(table, path, path.stem, pl.all_horizontal(pl.col("week", *KINDS).is_finite()))
    rows = table.with_columns(pl.col("week").cast(pl.Int64))
    return rows.group_by("item", "week").agg(pl.col(kind).sum() for kind in KINDS)


def _first_week(folder: Path) -> int | None:
    """Unix seconds at which week 0 begins, by most of the log's events; None if the log does not number its weeks."""
    path = first_side_file(folder, "interactions", "transactions")
    if path is None:
        return None
    names = {"time": ("timestamp", "transaction_timestamp"), "week": ("week",)}
    table = read_table(path, keep=lambda columns: list(detect(columns, names).values())).table
    found = detect(table.columns, names)
    if found.keys() != names.keys():
        return None
    begins = (read_times(table[found["time"]], "auto")[0] - MONDAY) // WEEK * WEEK + MONDAY
    weeks = (begins - numbers(table[found["week"]]).cast(pl.Int64, strict=False) * WEEK).drop_nulls().mode()
    return int(weeks[0]) if len(weeks) else None
