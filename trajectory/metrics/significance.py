"""How sure a mean over users is: bootstrap intervals and the paired comparison of two scorers.

NaN values are users that do not count. Users are the unit: they are resampled, with replacement, as a whole.

scipy.stats.bootstrap and permutation_test give the same (tests/metrics/test_significance.py). They are not used because
an evaluation resamples some thirty metrics of every user and compares dozens of pairs: for 20,000 users the bootstrap
of 30 columns with NaN takes scipy 11 times and one comparison 80 times as long. Holm's adjustment is not in scipy.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from trajectory.threads import one_thread

LEVEL = 0.95
BLOCK = 8  # resamples at once: memory is BLOCK x users
SIGNS = 2**16  # drawn at once where users are few: in blocks of eight resamples the loop would cost more than the sums


class ConfidenceInterval(NamedTuple):
    """Of a mean over users: the 95 % percentile interval and the standard error; floats, or arrays [m]."""

    low: np.ndarray | float
    high: np.ndarray | float
    standard_error: np.ndarray | float


@one_thread("blas")
def bootstrap(values: np.ndarray, resamples: int, seed: int) -> ConfidenceInterval:
    """Confidence interval of the mean of `values` [n] or of each column of [n, m], by `resamples` resamples of users.

    Percentile bootstrap (Efron & Tibshirani 1993). All columns see the same resamples; one in which nobody counts
    gives the plain mean. NaN where no user counts at all. Raises ValueError without users or with fewer than 2
    resamples.
    """
    table = np.asarray(values, np.float64)
    single = table.ndim == 1
    table = table[:, None] if single else table
    n = len(table)
    if n == 0 or resamples < 2:
        raise ValueError(f"expected at least 1 user and 2 resamples, got {n} and {resamples}")
    rng = np.random.default_rng(seed)
    counts = np.isfinite(table)
    sums_and_counts = np.concatenate([np.where(counts, table, 0), counts], axis=1)
    mean = _mean(sums_and_counts.sum(axis=0), np.nan)
    means = []
    for i in range(0, resamples, BLOCK):
        rows = min(BLOCK, resamples - i)
        drawn = rng.integers(n, size=(rows, n)) + n * np.arange(rows)[:, None]
        weight = np.bincount(drawn.ravel(), minlength=rows * n).reshape(rows, n).astype(np.float64)
        means.append(_mean(weight @ sums_and_counts, mean))
    resampled = np.concatenate(means)
    return confidence_interval(resampled[:, 0] if single else resampled)


def user_weights(user: np.ndarray, resamples: int, seed: int) -> Iterator[np.ndarray]:
    """How often each event is drawn in each resample of its users, int [at most BLOCK, n] at a time.

    `user` [n] = whose event it is.
    """
    _, number = np.unique(user, return_inverse=True)
    count, rng = int(number.max()) + 1, np.random.default_rng(seed)
    for i in range(0, resamples, BLOCK):
        yield rng.multinomial(count, np.full(count, 1 / count), size=min(BLOCK, resamples - i))[:, number]


def confidence_interval(resampled: np.ndarray) -> ConfidenceInterval:
    """Confidence interval of a statistic by its resamples [R], or of several [R, m]."""
    low, high = np.quantile(resampled, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    return ConfidenceInterval(low, high, resampled.std(axis=0, ddof=1))


@one_thread("blas")
def compare(values: np.ndarray, other: np.ndarray, resamples: int, seed: int) -> dict[str, float]:
    """Is the mean of `values` [n] above that of `other` [n] of the same users, by more than chance.

    Returns the mean difference, its 95 % bootstrap interval and the two-sided p-value of the paired randomisation
    test (signs of the differences flipped at random; Smucker, Allan & Carterette 2007), at least 1 / (resamples + 1).
    Users where either is NaN are left out. Raises ValueError if the arrays differ in length or share no user.
    """
    if len(values) != len(other):
        raise ValueError(f"expected two arrays over the same users, got {len(values)} and {len(other)} values")
    difference = np.asarray(values, np.float64) - np.asarray(other, np.float64)
    difference = difference[np.isfinite(difference)]
    interval = bootstrap(difference, resamples, seed)
    return {
        "difference": float(difference.mean()),
        "low": float(interval.low),
        "high": float(interval.high),
        "p_value": p_value(difference, resamples, seed),
    }


@one_thread("blas")
def p_value(difference: np.ndarray, resamples: int, seed: int) -> float:
    """The p-value of `compare` alone, of differences [n] between two scorers; those that are NaN are left out."""
    moved = difference[np.isfinite(difference) & (difference != 0)]  # a flipped 0 changes nothing
    rng, as_far = np.random.default_rng([seed, 1]), 1
    block = max(SIGNS // max(len(moved), 1) // BLOCK, 1) * BLOCK  # whole blocks of eight: the same signs in any size
    for i in range(0, resamples, block):
        sign = rng.integers(2, size=(min(block, resamples - i), len(moved)), dtype=np.int8) * 2.0 - 1
        # The tolerance keeps sums that are equal but for rounding.
        as_far += int((np.abs(sign @ moved) >= np.abs(moved.sum()) * (1 - 1e-12) - 1e-12).sum())
    return as_far / (resamples + 1)


def holm(p_values: Sequence[float]) -> np.ndarray:
    """P-values [m] adjusted for being m tests of one family (Holm 1979); NaN is no test and stays NaN.

    The smallest is multiplied by m, the next by m - 1 and so on; none is below one that was smaller, none above 1.
    """
    values = np.asarray(p_values, np.float64)
    order = np.argsort(values)[: np.isfinite(values).sum()]
    adjusted = np.full(len(values), np.nan)
    adjusted[order] = np.minimum(np.maximum.accumulate(values[order] * np.arange(len(order), 0, -1)), 1)
    return adjusted


def _mean(sums_and_counts: np.ndarray, otherwise: np.ndarray | float) -> np.ndarray:
    total, count = np.split(sums_and_counts, 2, axis=-1)
    return np.where(count > 0, total / np.maximum(count, 1), otherwise)
