"""Lines that state again, for nothing, what the line before has sold, as shops export a product and its variant."""

from __future__ import annotations

from collections.abc import Collection

import polars as pl

from trajectory.data.ingest.cells.parsing import is_text, texts
from trajectory.data.ingest.columns.name_words import name_words
from trajectory.data.ingest.findings import Findings
from trajectory.data.ingest.word_lists import NOT

_SAME = ("user", "item", "quantity", "time", "basket")  # of both lines
_OWNER = "parent"  # in the name of a column of the line that another is a part of
_TYPES = ("type", "kind")
_WHOLES = {"configurable", "variable", "bundle", "grouped", "composite", "kit", "set", "parent", "package"}
_PARTS = {"simple", "variation", "variant", "child", "component", "part", "virtual"}
_SOME = 0.01  # of the sales, from which somebody is asked


def repeated_lines(
    table: pl.DataFrame, columns: dict[str, pl.Series], off: Collection[str], sale: pl.Series, said: Findings
) -> tuple[pl.Series, str] | None:
    """Boolean: sales that state again what another line sells, and the column that tells so; None where there are none
    or none does, or the column is one of `off`.

    They are parts of a whole that another row is by its id, or repeat the line before. A second piece may be given
    free: without such a column somebody is asked.
    """
    if "value" not in columns:
        return None
    if found := _with_whole(table, columns, sale):
        rows, name = found
        text = (
            f"{int(rows.sum()):,} sales for nothing are a part, or the whole, of lines that were paid, as {name} says"
        )
    else:
        rows, name = _line_before(table, columns, sale)
        text = f"{int(rows.sum()):,} sales for nothing repeat the item and pieces of the line before"
        text += f", of which {name} says that they are a part" if name else ""
    if name in off or not rows.any():
        return None
    if name:
        whole = f"{text}: stated twice, so no sales, kept and not read"
        said.note("no sales", whole, f"data.no_sale_flags={NOT}{name}", warning=True)
        return rows, name
    if int(rows.sum()) > _SOME * int(sale.sum()):
        what = "leave these rows out of the file if it is stated twice"
        said.note("no sales", f"{text}: is the same stated twice, or a piece given free?", what, warning=True)
    return None


def _with_whole(table: pl.DataFrame, columns: dict[str, pl.Series], sale: pl.Series) -> tuple[pl.Series, str] | None:
    """Sales for nothing of which a column names the row that is their whole, and that was paid, or that are the whole
    of rows that were.
    """
    free = (sale & (columns["value"] == 0)).fill_null(False)
    if not free.any():
        return None
    for column in table:
        words = name_words(column.name)
        ids = next(
            (name for name in table.columns if name_words(name) == tuple(word for word in words if word != _OWNER)), ""
        )
        if _OWNER not in words or not ids:
            continue
        rows = pl.DataFrame({"id": texts(table[ids]), "whole": texts(column), "free": free, "user": columns["user"]})
        rows = rows.with_columns(paid=pl.Series((sale & (columns["value"] > 0)).fill_null(False))).with_row_index()
        if rows["id"].drop_nulls().is_duplicated().any():
            continue
        pairs = rows.join(rows, left_on=["whole", "user"], right_on=["id", "user"], suffix="_of_whole")
        parts = pairs.filter(pl.col("free") & pl.col("paid_of_whole"))["index"]
        wholes = pairs.filter(pl.col("paid") & pl.col("free_of_whole"))["index_of_whole"]
        twice = rows["index"].is_in(pl.concat([parts, wholes]).implode())
        if twice.any():
            return twice, column.name
    return None


def _line_before(table: pl.DataFrame, columns: dict[str, pl.Series], sale: pl.Series) -> tuple[pl.Series, str]:
    """Sales for nothing that repeat the line before, and the column that says that they are parts of it; "" if none
    does.
    """
    value = columns["value"]
    lines = pl.DataFrame({name: columns[name] for name in _SAME if name in columns})
    same = lines.select(pl.all_horizontal(pl.all() == pl.all().shift(1)).alias("same")).to_series()
    again = (same & sale & sale.shift(1) & (value == 0) & (value.shift(1) > 0)).fill_null(False)
    return again, next((column.name for column in table if again.any() and _tells(column, again)), "")


def _tells(column: pl.Series, again: pl.Series) -> bool:
    """Whether a column says of all these lines, and of none before them, that they are parts."""
    words, before = {*name_words(column.name)}, again.shift(-1, fill_value=False) & ~again
    if _OWNER in words:
        return column.filter(again).null_count() == 0 and column.filter(before).count() == 0
    if not words & {*_TYPES} or not is_text(column):
        return False
    part, whole = ({*texts(column.filter(rows)).str.to_lowercase()} for rows in (again, before))
    return not part & whole and (whole <= _WHOLES or part <= _PARTS)
