"""The day of the next visit: told where half of the users came by such a day, as they should, and of whom it may be.

Half of all is not enough: of days too early for the active and too late for the silent half come in time, too.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from trajectory.data.pipeline.splits import target_starts
from trajectory.data.times import DAY
from trajectory.schema import Histories, Queries

LEAST = 50  # users whose named day has passed, of which a share is told
HALF = (0.4, 0.6)  # share that came by the day named, by which half should
THIRD = (0.3, 0.7)  # the same of those silent for the shortest and for the longest time


def check_next_visit(histories: Histories, queries: Queries, days: np.ndarray, moment: int) -> dict[str, Any]:
    """`came`: share of users whose next step of what is predicted came within the `days` [n] named at `moment` (unix
    seconds), of the `due` users whose named day is before the log's end; NaN of none. `thirds`: the same of the third
    of them that had been silent for the shortest time, the next, and the longest.
    """
    due = moment + days * DAY < histories.now
    starts = np.append(target_starts(histories), histories.num_events)
    first = starts[np.searchsorted(starts, queries.stop)]
    following = histories.time[np.minimum(first, histories.num_events - 1)]
    came = (first < queries.end) & (following <= moment + days * DAY)
    by_silence = np.array_split(
        np.flatnonzero(due)[np.argsort(-histories.time[queries.stop[due] - 1], kind="stable")], 3
    )
    return {"came": _share(came[due]), "due": int(due.sum()), "thirds": [_share(came[some]) for some in by_silence]}


def holds(check: dict[str, Any]) -> bool:
    """Whether enough users came about as often by the day named as they should, of whatever silence."""
    thirds = all(THIRD[0] <= share <= THIRD[1] for share in check["thirds"])
    return bool(check["due"] >= LEAST and HALF[0] <= check["came"] <= HALF[1] and thirds)


def _share(came: np.ndarray) -> float:
    return float(came.mean()) if len(came) else float("nan")


def with_days_that_hold(rows: pl.DataFrame, within: int, check: dict[str, Any]) -> pl.DataFrame:
    """The rows of audiences with `days` left out where such days did not hold, or where more than half of such users
    buy `within` so many days, so that the next visit cannot well be later.
    """
    contradicted = (pl.col("days") > within) & (pl.col("probability") > 0.5)
    return rows.with_columns(days=pl.when(pl.lit(holds(check)) & ~contradicted).then("days"))


def in_words(check: dict[str, Any], unit: str) -> str:
    """How far the named days of the next step, called `unit`, held, and whether they are told."""
    if not check["due"]:
        return (
            f"Days of the next {unit} are not named: none lay before the end of the log, so they could not be checked."
        )
    why = f"Of fewer than {LEAST}" if check["due"] < LEAST else "So far off"
    told = "" if holds(check) else f" {why}, no days are named."
    return (
        f"Of {check['due']:,} users of such audiences whose next {unit} was expected before the end of the log, "
        f"{check['came']:.0%} came by the day named; half should (of the third silent for the shortest time "
        f"{check['thirds'][0]:.0%}, of that for the longest {check['thirds'][2]:.0%}).{told}"
    )
