"""Which columns of a log hold its time: one, or a date beside a clock, or year, month and day; by name or content."""

from __future__ import annotations

import re
from collections.abc import Iterable

import polars as pl

from trajectory.data.ingest.cells.dates import read_dates
from trajectory.data.ingest.cells.parsing import is_text, mostly_numeric, numbers, texts
from trajectory.data.ingest.columns.detect import JOINED, LOG_NAMES, NONE, matching, matching_within, plain
from trajectory.data.ingest.findings import Findings
from trajectory.data.times import DAY, STEP, times_of
from trajectory.schema import UserError

COUNTED = "days and seconds, counted"  # how a time was found that is an order only
_CLOCKS = (
    *("time", "time_of_day", "clock", "event_hour", "hour", "hh", "hour_of_day", "order_hour_of_day", "time_hour"),
    *("second_of_day", "seconds_of_day", "sec_of_day", "seconds", "second", "sec", "小时", "时刻"),
    *("trans_time", "tran_time", "transaction_time", "trx_time", "sale_time", "order_time", "purchase_time", "hhmm"),
    *("invoice_time", "ticket_time", "visit_time", "event_time", "uhrzeit", "heure", "hora"),
)
_CALENDAR = (("year", "yyyy", "年"), ("month", "mm", "月"), ("day", "day_of_month", "dd", "日"))
_HOURS, _SECONDS = ("hour", "hh", "小时"), ("sec",)  # in the names of columns
_CLOCK_TEXT = r"^\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?\s*(?:[AaPp]\.?[Mm]\.?)?$"
_HINT = r"(?i:time|date|stamp)|(?:[_.]|(?<=[a-z])(?=[A-Z]))(?i:ts|at)$|时间|日期"
# In the plain names of columns: times of what follows an event, of the user, the item or the record.
_LATER = (
    r"updat|modif|edit|chang|ship|deliver|dispatch|arriv|paid|pay(?!out)|due|birth|expir|valid|return|refund|cancel|clos|"
    r"complet|finish|process|sync|load|import|export|receiv|collect|ingest|etl|insert|registr|signup|joined|since|releas|"
    r"publi|launch|end|until|review|answer|estimat|limit|vencim|entrega|livraison|liefer|zahl|bezahl|versand|geander|"
    r"wyslan|wysyl|dostaw|platnos|anulow|zwrot|odeslan|doruc|teslim|kargo|iade|iptal|guncel|dikirim|diterima|batal|spediz|"
    r"consegna|envio|enviado|actualiz|atualiz|aggiorn|bijgewerkt|verzond|geleverd|geliefert|"
    + "|".join(
        map(
            plain,
            (
                *("отгруз", "достав", "оплат", "обновл", "возвр", "отмен", "заверш", "измен", "発送", "配送", "更新"),
                *("出荷", "入金", "취소", "배송", "수정", "发货", "收货", "退款"),
            ),
        )
    )
)
_SAMPLE = 1000
_MOSTLY = 0.9  # of the cells of a column that is a time by what it holds
_EARLIEST = 3650 * DAY  # smaller numbers are no unix times if something else can be the time
_FEW = 20  # rows below which nothing is concluded from what a column repeats


