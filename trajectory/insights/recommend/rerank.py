"""Lists that hold a user's interests in their proportions, not the strongest one alone."""

from __future__ import annotations

import numpy as np

CANDIDATES = 50  # of each user, the most relevant
SMOOTHING = 0.01  # share of the wanted mix in the list's own, so that the divergence is finite


def calibrated(scores: np.ndarray, mix: np.ndarray, item_interest: np.ndarray, size: int, share: float) -> np.ndarray:
    """Lists int64 [n, size] of items, best first, chosen greedily for relevance and the wanted mix of interests.

    Calibrated recommendations (Steck 2018): each place goes to the item that most raises (1 - share) * mean probability
    - share * KL(wanted mix || mix of the list). `scores` [n, V + 1] are log-odds (-inf: never), `mix` [n, K + 1]
    the wanted shares, `share` from 0 (relevance alone) to below 1. Slots beyond the last candidate hold 0.
    """
    count = min(max(CANDIDATES, 2 * size), scores.shape[1] - 1)
    items = 1 + np.argpartition(-scores[:, 1:], count - 1, axis=1)[:, :count]
    value = np.take_along_axis(scores, items, axis=1)
    order = np.argsort(-value, axis=1, kind="stable")
    items, value = np.take_along_axis(items, order, axis=1), np.take_along_axis(value, order, axis=1)
    chance = 1 / (1 + np.exp(-value))
    rows = np.arange(len(items))
    interest = item_interest[items]
    wanted = mix / np.maximum(mix.sum(axis=1, keepdims=True), 1e-12)
    held = np.zeros_like(wanted)
    free = np.isfinite(value)
    lists = np.zeros((len(items), size), np.int64)
    of_own = np.take_along_axis(wanted, interest, axis=1)  # wanted share of each candidate's interest
    for place in range(size):
        # Adding an item changes the divergence in the column of its interest, beside a common rescaling.
        now = np.take_along_axis(held, interest, axis=1)
        low, high = ((1 - SMOOTHING) * x / (place + 1) + SMOOTHING * of_own for x in (now, now + 1))
        gain = np.where(of_own > 0, of_own * np.log(np.maximum(high, 1e-12) / np.maximum(low, 1e-12)), 0)
        merit = np.where(free, (1 - share) * chance / size + share * gain, -np.inf)
        best = merit.argmax(axis=1)
        some = free[rows, best]
        lists[:, place] = np.where(some, items[rows, best], 0)
        held[rows, interest[rows, best]] += some
        free[rows, best] = False
    return lists
