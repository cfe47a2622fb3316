"""The best moment for a message: the user's next visit as forecast, on the days and at the hours the user comes.

The step of the next ten with the largest share of an interest was no better a moment than any other (on validation);
the next one was.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from trajectory.data.pipeline.splits import step_starts
from trajectory.data.times import DAY
from trajectory.schema import Histories, Queries

NEAR = 1  # hours from the named one


class ContactTiming(NamedTuple):
    """When each of n users comes most often; ties go to the first."""

    weekday: np.ndarray  # int64 [n], 0 = Monday
    hour: np.ndarray  # int64 [n], 0 to 23, of the log's clock


def contact_timing(histories: Histories, queries: Queries) -> ContactTiming:
    """The weekday and the hour of most steps of each query's history start:stop."""
    days, hours = [], []
    for time in _step_times(histories, queries.start, queries.stop):
        days.append(np.bincount(weekday(time), minlength=7).argmax())
        hours.append(np.bincount(time // 3600 % 24, minlength=24).argmax())
    return ContactTiming(np.array(days), np.array(hours))


def check_contact_timing(histories: Histories, queries: Queries, named: ContactTiming) -> dict[str, Any]:
    """How many of the steps that came (stop:end) fell on the named weekday and within an hour of the named hour.

    `usual_weekday`, `usual_hour`: the same shares if all were named those of most steps of all histories start:stop.
    """
    past = np.concatenate([np.zeros(0, np.int64), *_step_times(histories, queries.start, queries.stop)])
    all_days = np.bincount(weekday(past), minlength=7).argmax()
    all_hours = np.bincount(past // 3600 % 24, minlength=24).argmax()
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
