"""CSV text -> a table and, beside it, the rows that have too many or too few fields."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from trajectory.data.values import whole_numbers
from trajectory.schema import UserError

_DELIMITERS = ",;\t|"


def read_csv(content: Path | bytes, name: str) -> tuple[pl.DataFrame, pl.Series | None]:
    """The table, and the raw text of each malformed row (null elsewhere; None if there is no such row).

    The first line names the columns; blank lines are no rows; cells of a malformed row are null. Columns of whole
    numbers become Int64, all others stay text. UserError if the content is empty or is not UTF-8.
    """
    first = _first_line(content, name)
    delimiter = max(_DELIMITERS, key=first.count)
    header = _distinct(next(csv.reader([first], delimiter=delimiter)))
    try:
        result = _read_fast(content, header, delimiter)
    except pl.exceptions.ComputeError:
        if wrong := _encoding_error(content, name):
            raise wrong from None
        result = None  # quotes that only a patient reader makes sense of
    table, malformed = result or _read_slow(content, name, header, delimiter)
    return table.with_columns(whole_numbers(column) for column in table), malformed


def _read_fast(
    content: Path | bytes, header: list[str], delimiter: str
) -> tuple[pl.DataFrame, pl.Series | None] | None:
    """Vectorised; None where quotes run over several lines or stand within a field, so that lines are not rows."""
    line = pl.col("line")
    quoted = rf'(^|{_escaped(delimiter)})"(?:[^"]|"")*"'
    lines = pl.scan_lines(content if isinstance(content, Path) else io.BytesIO(content)).slice(1).with_row_index("row")
    bare = line.str.replace_all(quoted, "$1")
    marks = lines.with_columns(
        odd=bare.str.contains('"', literal=True),
        blank=line.str.strip_chars() == "",
        ragged=bare.str.count_matches(delimiter, literal=True) != len(header) - 1,
    )
    unusual = marks.filter(pl.any_horizontal("odd", "blank", "ragged")).collect(engine="streaming")
    if unusual["odd"].any():
        return None
    schema = dict.fromkeys(header, pl.String)
    table = pl.read_csv(
        content, has_header=False, skip_lines=1, separator=delimiter, schema=schema, truncate_ragged_lines=True
    )
    if unusual.is_empty():
        return table, None
    if table.height != lines.select(pl.len()).collect(engine="streaming").item():
        return None
    rows = table.select(pl.row_index("row"))
    marked = rows.join(unusual, on="row", how="left", maintain_order="left")
    keep = ~marked["blank"].fill_null(False)
    table, marked = table.filter(keep), marked.filter(keep)
    malformed = marked["line"].str.strip_chars_end("\r")
    return (
        (table.with_columns(pl.when(malformed.is_null()).then(pl.all())), malformed)
        if malformed.count()
        else (table, None)
    )


def _read_slow(
    content: Path | bytes, name: str, header: list[str], delimiter: str
) -> tuple[pl.DataFrame, pl.Series | None]:
    """Row by row with Python's csv module: exact about quotes, ten times slower."""
    text = (content.read_bytes() if isinstance(content, Path) else content).decode("utf-8-sig")
    try:
        try:
            rows = list(_rows(text, delimiter, strict=True))
            paired = not any(len(fields) != len(header) and "\n" in "".join(fields) for fields in rows)
        except csv.Error:
            paired = False
        if not paired:
            # A stray quote would swallow line ends and with them rows: each line is a row, and quotes mean nothing.
            rows = list(_rows(text, delimiter, quoting=csv.QUOTE_NONE))
    except csv.Error as error:
        raise UserError(f"{name} cannot be read as CSV ({error}); save it again") from None
    good = [fields if len(fields) == len(header) else [None] * len(header) for fields in rows]
    raw = [None if len(fields) == len(header) else delimiter.join(fields) for fields in rows]
    table = pl.DataFrame(good, schema=dict.fromkeys(header, pl.String), orient="row")
    malformed = pl.Series("line", raw, pl.String)
    return table.with_columns(
        pl.when(pl.col(pl.String) != "").then(pl.col(pl.String))
    ), malformed if malformed.count() else None


def _rows(text: str, delimiter: str, **options: Any) -> Iterator[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, **options)
    next(reader)
    return (fields for fields in reader if len(fields) > 1 or "".join(fields).strip())


def _first_line(content: Path | bytes, name: str) -> str:
    if isinstance(content, Path):
        with content.open("rb") as file:
            line = file.readline()
    else:
        line = content.split(b"\n", 1)[0]
    try:
        text = line.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError:
        raise _encoding_error(content, name) or UserError(f"{name} is not UTF-8 text") from None
    if not text.strip():
        raise UserError(f"{name} begins with an empty line; expected a CSV file whose first line names the columns")
    if "\0" in text:
        raise UserError(f"{name} is neither CSV text nor Parquet; expected one of these")
    return text


def _encoding_error(content: Path | bytes, name: str) -> UserError | None:
    """Names the first line that is not UTF-8; looked for only once reading has failed."""
    data = content.read_bytes() if isinstance(content, Path) else content
    try:
        data.decode("utf-8")
        return None
    except UnicodeDecodeError as error:
        where, byte = data.count(b"\n", 0, error.start) + 1, data[error.start]
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        guess = "; it looks like UTF-16"
    else:
        try:
            data.decode("gb18030")
            guess = "; it may be GBK, as Chinese Excel writes it"
        except UnicodeDecodeError:
            guess = ""
    return UserError(f"{name} is not UTF-8 (line {where}, byte 0x{byte:02x}){guess}; save it again as UTF-8")


def _distinct(names: list[str]) -> list[str]:
    """Names of columns, each once: a repeated one gets a number."""
    seen: dict[str, int] = {}
    result = []
    for name in map(str.strip, names):
        seen[name] = seen.get(name, 0) + 1
        result.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    return result


def _escaped(delimiter: str) -> str:
    return {"|": r"\|", "\t": r"\t"}.get(delimiter, delimiter)
