"""Forecasts of several levels that add up: what is said of a department is the sum of what is said of its interests."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from trajectory.insights.demand.weekly_counts import Weeks, summed


def reconcile(weeks: Weeks, direct: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Forecasts [..., S] of each level, made to add up; never negative where the given ones are not.

    Minimum-trace reconciliation (Wickramasuriya, Athanasopoulos & Hyndman 2019) of a tree whose errors have variances
    in proportion to the forecasts, as counts have: going up, a forecast and the sum of those below are averaged by
    their precision (1 to 1, then 1 to 2, ...); going down, what this changes is shared out in proportion to what the
    averages are, so that nothing becomes negative.
    """
    levels = weeks.levels
    merged = {levels[0]: direct[levels[0]]}
    precision = 1.0
    for below, upper in pairwise(levels):
        total = add_up(merged[below], weeks.above[below], len(weeks.names[upper]))
        both = (precision * total + direct[upper]) / (precision + 1)
        merged[upper] = np.where(total > 0, both, 0.0)  # there is nobody below to share it out to
        precision += 1
    for below, upper in reversed(list(pairwise(levels))):
        group = weeks.above[below]
        total = add_up(merged[below], group, len(weeks.names[upper]))
        merged[below] = merged[below] * (merged[upper] / np.maximum(total, 1e-12))[..., group]
    return merged


def add_up(values: np.ndarray, group: np.ndarray, groups: int) -> np.ndarray:
    """Values [..., S] summed by the number of their group [S], [..., groups]."""
    return np.moveaxis(summed(np.moveaxis(values, -1, 0), group, groups), 0, -1)
