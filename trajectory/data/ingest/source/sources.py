"""Where a log comes from: a named domain, a file, a folder or a TFDS data set -> tables in the source's own columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
from ml_collections import ConfigDict

from trajectory.data.files.files import Part, existing, parts_of
from trajectory.data.files.folder import Contents, left_over, sort_out
from trajectory.data.files.table import Layout, look_at, read_parts
from trajectory.data.files.typed_files import read_several, types_by_name
from trajectory.data.formats.read import preset
from trajectory.data.formats.read import read as read_preset
from trajectory.data.ingest.source import domains, tfds_source
from trajectory.data.ingest.source.data_frames import source_name
from trajectory.schema import UserError

TFDS = "tfds:"


@dataclass(frozen=True)
class Source:
    """A log as it was found. `malformed`: raw text of rows whose cells could not be told apart, null elsewhere.

    `files`: of each row the file it is from, None where there is but one. `notes`: what was decided, as sentences;
    `warnings`: those of them that somebody should look at. `named`: field -> column, as the format of the files has it.
    `lines`: columns that entries of a list of items have; `place`: the one that counts them. `typed`: whether the names
    of its files say the type of event.
    """

    table: pl.DataFrame
    malformed: pl.Series | None
    items: pl.DataFrame | None
    origin: str
    files: pl.Series | None = None
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    named: dict[str, str] = field(default_factory=dict)
    lines: tuple[str, ...] = ()
    place: str = ""
    typed: bool = False


def read_source(data: ConfigDict) -> Source:
    """Reads what `data.source` names. UserError if it is not there or damaged, or has no row."""
    name = data.source
    if not name:
        raise UserError('data.source is empty; set it to a domain, the path of a file or folder, or "tfds:<name>"')
    if name.startswith(TFDS):
        return _with_rows(Source(tfds_source.read_tfds(name.removeprefix(TFDS), data.tfds_dir), None, None, name))
    path = source_path(name)
    parts, layout = parts_of(path), Layout.of(data)
    if match := preset(data):
        reading = read_preset(match, data)
        contents = left_over(match.unread, layout, reading.items is None)
        items, notes = (reading.items, contents.notes) if reading.items is not None else _items(path, contents, layout)
        notes = reading.notes + notes
        return _with_rows(Source(reading.table, reading.malformed, items, str(path), notes=notes, named=reading.named))
    if len(parts) == 1 and not path.is_dir():
        raw = read_parts(look_at(parts, layout), layout, None, source_name(path))
        return _with_rows(Source(raw.table, raw.malformed, None, raw.origin, raw.files, raw.notes))
    asked = [column for column in data.columns.values() if column]
    contents = sort_out(path, parts, layout, asked, types=types_by_name(parts, data))
    origin = _origin(path, [look.part for look in contents.log])
    if contents.types or len({look.columns for look in contents.log if look.kind != "json"}) > 1:
        raw = read_several(contents.log, contents.types, layout, origin)
    else:
        raw = read_parts(contents.log, layout, None, origin)
    items, notes = _items(path, contents, layout)
    return _with_rows(
        Source(
            *(raw.table, raw.malformed, items, raw.origin, raw.files, raw.notes + notes, contents.warnings),
            typed=bool(contents.types),
        )
    )


def source_path(name: str) -> Path:
    """The file or folder of a domain's name or a path. UserError if nothing is there, or nothing that can be read."""
    if name in domains.known():
        return domains.locate(name)
    path = Path(name).expanduser()
    if len(path.parts) > 1 or path.suffix or "\0" in name or len(name) > 255 or path.exists():
        return existing(path)
    return domains.locate(name)  # its error names the nearest domains


def _with_rows(source: Source) -> Source:
    if source.table.is_empty():
        raise UserError(f"{source.origin} has column names but not one row")
    return source


def _origin(path: Path, parts: Sequence[Part]) -> str:
    return parts[0].name if len(parts) == 1 and source_name(path) == str(path) else source_name(path)


def _items(path: Path, contents: Contents, layout: Layout) -> tuple[pl.DataFrame | None, tuple[str, ...]]:
    """The item table that was found, if any, and what is to be said of it and of files that are left out."""
    if not contents.items:
        return None, contents.notes
    raw = read_parts(contents.items, layout, None, _origin(path, [look.part for look in contents.items]))
    rows = raw.malformed.drop_nulls() if raw.malformed is not None else pl.Series(dtype=pl.String)
    malformed = (
        f"item table: {len(rows):,} malformed rows are left out, the first: {rows[0][:100]!r}" if len(rows) else ""
    )
    return raw.table, (*contents.notes, *raw.notes, *filter(None, [malformed]))
