"""Dates and times as people and programs write them, "12/1/2010 8:26 PM", "1 Dec 2010", ISO 8601, as microseconds."""

from __future__ import annotations

import re
from typing import NamedTuple

import polars as pl

from trajectory.data.ingest.cells.parsing import western_digits
from trajectory.data.ingest.findings import Findings
from trajectory.schema import UserError

DAY_FIRST = ("auto", "yes", "no")
_ISO = re.compile(r"^\d{4}([-/])\d{2}\1\d{2}(?:([ T])\d{2}:\d{2}(:\d{2}(?:\.\d+)?)?( ?(?:Z|UTC|GMT))?)?$", re.ASCII)
_UTC = ("Z", "UTC", "GMT")
_ISO_STYLES = 4  # of one column that are read fast
_SAMPLE = 100_000
_EXCHANGED = 15  # dates without a day above the 12th
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
# How months begin in German, French, Spanish, Portuguese, Italian, Dutch, Polish, Czech, Russian and Turkish.
_FOREIGN = {
    **{"jan": "ene|gen|янв|stycz|led|oca", "feb": "fev|фев|lut|uno|sub", "mar": "mrz|mrt|мар|bre"},
    **{"apr": "abr|avr|апр|kwie|dub|nis", "may": "mai|mag|mei|maj|май|мая|маи|kve", "jun": "juin|giu|июн|czer|haz"},
    **{"jul": "juil|lug|июл|lip|tem", "aug": "ago|aou|авг|sier|agu", "sep": "set|сен|wrz|zar|eyl"},
    **{"oct": "okt|out|ott|окт|paz|rij|eki", "nov": "ноя|lis|kas", "dec": "dez|dic|дек|gru|pro|ara"},
}
_MONTH = rf"(?<month>{'|'.join(_MONTHS)})[a-z]*\.?"
# Tried one after the other on lower-case text; `a` and `b` are day and month in one order or the other.
_DATES = (
    r"^(?<year>\d{4})[-/. ] ?(?<m>\d{1,2})[-/. ] ?(?<d>\d{1,2})\.?(?:[ ,t_:]+(?<rest>.*))?$",
    r"^(?<year>(?:19|20)\d\d)(?<m>\d\d)(?<d>\d\d)(?:[ t_]*(?<rest>.+))?$",
    r"^(?<a>\d{1,2})(?<mark>[-/. ]) ?(?<b>\d{1,2})[-/. ] ?(?<year>\d{4}|\d\d)(?:[ ,t_]+(?<rest>.*))?$",
    rf"^(?<d>\d{{1,2}})(?:st|nd|rd|th)?[ \-/.]*{_MONTH}[ \-/.,]*(?<year>\d{{4}}|\d\d)(?:[ ,t_:]+(?<rest>.*))?$",
    rf"^{_MONTH}[ \-/.]*(?<d>\d{{1,2}})(?:st|nd|rd|th)?,?[ \-/]+(?<year>\d{{4}}|\d\d)(?:[ ,t_]+(?<rest>.*))?$",
    rf"^(?<year>\d{{4}})[ \-/.]*{_MONTH}[ \-/.]*(?<d>\d{{1,2}})(?:[ ,t_]+(?<rest>.*))?$",
    rf"^{_MONTH} +(?<d>\d{{1,2}}) +(?<rest>\d{{1,2}}:.*?) +(?<year>\d{{4}})$",  # of C: Dec 1 08:26:00 UTC 2010
    r"^(?<year>\d\d)(?<m>\d\d)(?<d>\d\d)(?: +(?<rest>.*))?$",
    r"^(?<year>(?:19|20)\d\d)[-/](?<m>0?[1-9]|1[0-2])$",  # a month: its first day
    r"^(?<year>\d\d)(?<m>\d\d)(?<d>\d\d)(?<rest>\d\d(?:\d\d){0,2})$",
)
_FIELDS = ("year", "month", "m", "d", "a", "b", "mark", "rest")
# Hours east of UTC of names that mean one zone only (CST, IST, BST mean several).
_WEEK = r"(?i)^(?<year>(?:19|20)\d\d)[- ]?W(?<week>\d\d)$"
_ZONES = {
    **{"z": 0, "utc": 0, "gmt": 0, "wet": 0, "west": 1, "cet": 1, "mez": 1, "cest": 2, "mesz": 2, "eet": 2, "eest": 3},
    **{"msk": 3, "sgt": 8, "hkt": 8, "jst": 9, "kst": 9, "aest": 10, "aedt": 11, "nzst": 12, "nzdt": 13, "brt": -3},
    **{"est": -5, "edt": -4, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7},
}
_CLOCK = (
    r"^(?:at )?(?<hour>\d{1,2})(?:[:h.]?(?<minute>\d\d)(?:[:.]?(?<second>\d\d)(?:[.,:]?(?<fraction>\d{1,9}))?)?)?"
    r"\s*(?<half>[ap]\.?m\.?)?\s*(?<zone>(?:utc|gmt)?[+-]\d{1,2}(?::?\d\d)?|"
    rf"{'|'.join(_ZONES)})?$"
)
_EASTERNMOST = 14 * 60  # minutes that a zone can be from UTC
_SECOND = 10**6


