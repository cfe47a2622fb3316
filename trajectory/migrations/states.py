"""Interest states: a user's probability distribution over interests, in each window of time."""

from __future__ import annotations

import numpy as np

from trajectory.migrations.season import windows_of
from trajectory.migrations.sessions import Sessions

SMOOTHING = 4.0  # sessions' worth of the user's own overall mix in each state


def interest_states(sessions: Sessions, users: np.ndarray, window: float) -> np.ndarray:
    """States of the given users [n] in windows of `window` days (steps), float64 [n, W, K]; each sums to 1.

    A state is the mass of the window's sessions smoothed towards the user's overall mix by a Dirichlet prior worth
    `SMOOTHING` sessions: a window without any is that mix. Users without any session have only zeros.
    """
    count = int(windows_of(sessions.moment, window).max()) + 1
    states = np.zeros((len(users), count, sessions.mass.shape[1]))
    for row, user in enumerate(users):
        at = slice(sessions.offsets[user], sessions.offsets[user + 1])
        mass = sessions.mass[at].toarray()
        if len(mass):
            by_window = np.zeros(states.shape[1:])
            np.add.at(by_window, windows_of(sessions.moment[at], window), mass)
            states[row] = smoothed(by_window, mass.mean(0))
    return states


def smoothed(mass: np.ndarray, usual: np.ndarray) -> np.ndarray:
    """Mass [..., K] as shares, smoothed towards the mass `usual` [..., K] of one of the user's sessions on average."""
    prior = SMOOTHING * usual
    return (mass + prior) / (mass + prior).sum(-1, keepdims=True)


def divergence(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Jensen-Shannon divergence of two states [..., K] in bits, from 0 to 1 (Lin 1991)."""
    middle = (first + second) / 2
    return (_relative(first, middle) + _relative(second, middle)) / 2


def _relative(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    return (p * np.log2(np.where(p > 0, p, 1) / np.where(p > 0, q, 1))).sum(-1)
