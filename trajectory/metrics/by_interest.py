"""Chances of items summed over the interests, or other groups, that the items belong to."""

from __future__ import annotations

import numpy as np

from trajectory.schema import Histories


def by_group(group: np.ndarray, groups: int, chance: np.ndarray) -> np.ndarray:
    """Sums of `chance` [..., V] over the items of each group 0..groups - 1, [..., groups]; `group` int [V] of each."""
    order = np.argsort(group, kind="stable")
    some, first = np.unique(group[order], return_index=True)
    sums = np.zeros((*chance.shape[:-1], groups), chance.dtype)
    if len(some):
        sums[..., some] = np.add.reduceat(chance[..., order], first, axis=-1)
    return sums


def by_interest(histories: Histories, chance: np.ndarray) -> np.ndarray:
    """Sums of `chance` [..., V + 1] over each interest's items, [..., K + 1]; column 0: items without one."""
    return by_group(histories.item_interest[1 : chance.shape[-1]], len(histories.interests) + 1, chance[..., 1:])


def log_by_interest(histories: Histories, log_p: np.ndarray) -> np.ndarray:
    """The same of log-probabilities."""
    with np.errstate(divide="ignore"):
        return np.log(by_interest(histories, np.exp(log_p)))
