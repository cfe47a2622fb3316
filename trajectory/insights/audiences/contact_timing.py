"""The best moment for a message: the user's next visit as forecast, on the days and at the hours the user comes.

The step of the next ten with the largest share of an interest was no better a moment than any other (on validation);
the next one was.
"""

from __future__ import annotations

import calendar
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from trajectory.data.pipeline.splits import step_starts
from trajectory.data.times import DAY
from trajectory.schema import Histories, Queries

NEAR = 1  # hours from the named one


class ContactTiming(NamedTuple):
    """When each of n users comes most often; ties go to the first."""

    weekday: np.ndarray  # int64 [n], 0 = Monday
    hour: np.ndarray  # int64 [n], 0 to 23


def contact_timing(histories: Histories, queries: Queries) -> ContactTiming:
    """The weekday and the hour of most steps of each query's history start:stop."""
    days, hours = [], []
    for time in _step_times(histories, queries.start, queries.stop):
        days.append(np.bincount(weekday(time), minlength=7).argmax())
        hours.append(np.bincount(time // 3600 % 24, minlength=24).argmax())
    return ContactTiming(np.array(days), np.array(hours))


def usual_timing(histories: Histories, queries: Queries) -> tuple[int, int]:
    """The weekday and the hour of most steps of all histories start:stop."""
    past = np.concatenate([np.zeros(0, np.int64), *_step_times(histories, queries.start, queries.stop)])
    hours = np.bincount(past // 3600 % 24, minlength=24)
    return int(np.bincount(weekday(past), minlength=7).argmax()), int(hours.argmax())


def with_moments_that_hold(rows: pl.DataFrame, held: dict[str, Any], usual: tuple[int, int]) -> pl.DataFrame:
    """The table of audiences with the usual weekday and hour of all users, where these came true more often than each
    user's own (`check_contact_timing`).
    """
    day, hour = usual
    if held["usual_weekday"] > held["weekday"]:
        rows = rows.with_columns(weekday=pl.lit(calendar.day_name[day]))
    if held["usual_hour"] > held["hour"]:
        rows = rows.with_columns(hour=pl.lit(hour, rows.schema["hour"]))
    return rows


def check_contact_timing(histories: Histories, queries: Queries, named: ContactTiming) -> dict[str, Any]:
    """How many of the steps that came (stop:end) fell on the named weekday and within an hour of the named hour.

    `usual_weekday`, `usual_hour`: the same shares if all were named those of most steps of all histories start:stop.
    """
    all_days, all_hours = usual_timing(histories, queries)
    hits = []
    for user, time in enumerate(_step_times(histories, queries.stop, queries.end)):
        day, hour = weekday(time), time // 3600 % 24
        hits.append(
            np.stack(
                [day == named.weekday[user], _near(hour, named.hour[user]), day == all_days, _near(hour, all_hours)], 1
            )
        )
    shares = np.concatenate(hits).mean(0) if hits else np.full(4, np.nan)
    return dict(zip(("weekday", "hour", "usual_weekday", "usual_hour"), map(float, shares), strict=True))


def weekday(time: np.ndarray) -> np.ndarray:
    """0 = Monday, of unix seconds."""
    return (time // DAY + 3) % 7  # 1970-01-01 was a Thursday


def _near(hour: np.ndarray, named: int | np.integer) -> np.ndarray:
    apart = np.abs(hour - named)
    return np.minimum(apart, 24 - apart) <= NEAR


def _step_times(histories: Histories, start: np.ndarray, stop: np.ndarray) -> list[np.ndarray]:
    """Times of the steps that begin in each slice start:stop."""
    starts = step_starts(histories)[:-1]
    low, high = np.searchsorted(starts, start), np.searchsorted(starts, stop)
    return [histories.time[starts[a:b]] for a, b in zip(low, high, strict=True)]
