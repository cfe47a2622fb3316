"""Times of UTC are read by the clock that a column of days or weeks tells."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest

from tests.raw_logs import from_frame, notes, times
from trajectory.schema import UserError

BUSY = np.array([3, 2, 1, 0, 0, 0, 1, *[4] * 14, 4, 4, 4]) / 75  # share of each hour, by the clock of those who buy


SALES = 40  # a day


def shop(zone: str, days: int = 364, first: datetime = datetime(2023, 1, 2)) -> pl.DataFrame:
    """A log of UTC seconds and clock times of a zone: purchases of each day at hours of the zone."""
    rng = np.random.default_rng(0)
    clock = [
        (first + timedelta(days=day, hours=int(hour), minutes=int(rng.integers(0, 60)))).replace(tzinfo=ZoneInfo(zone))
        for day in range(days)
        for hour in rng.choice(24, SALES, p=BUSY)
    ]
    return pl.DataFrame(
        {
            "user": rng.integers(0, 20, len(clock)),
            "item": rng.integers(0, 9, len(clock)),
            "time": [int(moment.timestamp()) for moment in clock],
            # Clocks that skip an hour never show it.
            "shown": [moment.astimezone(UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None) for moment in clock],
        }
    )


def week(frame: pl.DataFrame, name: str = "week") -> pl.DataFrame:
    days = (pl.col("shown") - datetime(2023, 1, 2)).dt.total_days()
    return frame.with_columns((days // 7 + 1).alias(name))


def clock_of(frame: pl.DataFrame) -> list[int]:
    return frame.sort("user", "time")["shown"].dt.epoch("s").to_list()


@pytest.mark.parametrize(
    "zone", ["America/New_York", "Europe/Berlin", "Asia/Kolkata", "Asia/Shanghai", "Pacific/Auckland"]
)
def test_days_tell_whose_midnight_they_turn_at(tmp_path: Path, zone: str) -> None:
    frame = shop(zone).with_columns(day=pl.col("shown").dt.date().cast(pl.String))
    log = from_frame(tmp_path, frame.drop("shown"))
    assert log.detected["clock"] == zone
    assert f"day turns at midnight of {zone} and not of UTC | time is read by the clock of {zone}" in notes(
        log, "dates"
    )
    assert sorted(times(log)) == sorted(clock_of(frame))


def test_numbers_of_weeks_tell_it_too(tmp_path: Path) -> None:
    frame = week(shop("America/New_York", 364 * 2), "week_no")
    log = from_frame(tmp_path, frame.drop("shown"))
    assert log.detected["clock"] == "America/New_York"
    assert log.detected["decided"]["time_zone"] == "America/New_York"


def test_a_zone_that_is_set_wins(tmp_path: Path) -> None:
    frame = week(shop("America/New_York"))
    log = from_frame(tmp_path, frame.drop("shown"), time_zone="UTC")
    assert log.detected["clock"] == "UTC"
    assert sorted(times(log)) == sorted(frame["time"])


@pytest.mark.parametrize("column", ["none", "of UTC", "of the month", "few", "ids"])
def test_where_nothing_tells_times_stay_of_utc(tmp_path: Path, column: str) -> None:
    frame = shop("America/New_York")
    utc = pl.from_epoch("time", "s")
    frame = {
        "none": frame,
        "of UTC": frame.with_columns(day=utc.dt.date()),
        "of the month": frame.with_columns(day=pl.col("shown").dt.day()),
        "few": week(frame.filter(pl.col("shown") < datetime(2023, 2, 1))),
        "ids": frame.sort("time").with_row_index("date"),
    }[column]
    log = from_frame(tmp_path, frame.drop("shown"))
    assert log.detected["clock"] == "UTC"
    assert sorted(times(log)) == sorted(frame["time"])


def test_a_business_day_is_not_taken_for_a_zone(tmp_path: Path) -> None:
    """Times are by the shop's clock and said to be of UTC; the till's day ends at 3 in the morning."""
    frame = shop("UTC", 200).with_columns(day=pl.from_epoch(pl.col("time") - 3 * 3600, "s").dt.date())
    log = from_frame(tmp_path, frame.drop("shown"))
    assert log.detected["clock"] == "UTC"
    assert "day does not turn at midnight of UTC, by which time is read, but as days of " in notes(log, "dates")


def test_weeks_of_a_few_months_fit_several_zones_and_are_asked_about(tmp_path: Path) -> None:
    frame = shop("America/New_York").filter(pl.col("shown").dt.hour() < 21)  # closed from nine on
    log = from_frame(tmp_path, week(frame.filter(pl.col("shown") < datetime(2023, 4, 30))).drop("shown"))
    assert log.detected["clock"] == "UTC"
    assert "week does not turn at midnight of UTC, by which time is read, but as days of " in notes(log, "dates")
    (setting,) = [note["setting"] for note in log.detected["notes"] if "does not turn" in note["text"]]
    assert setting.startswith("data.time_zone=America/")


def test_times_of_utc_that_do_not_say_so_are_told_by_their_weeks(tmp_path: Path) -> None:
    frame = week(shop("America/New_York"))
    naive = frame.with_columns(pl.from_epoch("time", "s").dt.strftime("%Y-%m-%d %H:%M:%S"))
    log = from_frame(tmp_path, naive.drop("shown"))
    assert log.detected["clock"] == "UTC>America/New_York"
    assert sorted(times(log)) == sorted(clock_of(frame))
    assert "time, which names no zone, is taken as of UTC" in notes(log, "dates")
    later = from_frame(tmp_path, naive.drop("shown", "week"), time_zone=log.detected["clock"])
    assert times(later) == times(log), "as new users' events are read"
    with pytest.raises(
        UserError, match=r"data.time_zone='UTC>Mars' is unknown; expected the name of a zone, .* or two"
    ):
        from_frame(tmp_path, naive.drop("shown"), time_zone="UTC>Mars")


def test_zones_that_the_log_states_are_not_told_by_its_days(tmp_path: Path) -> None:
    frame = week(shop("America/New_York"))
    naive = frame.with_columns(pl.from_epoch("time", "s").dt.strftime("%Y-%m-%d %H:%M:%S"), tz=pl.lit("UTC"))
    log = from_frame(tmp_path, naive.drop("shown"), columns={"zone": "tz"})
    assert log.detected["clock"] == "UTC"
    assert sorted(times(log)) == sorted(frame["time"])


def test_times_by_the_shops_own_clock_are_taken_as_they_stand(tmp_path: Path) -> None:
    frame = week(shop("UTC")).with_columns(pl.from_epoch("time", "s").dt.strftime("%Y-%m-%d %H:%M:%S"))
    log = from_frame(tmp_path, frame.drop("shown"))
    assert log.detected["clock"] == ""
    first = datetime.fromtimestamp(min(time for time in times(log) if time), UTC)
    assert f"{first:%Y-%m-%d %H:%M:%S}" == frame["time"].min()
