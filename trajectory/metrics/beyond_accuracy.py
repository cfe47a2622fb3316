"""What lists of items are like beyond accuracy: how much of the catalogue they show, how new, how mixed they are."""

from __future__ import annotations

import numpy as np


def coverage(lists: np.ndarray, num_items: int) -> float:
    """Share of the catalogue that is in any of the lists int [n, N] (0 = empty slot)."""
    return len(np.setdiff1d(lists, [0])) / num_items


def novelty(lists: np.ndarray, popularity: np.ndarray) -> np.ndarray:
    """Mean surprise of each list's items in bits, float64 [n]: -log2 of the item's share of the events.

    `popularity` [V + 1], events of each item. Mean self-information, Castells et al. 2015, "Novelty and diversity in
    recommender systems".
    """
    share = (popularity + 1) / (popularity.sum() + len(popularity))
    there = lists > 0
    return (-np.log2(share[lists]) * there).sum(1) / np.maximum(there.sum(1), 1)


def diversity(lists: np.ndarray, item_interest: np.ndarray) -> np.ndarray:
    """Share of the pairs of each list's items that are of different interests, float64 [n].

    Intra-list diversity (Castells et al. 2015); items without an interest differ from all.
    """
    interest = np.where(lists > 0, item_interest[lists], 0)
    there = lists > 0
    same = (interest[:, :, None] == interest[:, None]) & (interest[:, :, None] > 0)
    number = there.sum(1)
    pairs = number * (number - 1)
    equal = same.sum((1, 2)) - (interest > 0).sum(1)
    return np.where(pairs > 0, 1 - equal / np.maximum(pairs, 1), np.nan)
