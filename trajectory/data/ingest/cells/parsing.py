"""Cells of a source column -> text, names, ids, numbers. Blank text counts as missing everywhere."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable

import polars as pl

from trajectory.data.ingest.cells.distinct import distinct_texts
from trajectory.data.ingest.findings import Findings
from trajectory.schema import UserError

NAME_LENGTH = 200  # characters of a name (title, category, type of event) that are kept
_ID_LENGTH = 300  # of an id; a longer one keeps its beginning and a hash
ROUNDED = r"^\d[.,]\d+[eE]\+\d+$"  # whole numbers that a spreadsheet has shortened
# Lists and objects that are written as text: {"id": 7}, [1, 2], "Product ID: 7, Product Qty: 1".
OBJECTS = r"""^\[?\s*\{\s*["']?|^\[\s*["'\d]|^[^:,|;]{1,40}: [^:]*[,|;] *[^:,|;]{1,40}: """
_CALENDAR = 2**37  # seconds, some four thousand years
_PER_SECOND = {"ms": 10**3, "us": 10**6, "ns": 10**9}
_WHOLE = r"^-?(?:0|[1-9][0-9]{0,17})(?:\.0+)?$"  # leading zeros are kept apart: "007" is not 7
_THOUSANDS = r"^-?[1-9][0-9]{0,2}\.000$"
_YES = ("1", "1.0", "true", "t", "yes", "y", "x", "ja", "j", "oui", "si", "sí", "sim", "sì", "tak", "да", "是")
_ENTITY = (
    r"&(?:amp|lt|gt|quot|apos|nbsp|#\d{1,6}|#x[0-9a-fA-F]{1,5}|[A-Za-z]{1,2}(?:uml|acute|grave|circ|tilde|cedil|lig));"
)
_ZEROS = (0x660, 0x6F0, 0x966, 0x9E6, 0xE50)  # of Arabic, Persian, Hindi, Bengali and Thai
_DIGITS = {chr(zero + i): str(i) for zero in _ZEROS for i in range(10)} | {"٫": ".", "٬": ""}
_NO = ("0", "0.0", "false", "f", "no", "n", "nein", "non", "nee", "não", "nie", "нет", "否")
# Control characters, marks that turn the direction of writing, zero-width spaces, the byte order mark.
_UNSEEN = (
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x{9f}\x{200b}\x{200e}\x{200f}\x{202a}-\x{202e}\x{2060}\x{2066}-\x{2069}\x{feff}]"
)


def is_text(column: pl.Series) -> bool:
    """Whether cells are texts, of whatever type."""
    return isinstance(column.dtype, pl.String | pl.Categorical | pl.Enum)


def blank(column: pl.Series) -> pl.Series:
    """Boolean: cells that hold nothing, or white space alone."""
    if column.dtype == pl.String:
        return column.is_null() | (column.str.strip_chars() == "").fill_null(True)
    return column.is_null()


def texts(column: pl.Series) -> pl.Series:
    """String, without surrounding white space; null where blank. What is nested becomes its JSON text."""
    if column.dtype.is_nested():
        cells = [
            None if cell is None else json.dumps(cell, ensure_ascii=False, default=str) for cell in column.to_list()
        ]
        return pl.Series(column.name, cells, pl.String)
    if column.dtype == pl.Binary:
        column = pl.Series(column.name, _decoded(column.to_list()), pl.String)
    if column.dtype == pl.Datetime:
        column = _dates(column)
    elif column.dtype == pl.Duration:
        column = column.to_physical()
    stripped = column.cast(pl.String, strict=False).str.strip_chars()
    return stripped.set(stripped == "", None)


def names(column: pl.Series, said: Findings | None = None) -> pl.Series:
    """Texts for people to read: without control characters, marks of direction and codes of HTML ("&amp;"), at most
    `NAME_LENGTH` long.
    """
    text = _seen(texts(column), said)
    if (escaped := text.str.contains(_ENTITY)).any():
        text = text.zip_with(~escaped.fill_null(False), text.map_elements(html.unescape, pl.String))
    long = text.str.len_chars() > NAME_LENGTH
    if long.any():
        if said:
            said.note("names", f"{int(long.sum()):,} in {column.name} are clipped to {NAME_LENGTH} characters")
        text = (text.str.slice(0, NAME_LENGTH - 1) + "…").zip_with(long.fill_null(False), text)
    return text


def ids(column: pl.Series, said: Findings | None = None) -> pl.Series:
    """Integers stay integers (whole floats become some: tables with gaps hold such); all else is text.

    Of text, "1000.0" is "1000"; unseen characters are no part of an id. UserError for ids that are lists or records.
    """
    if column.dtype.is_nested():
        example = json.dumps(column.drop_nulls().head(1).to_list(), ensure_ascii=False, default=str)[1:-1][:80]
        raise UserError(
            f"column {column.name!r} holds lists or records, such as {example}, where one id is expected; "
            "write one row per id, or name another column in data.columns"
        )
    if column.dtype.is_integer():
        return column
    if column.dtype.is_float() or column.dtype.is_decimal():
        number = column.cast(pl.Float64).fill_nan(None)
        if (number == number.round()).all() and (number.abs() < 2**53).all():
            return number.cast(pl.Int64)
        return texts(column.fill_nan(None) if column.dtype.is_float() else column)
    text = _seen(texts(column), said)
    if (
        said
        and column.dtype == pl.Binary
        and text.drop_nulls().head(1).to_list() == _in_hex(column.drop_nulls().head(1))
    ):
        said.note("ids", f"{column.name} holds bytes that are no text: they are shown in hexadecimal")
    floats = text.str.contains(_WHOLE) & text.str.contains(".", literal=True)
    if floats.any():
        text = text.zip_with(~floats.fill_null(False), text.str.replace(r"\.0+$", ""))
        if said:
            said.note("ids", f"{int(floats.sum()):,} in {column.name} end in .0, which is left off: 7.0 is 7")
    rounded = text.str.contains(ROUNDED)
    if rounded.any() and said:
        what = f"{int(rounded.sum()):,} in {column.name} are numbers that a spreadsheet has rounded, such as"
        said.note("ids", f"{what} {text.filter(rounded)[0]}: export them as texts", warning=True)
    long = text.str.len_chars() > _ID_LENGTH
    if long.any():
        short = text.str.slice(0, NAME_LENGTH) + "…" + text.hash().cast(pl.String)
        text = short.zip_with(long.fill_null(False), text)
        if said:
            said.note("ids", f"{int(long.sum()):,} in {column.name} of more than {_ID_LENGTH} characters are shortened")
    return text


def whole_numbers(column: pl.Series) -> pl.Series:
    """A text column as Int64 if every cell that is not blank is a whole number ("12" or "12.0"), else unchanged.

    "12.000" is left as it is: it may be twelve thousand.
    """
    if isinstance(column.dtype, pl.Categorical):
        distinct, rows = distinct_texts(column)
        number = whole_numbers(distinct)
        return column if number.dtype == pl.String else number.gather(rows)
    if not column.head(1000).str.strip_chars().str.contains(_WHOLE + "|^$").all():
        return column  # a cheap look first: most text columns end here
    text = texts(column)
    if text.null_count() == len(text) or not text.str.contains(_WHOLE).all() or text.str.contains(_THOUSANDS).any():
        return column
    return text.str.replace(r"\.0+$", "").cast(pl.Int64)


def numbers(column: pl.Series) -> pl.Series:
    """Float64; null where blank, NaN where the cell is no number."""
    if column.dtype.is_numeric() or column.dtype == pl.Boolean:
        return column.cast(pl.Float64)
    if isinstance(column.dtype, pl.Categorical):
        distinct, rows = distinct_texts(column)
        return numbers(distinct).gather(rows)
    text = texts(column)
    number = text.cast(pl.Float64, strict=False)
    return number.set(number.is_null() & text.is_not_null(), float("nan"))


def positions(column: pl.Series) -> pl.Series:
    """Int64 that orders as the numbers of the column do; null where there is none."""
    number = column if column.dtype.is_integer() else numbers(column).fill_nan(None)
    if number.dtype.is_float() and not (number == number.round()).all():
        number = number.rank("dense")
    return number.cast(pl.Int64, strict=False)


def labels(column: pl.Series) -> pl.Series:
    """Int8: 0, 1, null where blank, -1 where the cell is neither."""
    number = numbers(column)
    return number.set(~number.is_in([0.0, 1.0]), -1.0).cast(pl.Int8)


def yes_or_no(column: pl.Series) -> pl.Series | None:
    """Boolean: where a cell is a yes; None if some are neither yes, no nor blank."""
    if column.dtype.is_nested():
        return None
    words = texts(column).str.to_lowercase()
    if not words.drop_nulls().is_in([*_YES, *_NO]).all():
        return None
    return words.is_in(_YES).fill_null(False)


def western_digits(text: pl.Series) -> pl.Series:
    """With digits of full width, Arabic, Persian, Hindi, Bengali and Thai as 0 to 9, and the marks between them."""
    return text.str.normalize("NFKC").str.replace_many(_DIGITS)


def mostly_numeric(column: pl.Series) -> bool:
    """Whether at least half of the cells that are not blank are numbers, and there are some."""
    if column.dtype.is_numeric():
        return True
    if not is_text(column):
        return False
    number = numbers(column).drop_nulls()
    return len(number) > 0 and 2 * int(number.is_not_nan().sum()) >= len(number)


def _seen(text: pl.Series, said: Findings | None) -> pl.Series:
    unseen = text.str.contains(_UNSEEN)
    if not unseen.any():
        return text
    if said:
        rows = int(unseen.sum())
        said.note("names", f"control, zero-width or direction characters are left out of {rows:,} cells of {text.name}")
    cleaned = text.str.replace_all(_UNSEEN, "").str.strip_chars()
    return cleaned.set(cleaned == "", None)


def _dates(column: pl.Series) -> pl.Series:
    """Texts of datetimes; the number that is stored where the calendar of the table library would stop the program."""
    stored = column.to_physical()
    within = (stored // _PER_SECOND[column.dtype.time_unit]).abs() < _CALENDAR  # type: ignore[attr-defined]
    dates = column.set(~within.fill_null(False), None)
    return dates.cast(pl.String).zip_with(within.fill_null(False), stored.cast(pl.String))


def _decoded(cells: list[bytes | None]) -> list[str | None]:
    """The texts that bytes hold, or all of a column in hexadecimal, where one cell holds no text to be read."""
    try:
        decoded = [None if cell is None else cell.decode() for cell in cells]
    except UnicodeDecodeError:
        decoded = []
    if decoded and all(text is None or text.isprintable() for text in decoded):
        return decoded
    return _in_hex(cells)


def _in_hex(cells: Iterable[bytes | None]) -> list[str | None]:
    return [None if cell is None else cell.hex() for cell in cells]
