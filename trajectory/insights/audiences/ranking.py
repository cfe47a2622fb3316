"""How well a score ranks users: area under the ROC curve and lift at the top, with resamples of the users."""

from __future__ import annotations

import numpy as np

TOP = 0.1  # share of the users that a lift is of


def auc(outcome: np.ndarray, score: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """Area under the ROC curve of `score` [n] for `outcome` bool [n], ties counting half; float64 [R].

    `weights` [R, n] says how often each user counts in each of R resamples (default: once, R = 1). NaN where a resample
    has users of one outcome only.
    """
    weights = np.ones((1, len(score)), np.float32) if weights is None else weights
    order = np.argsort(score, kind="stable")
    starts = np.flatnonzero(np.diff(score[order], prepend=-np.inf) > 0) if len(order) else order
    ordered, came = weights[:, order].astype(np.float64), outcome[order]
    positive = np.add.reduceat(ordered * came, starts, axis=1)
    negative = np.add.reduceat(ordered * ~came, starts, axis=1)
    below = np.cumsum(negative, axis=1) - negative / 2
    pairs = positive.sum(1) * negative.sum(1)
    return np.where(pairs > 0, (positive * below).sum(1) / np.where(pairs > 0, pairs, 1), np.nan)


def lift(outcome: np.ndarray, score: np.ndarray, share: float = TOP) -> float:
    """Rate of `outcome` among the `share` of users with the highest score over that of all; ties count in part."""
    expected, size = expected_hits(outcome, score), max(round(share * len(score)), 1)
    return float(expected[size] / size / max(outcome.mean(), 1e-12))


def expected_hits(outcome: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Outcomes among the 0, 1, ..., n users with the highest scores, float64 [n + 1], ties in random order."""
    _, group, size = np.unique(-score, return_inverse=True, return_counts=True)
    rate = np.bincount(group, outcome) / size
    return np.concatenate([[0.0], np.cumsum(np.repeat(rate, size))])
