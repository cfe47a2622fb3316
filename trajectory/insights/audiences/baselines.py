"""The rivals of an audience: RFM, frequency in the category, and gradient boosting on hand-made counts."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.stats import rankdata
from sklearn.ensemble import HistGradientBoostingClassifier

from trajectory.insights.audiences.counts import Counts, hand_made

# Chosen on validation, of trees of 3 to 31 leaves, so that boosting is no weaker than it can be.
TREES: dict[str, Any] = {"learning_rate": 0.1, "max_iter": 100, "max_leaf_nodes": 6, "min_samples_leaf": 100}
QUINTILES = 5


def rfm(since: np.ndarray, frequency: np.ndarray, spent: np.ndarray) -> np.ndarray:
    """Sum of the quintiles (1 to 5) of recency, frequency and money among n users, ties of sums by rank [n].

    The usual scoring of database marketing (Hughes 1994).
    """
    ranks = np.stack([rankdata(-since), rankdata(frequency), rankdata(spent)]) / len(since)
    return np.ceil(ranks * QUINTILES).sum(0) + ranks.mean(0)


def boosted(counts: np.ndarray, outcome: np.ndarray, rows: np.ndarray, settings: dict[str, Any]) -> np.ndarray:
    """Probability [m] that boosted trees learned from `counts` [n, F] give `rows` [m, F]."""
    trees = HistGradientBoostingClassifier(**settings, early_stopping=False, random_state=0).fit(counts, outcome)
    return trees.predict_proba(rows)[:, 1]


def goods_rivals(
    counts: Counts, then: Counts, bought: np.ndarray, chosen: np.ndarray, spent: np.ndarray
) -> dict[str, np.ndarray]:
    """Scores [n, g] of the rivals; boosting learns from `then` and what those users `bought` [m, G] after it."""
    n, g = len(counts.idle), len(chosen)
    past, now = (hand_made(part, chosen) for part in (then, counts))
    trees = boosted(past.reshape(-1, past.shape[-1]), bought[:, chosen].ravel(), now.reshape(n * g, -1), TREES)
    score = rfm(counts.idle, counts.steps[:, 1], spent)
    return {
        "gradient boosting on counts": trees.reshape(n, g),
        "own frequency in it": counts.ever[:, chosen] + 1e-3 * counts.steps[:, [1]],
        "own frequency in it, 12 weeks": counts.season[:, chosen] + 1e-3 * counts.ever[:, chosen],
        "RFM": np.broadcast_to(score[:, None], (n, g)),
    }
