"""Rates from few trials: beta-binomial laws fitted to all, by which a rate of two trials is not 0 % or 100 %.

Empirical Bayes: the prior's mean and strength are the most likely ones. Where units are few, or none was hit, the
likelihood alone would run to an end: of the strength, each weight of a unit's own trials beside the prior is held as
likely as another (uniform shrinkage, Daniels 1999), of the mean half a hit and half a miss are added. Intervals are
widened by what is not known of the prior's mean (Kass & Steffey 1989). Trials are taken as independent.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize, minimize_scalar
from scipy.special import betaln, expit
from scipy.stats import beta

LEVEL = 0.9
STRENGTH = (0.05, 1e6)  # trials' worth of a prior: least and most (units that are alike)
ROUNDS = 3  # of fitting groups and units in turn


class Rates(NamedTuple):
    """What is known of n rates."""

    mean: np.ndarray  # float64 [n]
    variance: np.ndarray  # float64 [n]

    def interval(self) -> tuple[np.ndarray, np.ndarray]:
        """Ends of the 90 % intervals, by beta laws of these means and variances."""
        count = np.maximum(self.mean * (1 - self.mean) / self.variance - 1, 1e-3)
        low, high = beta.ppf([[(1 - LEVEL) / 2], [(1 + LEVEL) / 2]], self.mean * count, (1 - self.mean) * count)
        return low, high


def in_groups(hits: np.ndarray, trials: np.ndarray, group: np.ndarray) -> Rates:
    """Rates of units, each shrunk towards that of its group, and a group's to that of all; `group` int [n], from 0.

    In a group's mean a unit of many trials counts for no more than units differ.
    """
    strength, groups = STRENGTH[1], int(group.max()) + 1
    for _ in range(ROUNDS):
        weight = (strength + 1) / (strength + trials)
        within = together(np.bincount(group, weight * hits, groups), np.bincount(group, weight * trials, groups))
        strength = _strength(hits, trials, within.mean[group])
    return _posterior(hits, trials, Rates(within.mean[group], within.variance[group]), strength)


def together(hits: np.ndarray, trials: np.ndarray) -> Rates:
    """Rates of units [n] that are shrunk towards that of all."""

    def loss(point: np.ndarray) -> float:
        mean, strength = expit(point[0]), np.exp(point[1])
        return _loss(hits, trials, mean, strength) - 0.5 * float(np.log(mean) + np.log1p(-mean))

    plain = (hits.sum() + 0.5) / (trials.sum() + 1)
    bounds = [(-20.0, 20.0), tuple(np.log(STRENGTH))]
    starts = [np.array([np.log(plain / (1 - plain)), np.log(strength)]) for strength in (10.0, 1e4)]
    best = min((minimize(loss, start, method="L-BFGS-B", bounds=bounds) for start in starts), key=lambda one: one.fun)
    mean, strength = float(expit(best.x[0])), float(np.exp(best.x[1]))
    known = trials > 0
    informed = (trials[known] * (strength + 1) / (strength + trials[known])).sum()
    variance = mean * (1 - mean) / max(float(informed), 1.0)
    return _posterior(hits, trials, Rates(np.array(mean), np.array(variance)), strength)


def _strength(hits: np.ndarray, trials: np.ndarray, mean: np.ndarray) -> float:
    found = minimize_scalar(
        lambda log: _loss(hits, trials, mean, np.exp(log)), bounds=tuple(np.log(STRENGTH)), method="bounded"
    )
    return float(np.exp(found.x))


def _loss(hits: np.ndarray, trials: np.ndarray, mean: np.ndarray | float, strength: float) -> float:
    """Negative log-likelihood of beta-binomial counts, and of the strength; without what does not depend on the law."""
    a, b = mean * strength, (1 - mean) * strength
    usual = float(trials[trials > 0].mean()) if (trials > 0).any() else 1.0
    own = np.log(strength) - 2 * np.log(usual + strength)
    return -float((betaln(a + hits, b + trials - hits) - betaln(a, b)).sum() + own)


def _posterior(hits: np.ndarray, trials: np.ndarray, prior: Rates, strength: float) -> Rates:
    mean = (prior.mean * strength + hits) / (strength + trials)
    own = mean * (1 - mean) / (strength + trials + 1)
    return Rates(mean, own + (strength / (strength + trials)) ** 2 * prior.variance)
