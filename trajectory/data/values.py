"""Cells of a source column -> text, ids, numbers. Blank text counts as missing everywhere."""

from __future__ import annotations

import polars as pl

_WHOLE = r"^-?(?:0|[1-9]\d{0,17})(?:\.0)?$"  # leading zeros are kept apart: "007" is not 7


def texts(column: pl.Series) -> pl.Series:
    """String, without surrounding white space; null where blank."""
    if column.dtype == pl.Null or column.dtype.is_nested():
        return column.is_null().replace_strict({True: None, False: "(nested)"}, return_dtype=pl.String)
    stripped = column.cast(pl.String, strict=False).str.strip_chars()
    return stripped.set(stripped == "", None)


def ids(column: pl.Series) -> pl.Series:
    """Integers stay integers (whole floats become some: tables with gaps hold such); all else is text."""
    if column.dtype.is_integer():
        return column
    if column.dtype.is_float():
        column = column.fill_nan(None)
        return column.cast(pl.Int64) if (column == column.round()).all() and column.is_finite().all() else texts(column)
    return texts(column)


def whole_numbers(column: pl.Series) -> pl.Series:
    """A text column as Int64 if every cell that is not blank is a whole number ("12" or "12.0"), else unchanged."""
    if not column.head(1000).str.strip_chars().str.contains(_WHOLE + "|^$").all():
        return column  # a cheap look first: most text columns end here
    text = texts(column)
    if text.null_count() == len(text) or not text.str.contains(_WHOLE).all():
        return column
    return text.str.strip_suffix(".0").cast(pl.Int64)


def numbers(column: pl.Series) -> pl.Series:
    """Float64; null where blank, NaN where the cell is no number."""
    if column.dtype.is_numeric() or column.dtype == pl.Boolean:
        return column.cast(pl.Float64)
    text = texts(column)
    number = text.cast(pl.Float64, strict=False)
    return number.set(number.is_null() & text.is_not_null(), float("nan"))


def labels(column: pl.Series) -> pl.Series:
    """Int8: 0, 1, null where blank, -1 where the cell is neither."""
    number = numbers(column)
    return number.set(~number.is_in([0.0, 1.0]), -1.0).cast(pl.Int8)


def mostly_numeric(column: pl.Series) -> bool:
    """Whether at least half of the cells that are not blank are numbers, and there are some."""
    if column.dtype.is_numeric():
        return True
    if column.dtype != pl.String:
        return False
    number = numbers(column).drop_nulls()
    return len(number) > 0 and 2 * int(number.is_not_nan().sum()) >= len(number)
