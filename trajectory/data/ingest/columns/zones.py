"""Columns that name the time zone of times that name none themselves, and times of several zones as those of one."""

from __future__ import annotations

import re
from zoneinfo import available_timezones

import polars as pl

from trajectory.data.ingest.cells.parsing import mostly_numeric, numbers, texts
from trajectory.data.ingest.columns.detect import matching_within
from trajectory.data.ingest.findings import Findings, counted, quoted
from trajectory.data.times import UNZONED, Times
from trajectory.schema import UserError

_ZONES = (
    *(
        "time zone",
        "timezone",
        "tz",
        "time zone name",
        "timezone name",
        "zone info",
        "time zone offset",
        "timezone offset",
        "tz offset",
        "utc offset",
        "gmt offset",
        "zeitzone",
        "fuseau horaire",
        "fuseau",
    ),
    *("zona horaria", "huso horario", "fuso horário", "fuso orario", "tijdzone", "tidszon", "tidszone", "tidssone"),
    *("aikavyöhyke", "strefa czasowa", "časové pásmo", "часовой пояс", "saat dilimi", "タイムゾーン", "시간대", "时区"),
    *("時區", "zona waktu", "múi giờ"),
)
_SHOWN = 3
FROM_TO = ">"  # between the zone of times that name none and that by whose clock they are read, in data.time_zone
_HOUR = 3600  # seconds
_MOST = 14  # hours that a zone is ahead of UTC
_SIGNED = r"^\+|^-(?:0\d|1[0-4])[0-5]\d$"  # +2, +0200, -0500: offsets as they are written behind times
# Hours from UTC of short names that mean one zone only.
_SHORT = {
    **{"z": 0, "utc": 0, "gmt": 0, "wet": 0, "west": 1, "cet": 1, "cest": 2, "eet": 2, "eest": 3, "msk": 3},
    **{"est": -5, "edt": -4, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7, "jst": 9, "kst": 9},
    **{"aest": 10, "aedt": 11, "nzst": 12, "nzdt": 13, "sgt": 8, "hkt": 8, "wib": 7, "brt": -3, "art": -3},
}
_LONG = {"eastern": "New_York", "central": "Chicago", "mountain": "Denver", "pacific": "Los_Angeles"}
_OFFSET = re.compile(r"\(?(?:UTC|GMT)?\s*([+\-−])\s*(\d{1,2})(?::?(\d{2}))?\)?", re.IGNORECASE)
_US = re.compile(r"(eastern|central|mountain|pacific) time(?: \(us & canada\))?")


def doubt_zone(table: pl.DataFrame, time: str, said: Findings) -> None:
    """Asks about a column that names the time zone, where the times themselves name none."""
    for name in matching_within(table.columns, _ZONES):
        zones = texts(table[name]).drop_nulls().value_counts(sort=True, name="rows").head(_SHOWN)
        if len(zones) and name != time:
            text = (
                f"{name} is not read ({counted([*zones.iter_rows()])}), and {time} is taken as UTC: is it of that zone?"
            )
            said.note("dates", text, f"data.columns.zone={name} converts it to UTC", warning=True)


def in_one_zone(times: Times, name: str, zones: pl.Series | None, target: str, said: Findings) -> Times:
    """Times by the clock of UTC, or of the zone `target`, where each row states its zone or the times name it.

    `name`: their column, `zones`: offsets from UTC or names of zones, for times that name none; "UTC>Europe/Berlin" as
    `target` says that these are of UTC. UserError for a zone that is not known.
    """
    given, told, target = target.rpartition(FROM_TO)
    for zone in filter(None, (given, target)):
        if zone not in available_timezones():
            raise UserError(
                f"data.time_zone={given + told + target!r} is unknown; expected the name of a zone, such as "
                "Europe/Berlin, or two, such as UTC>Europe/Berlin for times of UTC that do not say so"
            )
    unzoned = times.zone.startswith(UNZONED)
    if unzoned and given:
        times = times._replace(seconds=_instants(pl.from_epoch(times.seconds, "s"), given), zone=f"taken as {given}")
        unzoned = False
    if zones is not None and not unzoned:
        text = f"{name} names its zone itself ({times.zone}), so {zones.name} is not needed"
        said.note("dates", text, "data.columns.zone=-", warning=times.zone.startswith("named in"))
    if zones is not None and unzoned:
        times = times._replace(seconds=_of_utc(times.seconds, zones, said), zone=f"that of {zones.name}, read as UTC")
        blank = int((texts(zones).is_null() & times.seconds.is_not_null()).sum())
        text = f"{name} is converted from the zones of {zones.name} to UTC"
        said.note("dates", text + (f", but for {blank:,} rows that name none" if blank else ""), "data.columns.zone=-")
    elif target and unzoned:
        text = f"{name} names no zone, so that it is taken as of {target} already"
        said.note("dates", text, "data.columns.zone=COLUMN, if one names it", warning=True)
        return times._replace(zone=f"none named, taken as {target}")
    if not target:
        return times
    said.note("dates", f"{name} is read by the clock of {target}", "data.time_zone")
    utc = pl.from_epoch(times.seconds, "s").dt.replace_time_zone("UTC")
    return times._replace(seconds=_epoch(utc.dt.convert_time_zone(target)), zone=f"the clock of {target}")