def find_time(
    table: pl.DataFrame, names: dict[str, str], by_hand: str, order: str, said: Findings
) -> tuple[pl.DataFrame, str, str]:
    """The table, with a column of joined texts where the time is in several; the time's column, and how it was found.

    `names` are the columns of the other fields. "" if the log has no time. UserError, which asks, where the columns
    could be read in two ways.
    """
    if by_hand == NONE:
        return table, "", ""
    if by_hand:
        parts = by_hand.split(JOINED)
        if by_hand in table.columns or len(parts) == 1:
            return table, by_hand, "set by hand"
        return _joined(table, parts, by_hand=True), by_hand, "set by hand"
    others = {name for field, name in names.items() if field != "time"}
    free = [name for name in table.columns if name not in others]
    named = matching(free, LOG_NAMES["time"])
    if not named and len(within := matching_within(free, LOG_NAMES["time"])) == 1:
        named = within
    holds = {name: _content(table[name]) for name in named}
    if moments := [name for name in named if holds[name] == "moment"]:
        return table, moments[0], "name"
    if dates := [name for name in named if holds[name] == "date"]:
        return _with_clock(table, dates[0], free, "name")
    calendar = [next(iter(matching(table.columns, part)), "") for part in _CALENDAR]
    if all(calendar):
        parts = [*calendar, *_numeric_clock(table, free)]
        return _joined(table, parts), JOINED.join(parts), "joined"
    counted = named and holds[named[0]] == "number"
    if counted and (clock := _numeric_clock(table, [name for name in free if name != named[0]])):
        # Days are only counted: an order, no calendar.
        seconds = numbers(table[named[0]]).fill_nan(None) * DAY + _seconds(table[clock[0]], by_hand=False)
        name = JOINED.join([named[0], clock[0]])
        return table.with_columns(seconds.cast(pl.Int64, strict=False).alias(name)), name, COUNTED
    if named and holds[named[0]] != "clock":
        return table, named[0], "name"
    name, how = _by_content(table, names, free, order, said)  # the date of a clock, too, may have any name
    if not name and named:
        return table, named[0], "name"
    if name and _content(table[name]) == "date":
        return _with_clock(table, name, free, how)
    return table, name, how


def _with_clock(table: pl.DataFrame, date: str, free: list[str], how: str) -> tuple[pl.DataFrame, str, str]:
    """The date joined with a time of day where another column holds one."""
    clock = _clock_beside(table, date, free)
    if not clock:
        return table, date, how
    parts = [date, *clock]
    return _joined(table, parts), JOINED.join(parts), "joined"


def _content(column: pl.Series) -> str:
    """What a column holds, by its first cells: moment, date, clock (a time of day), number (a small one), or ""."""
    if column.dtype == pl.Time:
        return "clock"
    sample = _sample(column)
    if sample.is_empty():
        return ""
    if sample.dtype == pl.String and 2 * int(texts(sample).str.contains(_CLOCK_TEXT).sum()) > len(sample):
        return "clock"
    if not (sample.dtype in (pl.Date, pl.Datetime, pl.String) or sample.dtype.is_numeric()):
        return ""
    try:
        times = times_of(sample, "auto", "yes", Findings())
        if times.seconds.count() < len(sample) / 2 and sample.dtype == pl.String:
            times = max(times, times_of(sample, "auto", "no", Findings()), key=lambda read: read.seconds.count())
    except UserError:
        return ""
    if times.unit == STEP or (times.unit == "s" and mostly_numeric(sample) and _median(times.seconds) < _EARLIEST):
        return "number"
    if 2 * times.seconds.count() < len(sample):
        return ""
    return "date" if times.subsecond is None and (times.seconds.drop_nulls() % DAY == 0).all() else "moment"


def _sample(column: pl.Series) -> pl.Series:
    sample = column.head(100 * _SAMPLE).drop_nulls()
    sample = (column.drop_nulls() if sample.is_empty() else sample).head(_SAMPLE)
    return texts(sample) if is_text(sample) else sample


def _median(seconds: pl.Series) -> float:
    median = seconds.median()
    return float(median) if isinstance(median, int | float) else 0.0


def _clock_beside(table: pl.DataFrame, date: str, free: list[str]) -> list[str]:
    """The columns that hold the time of day of a date. UserError where a number could be that or something else."""
    left = [name for name in free if name != date]
    clocks = [name for name in left if _content(table[name]) == "clock"]
    if clocks:
        return matching(clocks, _CLOCKS)[:1] or clocks[:1]
    if clock := _numeric_clock(table, left):
        return clock
    unclear = [name for name in matching(left, _CLOCKS) if _content(table[name]) == "number"]
    if unclear:
        name = unclear[0]
        raise UserError(
            f"column {date!r} holds dates and {name!r} numbers such as {texts(_sample(table[name]))[0]}: are these "
            f"the hour, or an order within the day? Set data.columns.time={date}+{name} (the hour), "
            f"data.columns.position={name} (an order), or data.columns.time={date} (neither)"
        )
    return []


