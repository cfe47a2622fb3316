"""The item table: read from its own file or gathered from the log, and regrouped where a coarser item is wanted."""

from __future__ import annotations

import polars as pl

from trajectory.data.columns import CONTENT_NAMES, ITEM_NAMES, detect, listing
from trajectory.data.values import ids, numbers, texts
from trajectory.schema import UserError

_TEXTS = ("title", "category", "department", "brand")


def read_items(table: pl.DataFrame) -> pl.DataFrame:
    """An item table in canonical columns, first row of each item: item, those there are of title, category, department,
    brand (String), price (Float64), then all other columns that hold scalars. UserError without an item column.
    """
    names = detect(table.columns, ITEM_NAMES)
    if "item" not in names:
        raise UserError(f"expected an item column, such as item_id, in the item table; it has {listing(table.columns)}")
    columns = {"item": ids(table[names["item"]])}
    for field in _TEXTS:
        if field in names:
            column = table[names[field]]
            columns[field] = texts(column.list.first() if column.dtype == pl.List else column)
    if "price" in names:
        columns["price"] = numbers(table[names["price"]]).fill_nan(None)
    for column in table:
        if column.name not in (*names.values(), *columns) and not column.dtype.is_nested():
            columns[column.name] = column
    items = pl.DataFrame({name: column.alias(name) for name, column in columns.items()})
    return items.filter(pl.col("item").is_not_null()).unique("item", keep="first", maintain_order=True)


def gather_items(table: pl.DataFrame, item: pl.Series, used: set[str]) -> pl.DataFrame | None:
    """The item table of a log that brings none: each item's most frequent title, category, department, brand.

    None if the log has no such column beside those already `used`.
    """
    names = detect([column for column in table.columns if column not in used], CONTENT_NAMES)
    if not names:
        return None
    rows = pl.DataFrame({"item": item} | {field: texts(table[name]) for field, name in names.items()})
    return _summarise(rows.filter(pl.col("item").is_not_null()).with_columns(weight=1), "item")


def regroup(item: pl.Series, items: pl.DataFrame | None, column: str) -> tuple[pl.Series, pl.DataFrame]:
    """Puts the value of an item-table column in the place of each event's item (null where the item has none).

    Returns the new items of the events, and a table of one row per value with its most frequent category, department
    and brand (over events; ties go to the first in the alphabet) and median price. UserError if no such column.
    """
    if items is None or column not in items.columns:
        found = listing(items.columns) if items is not None else "no item table"
        raise UserError(f"data.item_column={column!r} is not in the item table; the log has {found}")
    counts = item.to_frame("item").group_by("item").len("weight")
    rows = items.join(counts, on="item", how="left", maintain_order="left").with_columns(pl.col("weight").fill_null(0))
    value = texts(rows[column]) if rows.schema[column] == pl.String else rows[column]
    rows = rows.with_columns(value=value)
    chosen = item.to_frame("item").join(rows.select("item", "value"), on="item", how="left", maintain_order="left")
    table = _summarise(rows.filter(pl.col("value").is_not_null()).drop("item"), "value")
    title = pl.col("item").cast(pl.String).alias("title")
    return chosen["value"].alias("item"), table.rename({"value": "item"}).with_columns(title)


def match(item: pl.Series, items: pl.DataFrame) -> tuple[pl.Series, pl.DataFrame]:
    """The same items and table with ids of one type: text, if the two sides differ."""
    theirs = items.schema["item"]
    if item.dtype == theirs:
        return item, items
    if item.dtype.is_integer() and theirs.is_integer():
        return item, items.with_columns(pl.col("item").cast(item.dtype, strict=False))
    return item.cast(pl.String), items.with_columns(pl.col("item").cast(pl.String))


def _summarise(rows: pl.DataFrame, key: str) -> pl.DataFrame:
    """One row per value of `key`, sorted: the text that weighs most in each column, and the median price."""
    table = rows.select(pl.col(key).unique().sort())
    for column in (name for name in _TEXTS if name in rows.columns and name != key):
        weights = rows.filter(pl.col(column).is_not_null()).group_by(key, column).agg(pl.col("weight").sum())
        first = weights.sort("weight", column, descending=[True, False]).unique(key, keep="first", maintain_order=True)
        table = table.join(first.select(key, column), on=key, how="left", maintain_order="left")
    if "price" in rows.columns:
        prices = rows.group_by(key).agg(pl.col("price").median())
        table = table.join(prices, on=key, how="left", maintain_order="left")
    return table
