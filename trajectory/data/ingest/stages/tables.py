"""First stage: the raw tables of a source, with what stands within their cells and lists as columns and rows."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import polars as pl
from ml_collections import ConfigDict

from trajectory.data.files.json_text import flat
from trajectory.data.ingest.cells.parsing import texts
from trajectory.data.ingest.columns.detect import joined_parts
from trajectory.data.ingest.columns.types import with_marks
from trajectory.data.ingest.findings import Findings
from trajectory.data.ingest.source.formulas import without_formulas
from trajectory.data.ingest.source.item_lists import with_lines
from trajectory.data.ingest.source.sources import Source, read_source
from trajectory.data.ingest.stages.reading import Reading


def read_tables(data: ConfigDict) -> Reading:
    """The log that `data`, after `domains.resolve`, describes, as it lies in its source."""
    source, said = read_source(data), Findings()
    for text in source.notes:
        said.note("file", text)
    for text in source.warnings:
        said.note("file", f"{text}; is one of them a part of the log, too?", warning=True)
    if _is_cut_off(source, data.source):
        said.note("file", "the last row is malformed, and the file ends within it: was it cut off?", warning=True)
    reading = Reading(data, source, said, source.table)
    if not reading.known_layout:
        plain = replace(source, table=without_formulas(flat(source.table), said))
        reading.source = with_lines(plain, data.columns.item, said)
    joined = _with_joined(reading.source.table, data.columns.item)
    reading.table = with_marks(joined, data.columns.event_type)
    return reading


def _is_cut_off(source: Source, name: str) -> bool:
    """Whether the last row cannot be read and no line end follows it in the file."""
    if source.malformed is None or source.malformed.is_empty() or source.malformed[-1] is None:
        return False
    path = Path(name)
    if not path.is_file():
        return False
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) not in b"\r\n"


def _with_joined(table: pl.DataFrame, name: str) -> pl.DataFrame:
    """With a column of the texts of several, where "a+b" is asked for and is no column: what there is of them."""
    parts = joined_parts(table.columns, name)
    if not parts:
        return table
    cells = [texts(table[part]).replace("", None) for part in parts]
    joined = pl.concat_str(*(pl.lit(column) for column in cells), separator=", ", ignore_nulls=True).replace("", None)
    return table.with_columns(joined.alias(name))