def _numeric_clock(table: pl.DataFrame, free: list[str]) -> list[str]:
    """Columns of numbers that can only be a time of day: 1033, seconds of the day, an hour (with minutes, seconds)."""
    candidates = [name for name in matching(free, _CLOCKS) if mostly_numeric(table[name])]
    first = next((name for name in candidates if _clock_unit(table[name], by_hand=False)), "")
    if not first:
        return []
    if _clock_unit(table[first], by_hand=False) != "hour":
        return [first]
    minute = matching(free, ("minute", "minutes", "min", "分"))[:1]
    return [first, *minute, *(matching(free, ("second", "seconds", "sec", "秒"))[:1] if minute else [])]


def _clock_unit(column: pl.Series, by_hand: bool) -> str:
    """hhmm, hhmmss, second (of the day), hour, or "" where numbers do not tell. `by_hand`: a small one is an hour."""
    number = numbers(column).drop_nulls().drop_nans()
    if number.is_empty() or (number < 0).any() or not (number == number.round()).all():
        return ""
    top, plain = float(number.max()), column.name.lower()  # type: ignore[arg-type]
    if top <= 23 and (by_hand or any(word in plain for word in _HOURS)):
        return "hour"
    if top < DAY and any(word in plain for word in _SECONDS):
        return "second"
    minutes = number % 100 < 60
    if 100 <= top <= 2359 and minutes.all():
        return "hhmm"
    if 2359 < top <= 235_959 and minutes.all() and (number // 100 % 100 < 60).all():
        return "hhmmss"
    return "second" if 2359 < top < DAY else ""


def _joined(table: pl.DataFrame, parts: list[str], by_hand: bool = False) -> pl.DataFrame:
    """With a column, named like "date+time", of the texts of date and clock. UserError for parts that are not there."""
    for part in parts:
        if part not in table.columns:
            raise UserError(
                f"data.columns.time={JOINED.join(parts)!r}: {part!r} is not in the log, which has "
                f"{', '.join(table.columns[:30])}"
            )
    if len(parts) >= 3 and all(_content(table[part]) == "number" for part in parts[:3]):
        day = pl.concat_str(*(pl.lit(texts(_plain_number(table[part]))) for part in parts[:3]), separator="-")
        clocks = parts[3:]
    else:
        day, clocks = pl.lit(_date_text(table[parts[0]])), parts[1:]
    seconds = pl.lit(0)
    text = None
    for unit, name in zip((3600, 60, 1), clocks, strict=False):
        column = table[name]
        if column.dtype == pl.Time or (is_text(column) and not mostly_numeric(column)):
            text = pl.lit(column.cast(pl.String).str.strip_chars())
            break
        if len(clocks) == 1:
            seconds = pl.lit(_seconds(column, by_hand))
        else:
            seconds = seconds + pl.lit(numbers(column).fill_nan(None).fill_null(0)) * unit
    clock = text if text is not None else _clock_text(seconds.cast(pl.Int64))
    # Where the clock is not known the day is.
    joined = pl.concat_str(day, pl.lit(" ") + clock, ignore_nulls=True)
    name = JOINED.join(parts)
    return table.with_columns(pl.when(day.is_not_null()).then(joined).alias(name))


def _seconds(column: pl.Series, by_hand: bool) -> pl.Series:
    """Seconds of the day of a column of numbers."""
    number = numbers(column).fill_nan(None)
    unit = _clock_unit(column, by_hand)
    if unit == "hour":
        return number * 3600
    if unit == "hhmm":
        return number // 100 * 3600 + number % 100 * 60
    if unit == "hhmmss":
        return number // 10_000 * 3600 + number // 100 % 100 * 60 + number % 100
    if unit == "second":
        return number
    example = next(iter(texts(column).drop_nulls()), "")
    raise UserError(
        f"column {column.name!r} is no time of day: expected 10:33, 1033, an hour or seconds of the day, "
        f"got {example!r}; set data.columns.time to the date alone, or data.columns.position"
    )


def _clock_text(seconds: pl.Expr) -> pl.Expr:
    parts = (seconds // 3600, seconds // 60 % 60, seconds % 60)
    return pl.concat_str(*(part.cast(pl.String).str.zfill(2) for part in parts), separator=":")


def _plain_number(column: pl.Series) -> pl.Series:
    return numbers(column).fill_nan(None).cast(pl.Int64, strict=False)


def _date_text(column: pl.Series) -> pl.Series:
    """The texts of a column of dates, without a midnight behind them."""
    if column.dtype.is_numeric():
        times = times_of(column, "auto", "yes", Findings())
        column = (times.seconds * 1000).cast(pl.Datetime("ms"))
    if column.dtype in (pl.Date, pl.Datetime):
        return texts(column).str.extract(r"^(\S+)")
    return texts(column).str.replace(r"[ T]0?0:00(:00(\.0+)?)?$", "")


def _by_content(
    table: pl.DataFrame, names: dict[str, str], free: list[str], order: str, said: Findings
) -> tuple[str, str]:
    """A column that bears no common name of a time and yet holds dates; ("", "") if there is none."""
    dated = [name for name in free if _looks_dated(table[name])]
    moving = [name for name in dated if _moves(table, name, (names.get("user", ""), names.get("item", "")))]
    if order in ("position", "file") or not moving:
        for name in dated:
            said.note("time", f"{name} holds dates, but is not read as the time", f"data.columns.time={name}")
        return "", ""
    if len(moving) > 1 and len(first := [name for name in moving if not re.search(_LATER, plain(name))]) == 1:
        others = ", ".join(name for name in moving if name != first[0])
        text = f"{first[0]} is read as the time, {others} by the name as a time of something else or later"
        said.note("time", text, f"data.columns.time={others.split(', ')[0]}", warning=True)
        return first[0], "content"
    if len(moving) > 1:
        raise UserError(
            f"several columns hold dates: {', '.join(moving)}; say which is the time of the event with "
            f"data.columns.time={moving[0]}, or order by the file with data.order=file"
        )
    said.note("time", f"{moving[0]} is read as the time because it holds dates", "data.columns.time=...")
    return moving[0], "content"


def _looks_dated(column: pl.Series) -> bool:
    """Dates that are written as such; other numbers are a time only if their column's name says so."""
    sample = _sample(column)
    if column.dtype in (pl.Date, pl.Datetime):
        return not sample.is_empty()
    if is_text(column):
        sample = sample.drop_nulls()
        if 2 * int(sample.str.contains(r"\d\D+\d|\d \w+ \d|^(19|20)\d{6}").sum()) <= len(sample):
            return False
        known = max(read_dates(sample, first, Findings()).moment.count() for first in ("yes", "no"))
        return bool(known > _MOSTLY * len(sample))
    if not column.dtype.is_numeric() or _content(column) not in ("date", "moment"):
        return False
    times = times_of(sample, "auto", "yes", Findings())
    return (times.unit == "text" and not times.seconds.null_count()) or bool(re.search(_HINT, column.name))


def _moves(table: pl.DataFrame, name: str, keys: Iterable[str]) -> bool:
    """Whether a column is more than a property of the user or the item, such as a birthday or a date of release."""
    for key in filter(None, keys):
        groups = table.select(key, name).drop_nulls()
        repeated = groups.group_by(key).agg(pl.col(name).n_unique().alias("values"), pl.len().alias("rows"))
        repeated = repeated.filter(pl.col("rows") > 1)
        if repeated["rows"].sum() >= _FEW and (repeated["values"] == 1).all():
            return False
    return True
