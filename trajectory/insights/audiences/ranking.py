"""How well a score finds users: lift at the top, and the hits among the users with the highest scores."""

from __future__ import annotations

import numpy as np

TOP = 0.1  # share of the users that a lift is of


def lift(outcome: np.ndarray, score: np.ndarray, share: float = TOP) -> float:
    """Rate of `outcome` among the `share` of users with the highest score over that of all; ties count in part."""
    expected, size = expected_hits(outcome, score), max(round(share * len(score)), 1)
    return float(expected[size] / size / max(outcome.mean(), 1e-12))


def expected_hits(outcome: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Outcomes among the 0, 1, ..., n users with the highest scores, float64 [n + 1], ties in random order."""
    _, group, size = np.unique(-score, return_inverse=True, return_counts=True)
    rate = np.bincount(group, outcome) / size
    return np.concatenate([[0.0], np.cumsum(np.repeat(rate, size))])
