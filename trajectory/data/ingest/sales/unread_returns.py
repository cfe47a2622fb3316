"""Columns that are not read and, by what they hold, may say that a sale was taken back: in any language."""

from __future__ import annotations

from collections.abc import Collection

import polars as pl
from ml_collections import ConfigDict

from trajectory.data.ingest.cells.parsing import is_text, mostly_numeric, numbers, texts
from trajectory.data.ingest.columns.types import of_one
from trajectory.data.ingest.findings import Findings, clip
from trajectory.data.ingest.sales.event_types import of_sales

_LOOKED_AT = 1_000_000  # rows from the first on: a log of a hundred millions must fit in memory
_LEAST = 20  # rows of a word, below which nothing is concluded
_WORDS = 12  # of a column at most
_REPEATS, _USUALLY = (
    0.9,
    0.4,
)  # of the rows that repeat an earlier sale: of a word's, at least, and of the others', at most
_SELDOM = 0.25  # of the sales, at most, of which pieces come back


def doubt_unread_returns(
    table: pl.DataFrame, columns: dict[str, pl.Series], used: Collection[str], data: ConfigDict, said: Findings
) -> None:
    """Warns of a column one of whose words stands in rows that nearly all repeat an earlier sale, and of numbers that
    are mostly 0 and never above the pieces of their row. `columns` are the canonical ones of the log.
    """
    sold = of_sales(columns, data, back=False)
    if sold is None or not sold.any():
        return
    table, sold = table.head(_LOOKED_AT), sold.head(_LOOKED_AT)
    columns = {name: column.head(_LOOKED_AT) for name, column in columns.items()}
    free = [column for column in table if column.name not in used]
    if "quantity" in columns:
        pieces = columns["quantity"].cast(pl.Float64, strict=False)
        for column in free:
            _doubt_pieces(column, pieces, sold, said)
    again = _repeats(columns, sold)
    for column in free:
        few = is_text(column) and not mostly_numeric(column) and column.n_unique() <= _WORDS + 1
        if few and not of_one(texts(column), columns["user"]):  # what is the same in all rows of a user is the user's
            _doubt_words(column, again, sold, said)


def _repeats(columns: dict[str, pl.Series], sold: pl.Series) -> pl.Series:
    """Whether a sale before it in the file is of the same user and item, at the same price where there is money."""
    rows = pl.DataFrame({name: columns[name] for name in ("user", "item")} | {"sold": sold.cast(pl.Int64)})
    if "value" in columns:
        price = columns["value"] / columns["quantity"] if "quantity" in columns else columns["value"]
        rows = rows.with_columns(price=price.abs().round(2))
    same = [name for name in rows.columns if name != "sold"]
    before = pl.col("sold").cum_sum().over(same) - pl.col("sold")
    return rows.select((before > 0).fill_null(False)).to_series()


def _doubt_words(column: pl.Series, again: pl.Series, sold: pl.Series, said: Findings) -> None:
    rows = pl.DataFrame({"word": texts(column), "again": again}).with_row_index("row").filter(sold).drop_nulls("word")
    words = rows.group_by("word").agg(pl.len().alias("rows"), pl.col("again").sum(), pl.col("row").min())
    for word, number, repeated, first in words.sort("rows", descending=True).iter_rows():
        # Where a log goes on, more and more repeats what was before: others count from the word's first row on.
        others = rows.filter(pl.col("word") != word, pl.col("row") > first)["again"]
        if min(number, len(others)) < _LEAST or repeated < _REPEATS * number:
            continue
        usual = int(others.sum()) / len(others)
        if number < len(others) and usual <= _USUALLY:
            text = (
                f"{column.name} is not read, and {repeated:,} of the {number:,} rows with {clip(word)!r} repeat an "
                f"earlier sale of the same user, item and price (of the others {usual:.0%}): was it taken back?"
            )
            meanings = {each: "return" if each == word else "purchase" for each in words["word"].sort()}
            setting = f"data.columns.event_type={column.name} with data.event_type_map={meanings} if so"
            said.note("types", text, setting, warning=True)


def _doubt_pieces(column: pl.Series, pieces: pl.Series, sold: pl.Series, said: Findings) -> None:
    if not (is_text(column) or column.dtype.is_numeric()):
        return
    rows = pl.DataFrame({"back": numbers(column), "pieces": pieces}).filter(sold)
    back = rows["back"].fill_null(0)
    whole = (back.is_not_nan() & (back >= 0) & (back == back.round(0)) & (back <= rows["pieces"])).fill_null(False)
    number = int((back > 0).sum())
    if whole.all() and _LEAST <= number <= _SELDOM * rows.height and int((rows["pieces"] > 1).sum()) >= _LEAST:
        text = (
            f"{column.name} is not read, is above 0 in {number:,} of {rows.height:,} sales, and never above the "
            "pieces: did so many come back?"
        )
        said.note("types", text, f"data.no_sale_flags={column.name} if they did", warning=True)
