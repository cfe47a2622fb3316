"""The best moment for a message: the user's next visit as forecast, on the days and at the hours the user comes.

The step of the next ten with the largest share of an interest was no better a moment than any other (on validation);
the next one was.
"""

from __future__ import annotations

import calendar
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from trajectory.data.pipeline.sessions import session_starts
from trajectory.data.times import DAY
from trajectory.schema import Histories, Queries

NEAR = 1  # hours from the named one
CHANCE = {"weekday": 1 / 7, "hour": (2 * NEAR + 1) / 24}  # of coming true
OWN, USUAL = "own", "usual"  # whose moment: each user's own, that of most visits of all
RESAMPLES, LOW = 500, 0.025  # of users; quantile


class ContactTiming(NamedTuple):
    """When each of n users comes most often; ties go to the first."""

    weekday: np.ndarray  # int64 [n], 0 = Monday
    hour: np.ndarray  # int64 [n], 0 to 23


def contact_timing(histories: Histories, queries: Queries) -> ContactTiming:
    """The weekday and the hour at which most visits of each query's history start:stop begin."""
    days, hours = [], []
    for time in _visit_times(histories, queries.start, queries.stop):
        days.append(np.bincount(weekday(time), minlength=7).argmax())
        hours.append(np.bincount(time // 3600 % 24, minlength=24).argmax())
    return ContactTiming(np.array(days), np.array(hours))


def usual_timing(histories: Histories, queries: Queries) -> tuple[int, int]:
    """The weekday and the hour at which most visits of all histories start:stop begin."""
    past = np.concatenate([np.zeros(0, np.int64), *_visit_times(histories, queries.start, queries.stop)])
    hours = np.bincount(past // 3600 % 24, minlength=24)
    return int(np.bincount(weekday(past), minlength=7).argmax()), int(hours.argmax())


def with_moments_that_hold(rows: pl.DataFrame, held: dict[str, Any], usual: tuple[int, int]) -> pl.DataFrame:
    """The table of audiences with the usual weekday and hour of all users, where these came true more often than each
    user's own, and null where neither did more often than by chance (`check_contact_timing`).
    """
    of_all = {"weekday": calendar.day_name[usual[0]], "hour": usual[1]}
    for name, value in of_all.items():
        if (best := told(held, name)) != OWN:
            rows = rows.with_columns(pl.lit(value if best == USUAL else None, rows.schema[name]).alias(name))
    return rows


def told(held: dict[str, Any], name: str) -> str:
    """Of "weekday" or "hour" whether each user's OWN is named, the USUAL of all, or none, "": by what came true."""
    best, field = (OWN, name) if held[name] >= held[f"usual_{name}"] else (USUAL, f"usual_{name}")
    return best if held[f"{field}_low"] > CHANCE[name] else ""


def check_contact_timing(histories: Histories, queries: Queries, named: ContactTiming) -> dict[str, Any]:
    """How many of the visits that came (stop:end) began on the named weekday and within an hour of the named hour.

    `usual_weekday`, `usual_hour`: the same shares if all were named those of most visits of all histories start:stop;
    `<each>_low`: the lower end of its 95 % interval, users resampled.
    """
    all_days, all_hours = usual_timing(histories, queries)
    hits, users = [], []
    for user, time in enumerate(_visit_times(histories, queries.stop, queries.end)):
        day, hour = weekday(time), time // 3600 % 24
        hits.append(
            np.stack(
                [day == named.weekday[user], _near(hour, named.hour[user]), day == all_days, _near(hour, all_hours)], 1
            )
        )
        users.append(np.full(len(time), user))
    names = ("weekday", "hour", "usual_weekday", "usual_hour")
    came = np.concatenate(hits) if hits else np.zeros((0, len(names)))
    if not len(came):
        return dict.fromkeys([*names, *(f"{name}_low" for name in names)], float("nan"))
    of_user = np.concatenate(users)
    total = np.stack([np.bincount(of_user, came[:, j], len(hits)) for j in range(len(names))], 1)
    count = np.bincount(of_user, minlength=len(hits))
    drawn = np.random.default_rng(0).multinomial(len(hits), np.full(len(hits), 1 / len(hits)), RESAMPLES)
    low = np.quantile(drawn @ total / np.maximum(drawn @ count, 1)[:, None], LOW, axis=0)
    lows = {f"{name}_low": float(end) for name, end in zip(names, low, strict=True)}
    return dict(zip(names, map(float, came.mean(0)), strict=True)) | lows


def weekday(time: np.ndarray) -> np.ndarray:
    """0 = Monday, of unix seconds."""
    return (time // DAY + 3) % 7  # 1970-01-01 was a Thursday


def _near(hour: np.ndarray, named: int | np.integer) -> np.ndarray:
    apart = np.abs(hour - named)
    return np.minimum(apart, 24 - apart) <= NEAR


def _visit_times(histories: Histories, start: np.ndarray, stop: np.ndarray) -> list[np.ndarray]:
    """Times of the visits (sessions) that begin in each slice start:stop."""
    starts = session_starts(histories)
    low, high = np.searchsorted(starts, start), np.searchsorted(starts, stop)
    return [histories.time[starts[a:b]] for a, b in zip(low, high, strict=True)]
