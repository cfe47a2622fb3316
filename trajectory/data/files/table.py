"""The one door for files: a log, an item table or a file beside them -> a table in its own columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl
from ml_collections import ConfigDict

from trajectory.data.files import columnar, delimited, json_text
from trajectory.data.files.dialect import Dialect, HeaderMissing, detect_dialect
from trajectory.data.files.encodings import by_first_bytes
from trajectory.data.files.files import Part, existing, opened, parts_of
from trajectory.data.files.lines import SAMPLE, Text
from trajectory.data.files.stack import Keep, Stack
from trajectory.data.ingest.columns.detect import plain
from trajectory.schema import UserError

_SHOWN = 5
# First bytes of files that are no log, and what to do.
_FOREIGN = {
    b"\xd0\xcf\x11\xe0": "an old Excel or other office file; save its sheet as CSV (UTF-8)",
    b"PK\x03\x04": "a zip or Excel file that is not read here; unpack it, or save its sheet as CSV (UTF-8)",
    b"version https://git-lfs": "a pointer of Git LFS, not the file itself; fetch it with git lfs pull",
    b"<": "an XML or HTML file; save the table as CSV (UTF-8)",
    b"SQLite format 3": "an SQLite database; export its table as CSV or Parquet",
    b"Obj\x01": "an Avro file; write it as Parquet",
    b"ORC": "an ORC file; write it as Parquet",
    b"\x89HDF": "an HDF5 file; write its table as Parquet",
    b"\x80\x04": "a pickle, which is not read because it may hold code; write the table as Parquet",
    b"\x80\x05": "a pickle, which is not read because it may hold code; write the table as Parquet",
    b"\x93NUMPY": "a NumPy array; write a table as CSV or Parquet",
    b"%PDF": "a PDF; save the table as CSV",
    b"7z\xbc\xaf": "a 7z archive; unpack it first",
    b"Rar!": "a RAR archive; unpack it first",
}


@dataclass(frozen=True)
class Layout:
    """What is known beforehand of how a text file is written; "" and () = found out."""

    separator: str = ""
    encoding: str = ""
    header: tuple[str, ...] = ()

    @classmethod
    def of(cls, data: ConfigDict) -> Layout:
        """As `config.data` has it."""
        return cls(data.separator, data.encoding, tuple(data.header))


@dataclass(frozen=True)
class RawTable:
    """A table as it was found. Text cells are String, of large files Categorical where they repeat; whole numbers of
    text files are Int64. `malformed`: the text of rows whose cells cannot be told apart, null elsewhere; None if there
    are none. `files`: of each row the file it is from (Categorical), None if there is but one. `notes`: what had to be
    decided, as sentences. `origin`: what was read, to be shown.
    """

    table: pl.DataFrame
    malformed: pl.Series | None
    files: pl.Series | None
    notes: tuple[str, ...]
    origin: str


@dataclass(frozen=True)
class FileHead:
    """What a file is, by its beginning. `rows`: first rows of a text file. No names: its first line is data."""

    part: Part
    kind: str  # parquet | arrow | json | text | empty
    names: tuple[str, ...] = ()
    dialect: Dialect | None = None
    missing: HeaderMissing | None = None

    @property
    def columns(self) -> frozenset[str]:
        """What its columns are called, but for order, case, blanks, "_" and "-", unless only these tell them apart."""
        columns = frozenset(map(plain, self.names))
        return columns if len(columns) == len(self.names) else frozenset(self.names)


def read_table(
    path: Path | str,
    layout: Layout | None = None,
    *,
    keep: Keep | None = None,
    setting: str = "data.source",
    hint: str = "",
) -> RawTable:
    """Reads a file, or all files of a folder or zip file as parts of one table.

    `keep`: names of columns -> those to keep in memory. `setting`: what named the path, and `hint`: what to do about a
    file without a header line, both for messages. UserError for whatever cannot be read, in one sentence.
    """
    layout = layout or Layout()
    return read_parts(look_at(parts_of(existing(path, setting)), layout, hint), layout, keep, str(path))


def look_at(parts: Sequence[Part], layout: Layout, hint: str = "") -> list[FileHead]:
    """What each of some files is; those without a header line have names where another one lends its own."""
    looks = [read_head(part, layout, hint) for part in parts]
    headers = {head.names for head in looks if head.dialect and head.names}
    if len(headers) == 1:
        names = headers.pop()
        for i, head in enumerate(looks):
            if head.missing and len(head.missing.cells) == len(names):
                looks[i] = read_head(head.part, replace(layout, header=names), hint)
    return looks


def read_head(part: Part, layout: Layout, hint: str = "") -> FileHead:
    """What a file is. A text file that begins with data has no names, and the error that says so."""
    with opened(part) as (stream, _):
        head = stream.peek(512)[:512] if hasattr(stream, "peek") else b""
    if not head:
        return FileHead(part, "empty")
    for magic, kind in ((b"PAR1", "parquet"), (b"ARROW1", "arrow")):
        if head.startswith(magic):
            return FileHead(part, kind, tuple(columnar.names(part, kind == "arrow")))
    for magic, what in _FOREIGN.items():
        if head.startswith(magic):
            raise UserError(f"{part.name} is {what}")
    if head[257:262] == b"ustar":
        raise UserError(f"{part.name} is a tar archive; unpack it first")
    if part.file.endswith(".parquet"):
        raise UserError(f"{part.name} is damaged or no Parquet file: it does not begin as one; fetch or write it again")
    control = sum(byte < 32 and byte not in b"\t\n\r\f\x01\x1f" for byte in head)
    if control > 0.05 * len(head) and not by_first_bytes(head):
        raise UserError(f"{part.name} is neither text (CSV, JSON) nor Parquet; expected one of these")
    sample = next(Text(part, layout.encoding).blocks(SAMPLE), b"").decode()
    if json_text.is_json(sample):
        return FileHead(part, "json", tuple(json_text.names(sample, part.name)))
    try:
        dialect = detect_dialect(sample, part.name, layout.separator, layout.header, hint)
    except HeaderMissing as error:
        return FileHead(part, "text", missing=error)
    return FileHead(part, "text", dialect.names, dialect)


def read_parts(looks: Sequence[FileHead], layout: Layout, keep: Keep | None, origin: str) -> RawTable:
    """The rows of all files that are not empty, one after the other. UserError if their columns differ."""
    notes = [f"left out, empty: {head.part.name}" for head in looks if head.kind == "empty"]
    looks = [head for head in looks if head.kind != "empty"]
    if not looks:
        raise UserError(f"{origin} is empty (0 bytes); expected a table, as CSV, JSON Lines or Parquet")
    for head in looks:
        if head.missing:
            raise head.missing
        if head.columns != looks[0].columns and head.kind != "json":
            raise UserError(
                f"{head.part.name} has other columns than {looks[0].part.name}: {first_names(head.names)}, not "
                f"{first_names(looks[0].names)}; name the file that is the log"
            )
    numbers = all(head.kind == "text" for head in looks)
    stack, malformed, rows = Stack(origin, numbers), dict[int, str](), list[int]()
    called = {plain(name): name for name in looks[0].names}
    for head in looks:
        rows.append(0)
        alike = head.columns == looks[0].columns and {*head.names} != {*looks[0].names}
        same = {name: called[plain(name)] for name in head.names if alike and name not in looks[0].names}
        if same:
            notes.append(f"{head.part.name}: {first_names([*same])} are taken for {first_names([*same.values()])}")
        for table, bad in _blocks(head, layout, keep, notes):
            malformed |= {sum(rows) + row: text for row, text in bad.items()}
            rows[-1] += table.height
            table = table.rename({name: same[name] for name in table.columns if name in same})
            stack.add(table.with_columns(pl.lit(value).alias(key) for key, value in head.part.keys))
    table, files = stack.table(), None
    if len(looks) > 1:
        names = [head.part.name.removeprefix(f"{origin}/") for head in looks]
        notes.append(f"read {len(looks)} files: {first_names(names)}")
        files = file_numbers(names, rows)
    return RawTable(table, _texts(malformed, table.height), files, tuple(dict.fromkeys(notes)), origin)


def _blocks(
    head: FileHead, layout: Layout, keep: Keep | None, notes: list[str]
) -> Iterator[tuple[pl.DataFrame, dict[int, str]]]:
    if head.kind in ("parquet", "arrow"):
        yield from ((table, {}) for table in columnar.blocks(head.part, head.kind == "arrow", keep))
        return
    text = Text(head.part, layout.encoding)
    if head.kind == "json":
        for table, bad in json_text.blocks(text):
            yield table.select(columnar.wanted(table.columns, keep)), bad
    elif head.dialect:
        notes += head.dialect.notes
        blank = 0
        for table, bad in delimited.blocks(text, head.dialect, keep):
            if keep is None:
                table, bad, rows = delimited.without_blank(table, bad)
                blank += rows
            yield table, bad
        if blank:
            notes.append(f"{head.part.name}: {blank:,} lines of separators alone are left out, as blank lines are")
    notes += text.notes


def _texts(malformed: dict[int, str], rows: int) -> pl.Series | None:
    if not malformed:
        return None
    where = pl.DataFrame(
        {"row": list(malformed), "line": list(malformed.values())}, {"row": pl.Int64, "line": pl.String}
    )
    numbered = pl.DataFrame({"row": pl.int_range(rows, eager=True)})
    return numbered.join(where, on="row", how="left", maintain_order="left")["line"]


def file_numbers(names: Sequence[str], rows: list[int]) -> pl.Series:
    """Of each row the file it is from, of files with these names and so many rows."""
    number = [pl.Series([i], dtype=pl.UInt32).new_from_index(0, count) for i, count in enumerate(rows)]
    return pl.Series(names, dtype=pl.Categorical).gather(pl.concat(number)).alias("file")


def first_names(names: Sequence[str]) -> str:
    """The first names, and how many there are."""
    return ", ".join(names[:_SHOWN]) + (f", ... ({len(names)})" if len(names) > _SHOWN else "")