class UndecidedDay(UserError):
    """Nothing tells whether days or months come first."""


class Dates(NamedTuple):
    """`moment`: Int64 microseconds since 1970, null where it cannot be read; `zoned`: Boolean, if a zone is named."""

    moment: pl.Series
    zoned: pl.Series


def read_dates(text: pl.Series, day_first: str, said: Findings) -> Dates:
    """Times of `text` (String). Whether 03/04 is in April is decided by the whole column, or asked by a UserError."""
    if day_first not in DAY_FIRST:
        raise UserError(f"data.day_first={day_first!r} is unknown; expected one of {', '.join(DAY_FIRST)}")
    micros, zoned = pl.Series([None], dtype=pl.Int64).new_from_index(0, len(text)), text.is_null() & False
    left = text
    for _ in range(_ISO_STYLES):
        style = _iso_format(next(iter(left.head(_SAMPLE).drop_nulls()), "")) if left.count() else ""
        if not style:
            break
        read = left.str.to_datetime(style, time_unit="us", strict=False).to_physical()
        zoned |= read.is_not_null() & style.endswith(_UTC)
        micros = micros.zip_with(micros.is_not_null(), read)
        left = text.set(micros.is_not_null(), None)
    micros = micros.alias(text.name)
    if not left.count():
        return Dates(micros, zoned)
    _say_exchanged(micros, said)
    left = _weeks_begin(left)
    parts = _parts(left.drop_nulls().unique(maintain_order=True))
    first = _day_first(left, parts, day_first, said)
    known = parts.select("text", "zoned", moment=_moment(first))
    rows = left.to_frame("text").join(known, on="text", how="left", maintain_order="left")
    whole = micros.zip_with(micros.is_not_null(), rows["moment"])
    return Dates(whole.alias(text.name), zoned | rows["zoned"].fill_null(False))


def _weeks_begin(text: pl.Series) -> pl.Series:
    """With the Monday of each week of ISO 8601, "2024-W05"."""
    if not text.str.contains(_WEEK).any():
        return text
    week = text.str.to_uppercase().str.extract_groups(_WEEK)
    day = week.struct.field("year") + "-W" + week.struct.field("week") + "-1"
    monday = day.str.to_date("%G-W%V-%u", strict=False).cast(pl.String)
    return text.zip_with(monday.is_null(), monday)


def _say_exchanged(read: pl.Series, said: Findings) -> None:
    """Warns where the ISO dates beside dates of another kind have no day above 12, as a spreadsheet makes them."""
    days = read.drop_nulls().cast(pl.Datetime("us")).dt.date().unique()
    if len(days) >= _EXCHANGED and (days.dt.day() <= 12).all():
        text = (
            f"dates in {read.name} are written in several ways, and none that has the year first is after the 12th: a "
        )
        said.note("dates", text + "spreadsheet may have exchanged days and months; export dates as texts", warning=True)