def _of_utc(seconds: pl.Series, zones: pl.Series, said: Findings) -> pl.Series:
    """Clock times of zones as unix seconds; those of no zone as they are."""
    words = texts(zones)
    if mostly_numeric(zones) and not words.str.contains(_SIGNED).any():
        return seconds - _by_number(zones, said).fill_null(0)
    known = {word: zone for word in words.unique().drop_nulls() if (zone := _zone(word)) is not None}
    if strange := sorted({*words.drop_nulls().unique()} - known.keys()):
        raise UserError(
            f"data.columns.zone={zones.name!r}: the zones {quoted(strange[:_SHOWN])} are not known; expected offsets "
            "from UTC such as +02:00, or names such as Europe/Berlin: write them so, or set data.columns.zone=-"
        )
    moved = seconds
    for word, zone in known.items():
        own = (words == word).fill_null(False)
        shown = pl.from_epoch(seconds.filter(own), "s") if isinstance(zone, str) else None
        there = seconds.filter(own) - zone if shown is None else _instants(shown, str(zone))
        moved = moved.scatter(own.arg_true(), there)
    return moved


def _by_number(zones: pl.Series, said: Findings) -> pl.Series:
    """Seconds of offsets that are plain numbers: hours, or minutes or seconds where they are too large for these."""
    number = numbers(zones).fill_nan(None)
    top = float(number.abs().max() or 0)  # type: ignore[arg-type]
    per, unit = (_HOUR, "hours") if top <= _MOST else (60, "minutes") if top <= 60 * _MOST else (1, "seconds")
    text = f"{zones.name} is taken for {unit} that clocks are ahead of UTC"
    setting = "data.columns.zone=-, and write the offset behind each time, if it is not"
    said.note("dates", text, setting, warning=top > _MOST)
    return (number * per).cast(pl.Int64)


def _zone(word: str) -> int | str | None:
    """Seconds ahead of UTC, or the name of a zone; None where it is neither."""
    if word in available_timezones():
        return word
    plain = word.strip().lower()
    if plain in _SHORT:
        return _SHORT[plain] * _HOUR
    if offset := _OFFSET.fullmatch(word.strip()):
        sign = 1 if offset[1] == "+" else -1
        return sign * (int(offset[2]) * _HOUR + int(offset[3] or 0) * 60)
    if usual := _US.fullmatch(plain.replace("standard ", "").replace("daylight ", "")):
        return f"America/{_LONG[usual[1]]}"
    named = {name.lower(): name for name in available_timezones()}
    return named.get(plain.replace(" ", "_"))


def _instants(shown: pl.Series, zone: str) -> pl.Series:
    """Unix seconds of what clocks of a zone show: the earlier of two such hours; one that clocks skip is the next."""
    first, later = (
        clock.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null").dt.epoch("s")
        for clock in (shown, shown.dt.offset_by("1h"))
    )
    return first.zip_with(first.is_not_null(), later)


def _epoch(moment: pl.Series) -> pl.Series:
    """What clocks show at a moment, as unix seconds of UTC."""
    return moment.dt.replace_time_zone(None).dt.epoch("s")
