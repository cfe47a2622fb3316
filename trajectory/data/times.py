"""Times of a source, in whatever unit, as unix seconds. Times that name no zone are taken as UTC wall clock."""

from __future__ import annotations

import polars as pl

from trajectory.data.values import texts
from trajectory.schema import UserError

DAY = 86_400  # seconds
WEEK = 7 * DAY
MONDAY = 4 * DAY  # 1970-01-05, the first one
UNITS = ("auto", "s", "ms", "us", "text", "datetime")
STEP = "step"  # the unit of a "time" that only counts steps: an order, no clock
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_FORMATS = (
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%d",
    "%Y-%m-%d %H:%M",
    "%Y%m%d",
    "%Y%m%d%H%M%S",
    "%Y%m%d %H:%M:%S",
    "%y%m%d",
)
_ZONE = r":\d+(?:\.\d+)?\s*(Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)$"
_DATED = r"^\d{4}\s*[-/年]"
_EXPECTED = "expected unix seconds, milliseconds or microseconds, or ISO text such as 2024-05-31 13:45:00"


def read_times(column: pl.Series, unit: str = "auto") -> tuple[pl.Series, str]:
    """Int64 unix seconds (null where missing or unreadable) and the unit found: s, ms, us, ns, text, datetime or step.

    "step" (small numbers such as 0, 1, 2: the values returned are whole steps, no seconds) is only ever found, never
    asked for. UserError if `unit` does not fit the column, or if not one of its values can be read.
    """
    if unit not in UNITS:
        raise UserError(f"data.time_unit={unit!r} is unknown; expected one of {', '.join(UNITS)}")
    if column.dtype in (pl.Date, pl.Datetime):
        if unit not in ("auto", "datetime"):
            raise UserError(f"data.time_unit={unit!r}, but column {column.name!r} holds datetimes; set it to auto")
        return column.cast(pl.Datetime("us")).dt.timestamp("us") // 10**6, "datetime"
    if unit == "datetime" or not (column.dtype.is_numeric() or column.dtype in (pl.String, pl.Null)):
        raise UserError(f"time column {column.name!r} holds {column.dtype}; {_EXPECTED}; set data.time_unit to match")
    text = texts(column) if column.dtype != pl.Null and not column.dtype.is_numeric() else None
    number = column if text is None else text.cast(pl.Float64, strict=False)
    given = number if text is None else text
    if unit == "auto":
        dated = 0 if text is None else int(text.str.contains(_DATED).sum())
        unit = "text" if dated > number.count() else _unit(number)
    seconds = _of_text(texts(given)) if unit == "text" else _of_number(number, unit)
    if seconds.null_count() == len(seconds) > given.null_count():
        raise UserError(
            f"not one time in column {column.name!r} can be read, for example {given.drop_nulls()[0]!r}; "
            f"{_EXPECTED}; rewrite the column or set data.time_unit"
        )
    return seconds.alias(column.name), unit


def _unit(number: pl.Series) -> str:
    number = number.filter(number.is_finite())
    median, least = number.median(), number.min()
    if not isinstance(median, int | float):
        return "s"
    if 19_000_101 <= median <= 21_001_231 or 19_000_101_000_000 <= median <= 21_001_231_235_959:
        return "text"  # digits of a calendar date: 20240531 or 20240531134500
    if median < 10**7 and isinstance(least, int | float) and least >= 0:
        return STEP
    size = abs(median)  # 10^11 s is the year 5138, 10^11 ms is 1973: the units do not overlap
    return "s" if size < 10**11 else "ms" if size < 10**14 else "us" if size < 10**17 else "ns"


def _of_number(number: pl.Series, unit: str) -> pl.Series:
    if unit == STEP:
        whole = number.dtype.is_integer() or bool((number == number.round()).all())
        return (number if whole else number.rank("dense")).cast(pl.Int64, strict=False)
    if number.dtype.is_integer():
        return number.cast(pl.Int64, strict=False) // _PER_SECOND[unit]
    return (number.cast(pl.Float64) / _PER_SECOND[unit]).floor().cast(pl.Int64, strict=False)


def _of_text(text: pl.Series) -> pl.Series:
    if text.str.contains("年", literal=True).any():
        text = text.str.replace_all(r"[年月]", "-").str.replace_all(r"日\s*", " ")
        text = text.str.replace_all(r"[时点分]", ":").str.replace_all("秒", "").str.strip_chars(" :")
    text = text.str.replace_all("/", "-", literal=True).str.replace(r"(\d)T(\d)", "$1 $2")
    zone = text.str.extract(_ZONE)
    if zone.count():
        text = text.str.replace(r"\s*(Z|UTC|GMT|[+-]\d{2}(:?\d{2})?)$", "").zip_with(zone.is_not_null(), text)
    moment = pl.Series(text.name, [None], pl.Datetime("us")).new_from_index(0, len(text))
    for form in _FORMATS:
        left = text.set(moment.is_not_null(), None)
        if not left.count():
            break
        moment = moment.zip_with(moment.is_not_null(), left.str.to_datetime(form, time_unit="us", strict=False))
    seconds = moment.dt.timestamp("us") // 10**6
    return seconds - _offset(zone) if zone.count() else seconds


def _offset(zone: pl.Series) -> pl.Series:
    """Seconds east of UTC of "Z", "+0800", "-05:30", "+09"; 0 where null."""
    part = {name: zone.str.extract(regex).cast(pl.Int64) for name, regex in _OFFSET_PARTS.items()}
    size = part["hours"].fill_null(0) * 3600 + part["minutes"].fill_null(0) * 60
    return size.zip_with(~zone.str.starts_with("-").fill_null(False), -size)


_OFFSET_PARTS = {"hours": r"^[+-](\d{2})", "minutes": r"^[+-]\d{2}:?(\d{2})$"}