def _iso_format(example: str) -> str:
    """The format of a text such as nearly all programs write, which is read fast; "" for another."""
    match = _ISO.match(example)
    if not match:
        return ""
    mark, joint, seconds, zone = match.groups()
    clock = "" if joint is None else f"{joint}%H:%M{'' if seconds is None else ':%S%.f'}{zone or ''}"
    return f"%Y{mark}%m{mark}%d{clock}"


def _parts(text: pl.Series) -> pl.DataFrame:
    """The numbers of each distinct text, by field; null where a text has none."""
    plain = western_digits(text).str.to_lowercase()
    plain = plain.str.replace_all(r"[年月년월]\s*", "-").str.replace_all(r"[日일]\s*", " ")
    plain = plain.str.replace_all("[时時点點分]", ":").str.replace_all("秒", "")
    plain = plain.str.replace(r"^(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,? +", "").str.replace(r"\s*\([^)]*\)$", "")
    left = pl.DataFrame({"text": text, "plain": _in_english(plain).str.strip_chars(" :")})
    parts = [left.clear().select("text", **{name: pl.lit(None, pl.String) for name in _FIELDS})]
    for pattern in _DATES:
        read = left.with_columns(pl.col("plain").str.extract_groups(_ascii(pattern)).alias("groups")).unnest("groups")
        fits = read["year"].is_not_null()
        parts.append(read.filter(fits).drop("plain"))
        left = left.filter(~fits)
    frame = pl.concat([*parts, left.drop("plain")], how="diagonal")
    clock = frame.select(pl.col("rest").str.extract_groups(_ascii(_CLOCK)).alias("clock")).unnest("clock")
    frame = frame.hstack(clock)
    broken = pl.col("rest").fill_null("").ne("") & pl.col("hour").is_null()
    month = pl.col("month").replace_strict(
        {name: f"{number:02}" for number, name in enumerate(_MONTHS, start=1)}, default=None, return_dtype=pl.String
    )
    short = pl.col("year").cast(pl.Int32)
    return frame.with_columns(
        m=pl.coalesce("m", month),
        year=pl.when(~broken).then(
            pl.when(pl.col("year").str.len_chars() == 4).then(short).otherwise(short + 2000 - 100 * (short >= 70))
        ),
        zoned=pl.col("zone").is_not_null(),
    )


def _in_english(plain: pl.Series) -> pl.Series:
    """Lower-case texts with the English names of months, and am or pm behind the clock."""
    if not plain.str.contains(r"[^\x00-\x7f]|[a-z]{3}|[ap]\. ?m").any():
        return plain
    plain = plain.str.normalize("NFKD").str.replace_all(r"\p{Mn}", "").str.normalize("NFC")
    for half, words in (("am", "上午|早上|凌晨|午前|오전"), ("pm", "下午|晚上|午後|오후")):
        plain = plain.str.replace(rf"(?:{words})\s*(\d[\d:.]*)", f" ${{1}} {half}")
    plain = plain.str.replace_all(r"\b([ap])\. ?m\b\.?", "${1}m").str.replace_all(r"(\d)\.? de[l]? ", "${1} ")
    plain = plain.str.replace_all(r"\bde[l]? (\d)", "${1}").str.replace_all(
        r",? (?:a|as|alle|um|om|v|o|в|saat) (\d)", " ${1}"
    )
    plain = plain.str.replace(r"(\d) ?(?:hs|hrs|h|uhr|г)\.?$", "${1}").str.replace(r"(\d) г\.?,? ", "${1} ")
    plain = plain.str.replace(r"^\p{L}{2,}\.?,? +(\d{1,2}\.? \p{L})", "${1}")  # the name of a day
    for month, words in _FOREIGN.items():
        plain = plain.str.replace(rf"(^|[\d .,\-/])(?:{words})\p{{L}}*\.?", f"${{1}}{month}")
    return plain


def _ascii(pattern: str) -> str:
    """With digits that can be cast to numbers: \\d would fit those of all writings."""
    return pattern.replace(r"\d", "[0-9]")


