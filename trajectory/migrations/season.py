"""Seasons: the population's multiplier of each interest in each window of time."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from trajectory.migrations.sessions import Sessions

ROUNDS = 6  # multipliers and mixes settle to 0.1 % in 4
PRIOR = 20.0  # sessions' worth of "no season" in each window and interest


def windows_of(moment: np.ndarray, window: float) -> np.ndarray:
    """The window of each moment, int64 from 0; windows are `window` of the moments' unit long and start at 0."""
    return (moment // window).astype(np.int64)


def multipliers(sessions: Sessions, window: float) -> np.ndarray:
    """How many times its usual share each interest has in each window, for all users alike, float64 [W, K].

    Observed over expected mass, where a user's expectation is the user's own mix times the multipliers: both are fitted
    in turn (iterative proportional fitting, Deming & Stephan 1940), so that a window is not taken for a season because
    other users shop in it. The mean over windows is 1. All 1 where the log has no time: its users share no calendar.
    """
    at = windows_of(sessions.moment, window)
    count, interests = int(at.max()) + 1, sessions.mass.shape[1]
    season = np.ones((count, interests))
    if not sessions.histories.has_time:
        return season
    ones = np.ones(len(at))
    of_user = csr_array((ones, (sessions.user, np.arange(len(at)))), (len(sessions.offsets) - 1, len(at)))
    of_window = csr_array((ones, (at, np.arange(len(at)))), (count, len(at)))
    total = sessions.mass.sum(1)
    active = np.asarray((of_user @ csr_array((total, (np.arange(len(at)), at)), (len(at), count))).todense())
    observed = np.asarray((of_window @ sessions.mass).todense())
    for _ in range(ROUNDS):
        own = of_user @ without_season(sessions.mass, season, at)
        own = csr_array(own.multiply(1 / np.maximum(own.sum(1), 1e-12)[:, None]))
        expected = (own.T @ (active / np.maximum(own @ season.T, 1e-12))).T * season
        season *= (observed + PRIOR) / (expected + PRIOR)
        season /= season.mean(0)
    return season


def without_season(mass: csr_array, season: np.ndarray, window: np.ndarray) -> csr_array:
    """Each session's mass [S, K] over the multipliers [W, K] of its window [S]: what it would be without a season."""
    row = np.repeat(window, np.diff(mass.indptr))
    return csr_array((mass.data / season[row, mass.indices], mass.indices, mass.indptr), mass.shape)
