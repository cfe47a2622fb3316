"""What the probabilities of single steps say of the probability within several: no two statements contradict."""

from __future__ import annotations

import numpy as np


def bounded(within: np.ndarray, probability: np.ndarray, baskets: bool) -> np.ndarray:
    """Probabilities of coming within steps 1..h [n, H, C], kept to what those at each step [n, H, C] allow.

    What comes at a step comes within it, and what comes within more steps is no less likely. Of single events, coming
    within steps is at most as likely as its steps' probabilities together, so the first step's are the same. (A
    basket's `probability` is that of a line drawn at random; it has several, so nothing holds it from above.)
    """
    within = np.maximum(within, probability)
    if not baskets:
        within = np.minimum(np.maximum.accumulate(within, axis=1), np.cumsum(probability, axis=1))
    return np.minimum(np.maximum.accumulate(within, axis=1), 1.0)


def at_least_items(interests: np.ndarray, items: np.ndarray, item_interest: np.ndarray) -> np.ndarray:
    """Probabilities of interests [n, H, K + 1], none below that of one of its items [n, H, V + 1]: whoever comes to the
    item comes to its interest.
    """
    of_items = item_interest[1 : items.shape[2]]
    order = 1 + np.argsort(of_items, kind="stable")
    there, first = np.unique(item_interest[order], return_index=True)
    least = np.zeros_like(interests)
    if len(there):
        least[:, :, there] = np.maximum.reduceat(items[:, :, order], first, axis=2)
    return np.maximum(interests, least)
