"""Whose clock a log's days follow, where its times are of UTC: a column that numbers or dates days or weeks tells."""

from __future__ import annotations

import polars as pl

from trajectory.data.ingest.columns.detect import matching_within
from trajectory.data.ingest.columns.zones import FROM_TO
from trajectory.data.ingest.findings import Findings
from trajectory.data.times import UNZONED, Times

AUTO = "auto"  # data.time_zone that is left to the log
_PERIODS = (
    *("day", "day no", "day number", "day id", "date", "day date", "local date", "local day", "business date"),
    *("calendar date", "event date", "order date", "purchase date", "transaction date", "sale date", "visit date"),
    *("week", "week no", "week number", "week id", "week start", "week of", "month", "period"),
    *(
        "tag",
        "datum",
        "woche",
        "kw",
        "jour",
        "semaine",
        "fecha",
        "semana",
        "giorno",
        "settimana",
        "日期",
        "日付",
        "날짜",
    ),
)
_FEWEST = 8  # turns from one period to the next that tell anything
_UNTIL = 6  # hour before which the quietest hours of a day begin, by the clock of those who buy
_QUIET = 4  # hours
_NAMED = 3  # zones
# One zone for each way to set clocks that many people live by; the first of those that fit is named.
ZONES = (
    *("UTC", "Europe/London", "Europe/Berlin", "Europe/Athens", "Europe/Moscow", "Africa/Lagos", "Africa/Johannesburg"),
    *("Asia/Jerusalem", "Asia/Tehran", "Asia/Dubai", "Asia/Karachi", "Asia/Kolkata", "Asia/Dhaka", "Asia/Bangkok"),
    *("Asia/Shanghai", "Asia/Tokyo", "Australia/Brisbane", "Australia/Sydney", "Australia/Adelaide"),
    *("Pacific/Auckland", "Pacific/Honolulu", "America/Anchorage", "America/Los_Angeles", "America/Phoenix"),
    *("America/Denver", "America/Mexico_City", "America/Chicago", "America/Bogota", "America/New_York"),
    *("America/Halifax", "America/Santiago", "America/Sao_Paulo", "America/St_Johns"),
)


def local_clock(table: pl.DataFrame, times: Times, name: str, said: Findings) -> str:
    """The zone at whose midnight a column's days or weeks turn, where times are of UTC and nobody sells at night.

    As `in_one_zone` takes it: of times that name no zone it is told that they are of UTC. "" where no column tells, or
    UTC fits too; what is told and not unique, or not of people's nights, is noted. `name`: of the column of times.
    """
    for period in matching_within(table.columns, _PERIODS):
        turns = None if period == name else _turns(times.seconds, table[period])
        if turns is None or not (fitting := _fitting(turns)) or "UTC" in fitting:
            continue
        zone, told_apart = fitting[0], dict.fromkeys(_shown(turns["after"], zone) for zone in fitting)
        if len(told_apart) == 1 and _sleeps(times.seconds, zone):
            said.decided["time_zone"] = zone
            unzoned = times.zone.startswith(UNZONED)
            taken = f", so that {name}, which names no zone, is taken as of UTC" if unzoned else ""
            said.note("dates", f"{period} turns at midnight of {zone} and not of UTC{taken}", warning=unzoned)
            return f"UTC{FROM_TO}{zone}" if unzoned else zone
        fits = " or ".join(fitting[:_NAMED])
        text = f"{period} does not turn at midnight of UTC, by which {name} is read, but as days of {fits} would"
        said.note("dates", text, f"data.time_zone={zone}", warning=True)
    return ""


def _turns(seconds: pl.Series, period: pl.Series) -> pl.DataFrame | None:
    """Columns before, after: the last time of each period and the first of the next; None where periods overlap."""
    spans = (
        pl.DataFrame({"period": period, "time": seconds})
        .drop_nulls()
        .group_by("period")
        .agg(first=pl.col("time").min(), last=pl.col("time").max())
        .sort("first")
    )
    if not _FEWEST < spans.height < max(len(seconds) // 2, _FEWEST + 2):
        return None
    turns = spans.select(before=pl.col("last"), after=pl.col("first").shift(-1)).head(-1)
    return turns if (turns["before"] < turns["after"]).all() else None


def _fitting(turns: pl.DataFrame) -> list[str]:
    """The zones in which each turn has a midnight."""
    day = {zone: [_clock(turns[side], zone).dt.date() for side in ("before", "after")] for zone in ZONES}
    return [zone for zone, (before, after) in day.items() if (before < after).all()]


def _shown(seconds: pl.Series, zone: str) -> tuple[int, ...]:
    """What a zone's clock shows, as seconds."""
    return tuple(_clock(seconds, zone).dt.replace_time_zone(None).dt.epoch("s"))


def _sleeps(seconds: pl.Series, zone: str) -> bool:
    """Whether the quietest hours begin at night by a zone's clock: a day may also turn at another hour than 0:00."""
    hours = _clock(seconds.drop_nulls(), zone).dt.hour().value_counts()
    events = dict(hours.iter_rows())
    quiet = [sum(events.get((start + hour) % 24, 0) for hour in range(_QUIET)) for start in range(24)]
    return quiet.index(min(quiet)) < _UNTIL


def _clock(seconds: pl.Series, zone: str) -> pl.Series:
    return pl.from_epoch(seconds, "s").dt.replace_time_zone("UTC").dt.convert_time_zone(zone)
