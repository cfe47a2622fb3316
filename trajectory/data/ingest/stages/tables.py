"""First stage: the raw tables of a source, with what stands within their cells and lists as columns and rows."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
from ml_collections import ConfigDict

from trajectory.data.files.json_text import flat
from trajectory.data.ingest.cells.parsing import texts
from trajectory.data.ingest.columns.detect import joined_parts
from trajectory.data.ingest.columns.types import with_marks
from trajectory.data.ingest.findings import Findings
from trajectory.data.ingest.source.formulas import without_formulas
from trajectory.data.ingest.source.item_lists import with_lines
from trajectory.data.ingest.source.sources import read_source
from trajectory.data.ingest.stages.reading import Reading


def read_tables(data: ConfigDict) -> Reading:
    """The log that `data`, after `domains.resolve`, describes, as it lies in its source."""
    source, said = read_source(data), Findings()
    for text in source.notes:
        said.note("file", text)
    for text in source.warnings:
        said.note("file", f"{text}; is one of them a part of the log, too?", warning=True)
    reading = Reading(data, source, said, source.table)
    if not reading.known_layout:
        plain = replace(source, table=without_formulas(flat(source.table), said))
        reading.source = with_lines(plain, data.columns.item, said)
    joined = _with_joined(reading.source.table, data.columns.item)
    reading.table = with_marks(joined, data.columns.event_type)
    return reading


def _with_joined(table: pl.DataFrame, name: str) -> pl.DataFrame:
    """With a column of the texts of several, where "a+b" is asked for and is no column: what there is of them."""
    parts = joined_parts(table.columns, name)
    if not parts:
        return table
    cells = [texts(table[part]).replace("", None) for part in parts]
    joined = pl.concat_str(*(pl.lit(column) for column in cells), separator=", ", ignore_nulls=True).replace("", None)
    return table.with_columns(joined.alias(name))
