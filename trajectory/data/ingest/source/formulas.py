"""Cells that a spreadsheet shall show as text, ="00012", as exports write ids: without the formula around them."""

from __future__ import annotations

import polars as pl

from trajectory.data.ingest.findings import Findings

_FORMULA = r'^="(.*)"\s*$'


def without_formulas(table: pl.DataFrame, said: Findings) -> pl.DataFrame:
    """The table with what such cells show, and a note of the columns that had some."""
    texts = table.select(pl.selectors.string())
    shown = [column.name for column in texts if column.str.starts_with('="').any()]
    if not shown:
        return table
    said.note("file", f'{", ".join(shown)}: cells such as ="00012" are read as what they show, 00012')
    return table.with_columns(pl.col(shown).str.replace(_FORMULA, "${1}"))
