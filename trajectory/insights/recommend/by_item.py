"""Chances brought to how often each item came, as far as that is more than chance: else the largest were overstated."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import expit, gammaln

EDGES = np.arange(-16.0, 6.1, 0.5)  # of bins of log-odds
FURTHEST = 12.0  # that log-odds are moved
HALVINGS = 40


class ItemBins:
    """How many of each item's log-odds fall into which of narrow bins: what a shift of the item needs of them."""

    def __init__(self, num_items: int, group: np.ndarray | None = None) -> None:
        self.group = group  # int [V + 1], of each item: its interest
        self.count = np.zeros((num_items + 1, len(EDGES) + 1), np.int64)
        self.total = np.zeros(self.count.shape)  # of the log-odds in each
        self.observed = np.zeros(num_items + 1, np.int64)

    def add(self, log_odds: np.ndarray, some: np.ndarray, came: np.ndarray) -> None:
        """Counts `some` bool [n, V + 1] of the log-odds [n, V + 1], and which of these items `came`."""
        item = np.nonzero(some)[1]
        cell = item * self.count.shape[1] + np.searchsorted(EDGES, log_odds[some])
        self.count += np.bincount(cell, minlength=self.count.size).reshape(self.count.shape)
        self.total += np.bincount(cell, log_odds[some], minlength=self.count.size).reshape(self.count.shape)
        self.observed += (came & some).sum(axis=0)

    def shifts(self) -> np.ndarray:
        """What to add to each item's log-odds, float64 [V + 1], so that its chances add up to how often it came, shrunk
        (`shrunk_ratios`).
        """
        mean = self.total / np.maximum(self.count, 1)
        expected = (self.count * expit(mean)).sum(axis=1)
        wanted = expected * shrunk_ratios(expected, self.observed, self.group)
        low, high = np.full(len(wanted), -FURTHEST), np.full(len(wanted), FURTHEST)
        for _ in range(HALVINGS):
            shift = (low + high) / 2
            above = (self.count * expit(mean + shift[:, None])).sum(axis=1) > wanted
            low, high = np.where(above, low, shift), np.where(above, shift, high)
        return np.where(self.count.any(axis=1), (low + high) / 2, 0.0)


def shrunk_ratios(expected: np.ndarray, observed: np.ndarray, group: np.ndarray | None = None) -> np.ndarray:
    """How often each item came over how often it was `expected` to, float64 [C], shrunk to the ratio of all together.

    Counts are Poisson, and what they are expected to be is off by factors that are gamma distributed about the ratio of
    all, whose spread is that of maximum likelihood: each is its mean given the count (DuMouchel 1999). So the largest
    of many are not too large because chance made them so. Times `expected` they add up to what was `observed`, and half
    a one, so that none is no 0. With a `group` of each item, its ratio is shrunk to that of the group, and this to
    that of all.
    """
    if group is not None:
        of_groups = [np.bincount(group, column) for column in (expected, observed)]
        of_group = shrunk_ratios(*of_groups)[group]
        return of_group * shrunk_ratios(expected * of_group, observed)
    total = (observed.sum() + 0.5) / (expected.sum() + 0.5)
    level = expected * total
    some = level > 0
    if not some.any():
        return np.ones(len(expected))

    def loss(log_shape: float) -> float:
        shape, mean, count = np.exp(log_shape), level[some], observed[some]
        chance = gammaln(count + shape) - gammaln(shape) - shape * np.log1p(mean / shape)
        return -float((chance + count * (np.log(mean) - np.log(shape + mean))).sum())

    shape = np.exp(minimize_scalar(loss, bounds=(-4.0, 12.0), method="bounded").x)
    factor = (shape + observed) / (shape + level)
    return total * factor * level.sum() / (factor * level).sum()
