"""Area under the ROC curve of a score, plain or under many weightings of the same rows at once.

scikit-learn's roc_auc_score gives the same (tests/metrics/test_auc.py). It takes one weighting a call and sorts anew in
each: for 500 bootstrap resamples of 3,000 rows that is 8 times as long.
"""

from __future__ import annotations

import numpy as np


def auc(outcome: np.ndarray, score: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """Area under the ROC curve (Hanley & McNeil 1982), float64 [R]: ties count half.

    `outcome` bool [n] = what the `score` [n] ranks; `weights` [R, n] = how often each row counts in each of R
    resamples (default: once, R = 1). NaN where a resample holds rows of one outcome only.
    """
    weights = np.ones((1, len(score))) if weights is None else weights
    order = np.argsort(score, kind="stable")
    ranked = np.asarray(score)[order]
    begins = np.ones(len(order), bool)  # where a run of equal scores begins
    begins[1:] = ranked[1:] != ranked[:-1]
    starts = np.flatnonzero(begins)
    count, positives = weights[:, order].astype(np.float64), np.asarray(outcome, bool)[order]
    positive = np.add.reduceat(count * positives, starts, axis=1)
    negative = np.add.reduceat(count * ~positives, starts, axis=1)
    below = np.cumsum(negative, axis=1) - negative / 2
    pairs = positive.sum(axis=1) * negative.sum(axis=1)
    return np.where(pairs > 0, (positive * below).sum(axis=1) / np.where(pairs > 0, pairs, 1), np.nan)
