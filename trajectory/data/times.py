"""Times of a source, in whatever unit, as unix seconds. Times that name no zone are taken as UTC wall clock."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import NamedTuple

import polars as pl

from trajectory.data.ingest.cells.dates import read_dates
from trajectory.data.ingest.cells.distinct import distinct_texts
from trajectory.data.ingest.cells.parsing import is_text, positions, texts
from trajectory.data.ingest.findings import Findings, clip
from trajectory.schema import UserError

DAY = 86_400  # seconds
WEEK = 7 * DAY
MONDAY = 4 * DAY  # 1970-01-05, the first one
UNITS = ("auto", "s", "ms", "us", "ns", "text", "datetime", "excel", "days")
UNZONED = "none named, taken as UTC"
STEP = "step"  # the unit of a "time" that only counts steps: an order, no clock
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_MICRO = 10**6
_SPREADSHEET = (36_526, 55_153)  # days since 1899-12-30 of the years 2000 to 2050
_EPOCHS = {"excel": 25_569, "days": 0}  # number of 1970-01-01 among days counted so
_DAYS = (10_957, 29_219)  # days since 1970 of the years 2000 to 2049, as R has them: none of a spreadsheet's after 1980
_DATE_NAME = r"(?i)date|datum|fecha|data\b|日期"
# Digits of a calendar: yyyymmdd, and with hours, minutes, seconds, thousandths. Also what a unix time may look like.
_CALENDAR = (
    r"^(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:(?:[01]\d|2[0-3])(?:[0-5]\d(?:[0-5]\d(?:\d{3})?)?)?)?$"
)
# The same with two digits for the year, where they would be no likely unix time.
_SHORT = r"^\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:(?:[01]\d|2[0-3])(?:[0-5]\d(?:[0-5]\d)?)?)?$"
_FIRST_SHOP = 20 * 365 * DAY
_SAMPLE = 10_000
_DATED = r"\d\s*[-/.年]\s*\w+\s*[-/.月]\s*\d|\d \w{3}[a-z]* \d{4}|[A-Za-z]{3} \d{1,2}|\d[T ]\d{2}:\d{2}"
_EXPECTED = "expected unix seconds, milliseconds or microseconds, or a date such as 2024-05-31 13:45:00"


class Times(NamedTuple):
    """Times of a column. `unit`: one of `UNITS` that was found, or step: then `seconds` holds steps, no seconds."""

    seconds: pl.Series  # Int64, unix; null where missing or unreadable
    subsecond: pl.Series | None  # Int32, microseconds beyond it; None if all are 0
    unit: str
    zone: str  # what was understood of it, "" for steps


def read_times(column: pl.Series, unit: str = "auto") -> tuple[pl.Series, str]:
    """The whole seconds and the unit of `times_of`, for tables whose order within a second means nothing."""
    times = times_of(column, unit, "auto", Findings())
    return times.seconds, times.unit


def times_of(column: pl.Series, unit: str, day_first: str, said: Findings) -> Times:
    """Reads a column of times. "step" (small numbers such as 0, 1, 2) is only ever found, never asked for.

    UserError if `unit` does not fit the column, if not one of its values can be read, or if nothing tells whether day
    or month comes first.
    """
    if unit not in UNITS:
        raise UserError(f"data.time_unit={unit!r} is unknown; expected one of {', '.join(UNITS)}")
    if column.dtype in (pl.Date, pl.Datetime):
        if unit not in ("auto", "datetime"):
            raise UserError(f"data.time_unit={unit!r}, but column {column.name!r} holds datetimes; set it to auto")
        return _of_datetime(column)
    if unit == "datetime" or not (column.dtype.is_numeric() or is_text(column) or column.dtype == pl.Null):
        raise UserError(f"time column {column.name!r} holds {column.dtype}; {_EXPECTED}; set data.time_unit to match")
    if isinstance(column.dtype, pl.Categorical):
        distinct, rows = distinct_texts(column)
        times = times_of(distinct, unit, day_first, said)
        beyond = None if times.subsecond is None else times.subsecond.gather(rows)
        return times._replace(seconds=times.seconds.gather(rows), subsecond=beyond)
    text = None if column.dtype.is_numeric() else texts(column)
    number = column if text is None else _numbers(text)
    given = number if text is None else text
    if unit == "auto":
        sample = None if text is None else text.gather_every(len(text) // _SAMPLE + 1)
        dated = sample is not None and sample.str.contains(_DATED).sum() > sample.cast(pl.Float64, strict=False).count()
        dated = dated or (number.count() == 0 < given.count())
        unit = "text" if dated else _counted_days(number) or _unit(number)
    if unit == STEP:
        return Times(positions(number), None, unit, "")
    if unit == "text":
        dates = read_dates(texts(given if text is not None else _digits(number)), day_first, said)
        seconds, micros, zone = dates.moment // _MICRO, dates.moment % _MICRO, _zone(dates.zoned, dates.moment)
    else:
        seconds, micros = _of_number(_whole(text, number), unit)
        zone = UNZONED if unit in _EPOCHS else "UTC"
    if seconds.null_count() == len(seconds) > given.null_count():
        raise UserError(
            f"not one time in column {column.name!r} can be read, for example {clip(str(given.drop_nulls()[0]))!r}; "
            f"{_EXPECTED}; rewrite the column, or set data.time_unit or data.columns.time"
        )
    return Times(seconds.alias(column.name), _beyond(micros), unit, zone)


def day_text(seconds: int) -> str:
    """The date of a unix time, or the number itself where the calendar ends."""
    try:
        return datetime.fromtimestamp(seconds, UTC).date().isoformat()
    except (ValueError, OverflowError, OSError):
        return str(seconds)


def _of_datetime(column: pl.Series) -> Times:
    # From the stored numbers: the calendar of the table library ends before they do.
    stored = column.to_physical().cast(pl.Int64)
    if column.dtype == pl.Date:
        return Times(stored * DAY, None, "datetime", UNZONED)
    per = _PER_SECOND[column.dtype.time_unit]  # type: ignore[attr-defined]
    zone = column.dtype.time_zone  # type: ignore[attr-defined]
    known = ("named" if zone == "UTC" else f"named: {zone}") if zone else UNZONED
    return Times(stored // per, _beyond(stored % per * _MICRO // per), "datetime", known)


def _unit(number: pl.Series) -> str:
    number = number.filter(number.is_finite()) if number.dtype.is_float() else number.drop_nulls()
    median, least = number.median(), number.min()
    if median is None or least is None:
        return "s"
    median, least = float(median), float(least)  # type: ignore[arg-type]
    if _is_calendar(number, median):
        return "text"
    if median < 10**7 and least >= 0:
        return STEP
    size = abs(median)  # 10^11 s is the year 5138, 10^11 ms is 1973: the units do not overlap
    return "s" if size < 10**11 else "ms" if size < 10**14 else "us" if size < 10**17 else "ns"


def _counted_days(number: pl.Series) -> str:
    """Of a column called a date, "excel" for days that a spreadsheet counts, "days" for those since 1970, else ""."""
    known = number.drop_nulls()
    if known.is_empty() or not re.search(_DATE_NAME, number.name):
        return ""
    if known.is_between(*_SPREADSHEET).all():
        return "excel"
    return "days" if known.is_between(*_DAYS).all() and (known == known.round()).all() else ""


def _is_calendar(number: pl.Series, median: float) -> bool:
    """Whether the numbers are digits of dates, such as 20240531, 202405311345 or 240531."""
    length, now = len(str(int(abs(median)))), datetime.now(UTC).timestamp()
    sample = _digits(number.head(_SAMPLE))
    if length in (8, 10, 12, 14, 17) and (length != 10 or median > now + DAY):
        # Ten digits were seconds since 1970 until now.
        fits = sample.str.contains(_CALENDAR) & (sample.str.len_chars() == length)
        if 2 * int(fits.sum()) > len(sample):
            return True
    unix = median / (1000 if length == 12 else 1)
    if length in (6, 8, 10, 12) and not _FIRST_SHOP < unix < now + DAY:
        return bool(sample.str.zfill(length).str.contains(_SHORT).all()) and sample.n_unique() > 1
    return False


def _numbers(text: pl.Series) -> pl.Series:
    """The numbers of texts; a spreadsheet may write the fraction of a day behind a comma, 44932,171424."""
    comma = text.str.contains(r"^\d{4,6},\d+$")
    plain = text.str.replace(",", ".", literal=True) if comma.any() else text
    return text.zip_with(~comma.fill_null(False), plain).cast(pl.Float64, strict=False)


def _digits(number: pl.Series) -> pl.Series:
    return number.cast(pl.Int64, strict=False).cast(pl.String)


def _whole(text: pl.Series | None, number: pl.Series) -> pl.Series:
    """The numbers as integers if they are, in full: microseconds have more digits than floats hold."""
    if text is None:
        return number
    whole = text.cast(pl.Int64, strict=False)
    return whole if whole.null_count() == number.null_count() else number


def _of_number(number: pl.Series, unit: str) -> tuple[pl.Series, pl.Series]:
    if unit in _EPOCHS:
        # To the second: a day's fraction has no more digits.
        seconds = ((number.cast(pl.Float64) - _EPOCHS[unit]) * DAY).round().cast(pl.Int64, strict=False)
        return seconds, seconds * 0
    per = _PER_SECOND[unit]
    if number.dtype.is_integer():
        whole = number.cast(pl.Int64, strict=False)
        return whole // per, whole % per * _MICRO // per
    micros = (number.cast(pl.Float64) * (_MICRO / per)).round().cast(pl.Int64, strict=False)
    return micros // _MICRO, micros % _MICRO


def _beyond(micros: pl.Series) -> pl.Series | None:
    """The parts of seconds where there are any."""
    return micros.fill_null(0).cast(pl.Int32).alias("subsecond") if (micros != 0).any() else None


def _zone(zoned: pl.Series, moment: pl.Series) -> str:
    known, named = int(moment.count()), int((zoned & moment.is_not_null()).sum())
    if not named:
        return UNZONED
    return "named" if named == known else f"named in {named:,} of {known:,} texts, else UTC"