def _moment(day_first: bool) -> pl.Expr:
    """Microseconds of the fields; null where they are no time that there is."""
    day, month = ("a", "b") if day_first else ("b", "a")
    half = pl.col("half").str.slice(0, 1)
    hour = pl.col("hour").cast(pl.Int32).fill_null(0)
    twelve = hour % 12 + 12 * (half == "p")
    hour = pl.when(half.is_null()).then(hour).when(hour.is_between(1, 12)).then(twelve)
    date = (pl.col("year").cast(pl.String), pl.coalesce("m", month), pl.coalesce("d", day).fill_null("1"))
    clock = (hour.cast(pl.String), *(pl.col(name).fill_null("00") for name in ("minute", "second")))
    stamp = pl.concat_str(*date, separator="-") + " " + pl.concat_str(*clock, separator=":")
    moment = stamp.str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="us", strict=False).to_physical()
    fraction = pl.col("fraction").fill_null("0").str.pad_end(6, "0").str.slice(0, 6).cast(pl.Int64)
    return moment + fraction - 60 * _SECOND * _minutes_east()


def _minutes_east() -> pl.Expr:
    """Minutes of "+0800", "-05:30", "gmt+9", "cest"; 0 where no zone is named, null where no place is so far."""
    named = pl.col("zone").replace_strict(_ZONES, default=None, return_dtype=pl.Int64).fill_null(0) * 60
    zone = pl.col("zone").str.extract(r"([+-].*)")
    digits = zone.str.extract(r"[+-](\d{1,2})").cast(pl.Int64)
    minutes = zone.str.extract(r"[+-]\d{2}:?(\d\d)$").cast(pl.Int64).fill_null(0)
    size = digits * 60 + minutes
    east = pl.when(zone.str.starts_with("-")).then(-size).otherwise(size)
    real = (size <= _EASTERNMOST) & (minutes < 60)
    return pl.when(zone.is_null()).then(named).when(real).then(east)


def _day_first(text: pl.Series, parts: pl.DataFrame, day_first: str, said: Findings) -> bool:
    """Whether the first of two small numbers is the day. UserError where nothing tells."""
    unclear = parts.filter(pl.col("year").is_not_null() & pl.col("a").is_not_null())
    if unclear.is_empty() or day_first != "auto":
        return day_first == "yes"
    if (unclear["a"] == unclear["b"]).all():
        return True
    number = {name: pl.col(name).cast(pl.Int32) for name in ("a", "b")}
    above = {
        name: unclear.filter(number[name].is_between(13, 31), number[other] <= 12)
        for name, other in (("a", "b"), ("b", "a"))
    }
    days = {name: frame.height for name, frame in above.items()}
    if days["a"] and days["b"]:
        raise UserError(
            f"column {text.name!r} has dates with the day first ({above['a']['text'][0]!r}) and with the month first "
            f"({above['b']['text'][0]!r}); write them in one way, or set data.day_first=yes or no to lose the others"
        )
    if days["a"] or days["b"]:
        first = days["a"] > 0
        example = above["a" if first else "b"]["text"][0]
        why = f"as {example!r} tells"
    elif (unclear["mark"] == ".").all():
        first, why = True, "as is usual where points stand between the numbers"
    else:
        order = {first: _in_order(text, parts, first) for first in (True, False)}
        if order[True] == order[False]:
            example = unclear.filter(pl.col("a") != pl.col("b"))["text"][0]
            raise UndecidedDay(
                f"column {text.name!r}: does the day or the month come first in {example!r}? No number above 12 and "
                "no order of the rows tells; set data.day_first=yes (day first) or data.day_first=no (month first)"
            )
        first, why = order[True], "as only so the rows are in order of time"
    said.decided["day_first"] = "yes" if first else "no"
    said.note("dates", f"{'day' if first else 'month'} first in {text.name}, {why}", f"data.day_first={_OTHER[first]}")
    return first


_OTHER = {True: "no", False: "yes"}


def _in_order(text: pl.Series, parts: pl.DataFrame, day_first: bool) -> bool:
    """Whether the rows run forward or backward in time if read so."""
    read = parts.select("text", moment=_moment(day_first))
    moments = text.drop_nulls().to_frame("text").join(read, on="text", how="left", maintain_order="left")["moment"]
    known = moments.drop_nulls()
    return known.n_unique() > 1 and (known.is_sorted() or known.is_sorted(descending=True))
