"""How well a score finds users: lift at the top, hits among the highest scores, and its lead over other scores."""

from __future__ import annotations

import numpy as np

from trajectory.metrics.significance import confidence_interval, holm

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


def auc_differences(resampled: dict[str, np.ndarray]) -> dict[str, dict[str, float]]:
    """Of each other score: the mean difference, its 95 % interval, and the two-sided p-value of the bootstrap.

    `resampled`: score -> statistic [R], the first one ours, all on the same resamples. P-values are at least
    2 / (R + 1) and adjusted by Holm.
    """
    (_, ours), *others = resampled.items()
    differences = {}
    for name, other in others:
        lead = ours - other
        low, high = confidence_interval(lead)[:2]
        p = min(1.0, 2 * (min((lead <= 0).sum(), (lead >= 0).sum()) + 1) / (len(lead) + 1))
        differences[name] = {
            "difference": float(lead.mean()),
            "low": float(low),
            "high": float(high),
            "p_value": float(p),
        }
    for test, p in zip(differences.values(), holm([test["p_value"] for test in differences.values()]), strict=True):
        test["p_value"] = float(p)
    return differences
