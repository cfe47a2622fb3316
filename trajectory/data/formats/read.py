"""A source in a public format -> its log and item table, in the columns that the settings of the format name."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from ml_collections import ConfigDict

from trajectory import hints
from trajectory.data.files.files import Part
from trajectory.data.files.table import Layout, look_at, read_parts
from trajectory.data.formats import FORMATS
from trajectory.data.formats.detect import detect, plain, require
from trajectory.data.formats.layout import File, Match
from trajectory.data.formats.nested import unquoted
from trajectory.schema import UserError


@dataclass(frozen=True)
class Reading:
    """Tables of a source; `malformed` holds the text of rows that could not be read, null elsewhere."""

    table: pl.DataFrame
    malformed: pl.Series | None
    items: pl.DataFrame | None
    notes: tuple[str, ...]
    named: dict[str, str]  # field of the log -> column


def preset(data: ConfigDict) -> Match | None:
    """The format of `data.source`: that of `data.format`, or with "auto" the one that its files show, if any."""
    path = Path(data.source).expanduser()
    if not data.format or not data.source or not (os.path.isfile(path) or os.path.isdir(path)):
        return None  # reading it says what is wrong
    if data.format != "auto":
        return require(path, data.format, FORMATS)
    return None if data.header or data.separator else detect(path, FORMATS)


def read(match: Match, data: ConfigDict) -> Reading:
    """Reads the files of a match. UserError where one that is needed is not there."""
    layout = match.format
    for key in layout.needed:
        if key not in match.beside:
            raise UserError(
                f"{layout.title} needs {layout.beside[key].name} beside {match.parts[0].file}: put it into the same "
                "folder, or set data.format= to read the file as a plain table"
            )
    notes = [
        f"read as {layout.title} ({match.name}), known by {match.clue}; {hints.setting('data.format', '')} reads it "
        "as a plain table",
        layout.note,
    ]
    table = pl.concat([_table(file, parts, data, notes) for file, parts in match.log], how="diagonal_relaxed")
    beside = {key: _table(file, parts, data, notes) for key, (file, parts) in match.beside.items()}
    for key, other in beside.items():
        if "malformed" in other.columns:
            rows = other["malformed"].drop_nulls()
            notes.append(f"{key}: {len(rows):,} malformed rows are left out, the first: {rows[0][:100]!r}")
    items = None
    if layout.reshape:
        table, items = layout.reshape(table, beside)
    malformed = table.get_column("malformed") if "malformed" in table.columns else None
    return Reading(table.drop("malformed", strict=False), malformed, items, tuple(notes), match.settings.columns or {})


def _table(file: File, parts: tuple[Part, ...], data: ConfigDict, notes: list[str]) -> pl.DataFrame:
    if file.read or not file.quoted:
        read = file.read or (lambda part: unquoted(part, file.header, file.separator, file.encoding))
        table = pl.concat(map(read, parts), how="diagonal_relaxed")
    else:
        layout = Layout(data.separator or file.separator, data.encoding or file.encoding, file.header)
        raw = read_parts(look_at(parts, layout), layout, None, parts[0].name)
        notes += raw.notes
        official = {plain(name): name for name in file.columns}
        spelled = {name: official.get(plain(name), name) for name in raw.table.columns}
        table = raw.table.rename(spelled)
        if raw.malformed is not None:
            table = table.with_columns(malformed=raw.malformed)
    return table.with_columns(event_type=pl.lit(file.event_type)) if file.event_type else table
