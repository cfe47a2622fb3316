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
    """Boolean: sales that repeat the line before, and the column that tells so; None where there are none or none does,
    or the column is one of `off`. A second piece may be given free: without such a column somebody is asked.
    """
    if "value" not in columns:
        return None
    value = columns["value"]
    lines = pl.DataFrame({name: columns[name] for name in _SAME if name in columns})
    same = lines.select(pl.all_horizontal(pl.all() == pl.all().shift(1)).alias("same")).to_series()
    again = (same & sale & sale.shift(1) & (value == 0) & (value.shift(1) > 0)).fill_null(False)
    rows = int(again.sum())
    if not rows:
        return None
    name = next((column.name for column in table if _tells(column, again)), "")
    if name in off:
        return None
    text = f"{rows:,} sales for nothing repeat the item and pieces of the line before"
    if name:
        whole = f"{text}, of which {name} says that they are a part: stated twice, so no sales, kept and not read"
        said.note("no sales", whole, f"data.no_sale_flags={NOT}{name}", warning=True)
        return again, name
    if rows > _SOME * int(sale.sum()):
        what = "leave these rows out of the file if it is stated twice"
        said.note("no sales", f"{text}: is the same stated twice, or a piece given free?", what, warning=True)
    return None


def _tells(column: pl.Series, again: pl.Series) -> bool:
    """Whether a column says of all these lines, and of none before them, that they are parts."""
    words, before = {*name_words(column.name)}, again.shift(-1, fill_value=False)
    if _OWNER in words:
        return column.filter(again).null_count() == 0 and column.filter(before & ~again).count() == 0
    if not words & {*_TYPES} or not is_text(column):
        return False
    part, whole = ({*texts(column.filter(rows)).str.to_lowercase()} for rows in (again, before & ~again))
    return not part & whole and (whole <= _WHOLES or part <= _PARTS)
