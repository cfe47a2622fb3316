"""What was sold in the same weeks of the year before: it tells whose season is over, which recent weeks cannot."""

from __future__ import annotations

import numpy as np

from trajectory.insights.demand.demand_forecast import Demand
from trajectory.insights.demand.weekly_counts import Weeks

YEAR = 52  # weeks
OUT_OF_SEASON = "the same weeks a year before"  # rule of orders of what is out of season
SOON = 4  # weeks ahead that are compared
_ONCE = 8  # first weeks of the log: what was not sold in them is new
_TIMES = 2.0  # as much as usual, and as a year before
_ERRORS = 3.0  # standard errors of a difference of counts


def a_year_before(weeks: Weeks, level: str, steps: int) -> np.ndarray:
    """Pieces sold in each of the weeks a year before the coming ones, float64 [S, steps]; NaN where the log is
    shorter.
    """
    count, first = weeks.count[level], weeks.number - YEAR
    if first < 0:
        return np.full((len(count), steps), np.nan)
    return count[:, first : first + steps].astype(np.float64)


def season_over(demand: Demand, level: str) -> np.ndarray:
    """Series whose season seems to end, bool [S]: sold since the log began, lately at least twice as much as usual, and
    forecast at least twice as much as was sold in the same weeks a year before, beyond chance. None in a log of less
    than a year.
    """
    count = demand.weeks.count[level]
    before = np.nansum(a_year_before(demand.weeks, level, SOON), axis=1)
    expected = demand.forecast[level][-1, :SOON].sum(axis=0)
    peak = count[:, -SOON:].mean(axis=1) >= _TIMES * np.median(count, axis=1)
    less = (expected >= _TIMES * before) & (expected - before > _ERRORS * np.sqrt(expected + before))
    return (demand.weeks.number >= YEAR) & (count[:, :_ONCE].sum(axis=1) > 0) & peak & less
