"""Is the first score's mean AUC above the others', by more than chance: on the same resamples."""

from __future__ import annotations

import numpy as np

from trajectory.metrics.significance import confidence_interval, holm


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
