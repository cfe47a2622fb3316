"""What a preset for a public raw format consists of: which files it is known by, and what their columns mean."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import polars as pl

from trajectory.data.files.files import Part
from trajectory.data.ingest.source.settings import Settings


@dataclass(frozen=True)
class File:
    """A file of a format: how it is known, and how its text becomes a table."""

    columns: tuple[str, ...] = ()  # it has these columns, or keys of its JSON lines, among others
    line: str = ""  # or its first line matches this, where there is no header line
    name: str = "*"  # pattern of its name, without case; "a|b" = a, else b
    header: tuple[str, ...] = ()  # names of the columns of a file without a header line
    separator: str = ""  # "" = detected
    encoding: str = ""  # "" = detected
    quoted: bool = True  # False: a quotation mark is a letter as any other
    event_type: str = ""  # of all its rows, as a column event_type
    read: Callable[[Part], pl.DataFrame] | None = None  # instead, for records that hold lists


@dataclass(frozen=True)
class Format:
    """One layout of a public raw log: its files, the tables beside them that tell of items, the settings that fit it.

    `reshape` makes of the log and the tables beside it the log and the table of items that the settings speak of; rows
    that could not be read are null there but for their text in a column `malformed`.
    """

    title: str
    log: tuple[File, ...]
    settings: Settings
    beside: dict[str, File] = field(default_factory=dict)
    needed: tuple[str, ...] = ()  # of those, what it cannot be read without
    reshape: Callable[[pl.DataFrame, dict[str, pl.DataFrame]], tuple[pl.DataFrame, pl.DataFrame | None]] | None = None
    note: str = ""  # what is assumed, and what is left unread


@dataclass(frozen=True)
class Match:
    """A format and the files of a source that have it."""

    name: str
    format: Format
    log: tuple[tuple[File, tuple[Part, ...]], ...]
    beside: dict[str, tuple[File, tuple[Part, ...]]]
    clue: str  # by what it was found
    unread: tuple[Part, ...] = ()  # other files of the same folder

    @property
    def settings(self) -> Settings:
        """Those of the format, without columns of log files that are not there."""
        names = {file: {*file.header, *file.columns} for file in self.format.log}
        there = set[str]().union(*(names[file] for file, _ in self.log))
        absent = set[str]().union(*names.values()) - there
        columns = {field: name for field, name in (self.format.settings.columns or {}).items() if name not in absent}
        return replace(self.format.settings, columns=columns)

    @property
    def parts(self) -> list[Part]:
        """All files that are read."""
        return [part for _, parts in (*self.log, *self.beside.values()) for part in parts]


def described(items: pl.DataFrame, item: str, **fields: pl.Expr | str) -> pl.DataFrame:
    """A table of items whose id is named as such, with these fields beside all its own columns."""
    return items.rename({item: "item_id"}).with_columns(
        **{name: pl.col(f) if isinstance(f, str) else f for name, f in fields.items()}
    )


def words(column: str) -> pl.Expr:
    """A column as text without white space around it, null where blank."""
    text = pl.col(column).cast(pl.String).str.strip_chars()
    return pl.when(text != "").then(text)
