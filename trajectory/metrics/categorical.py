"""Categorical forecasts and their targets: what they must be, their proper scores, and going through them in blocks.

A forecast is natural-log probabilities [n, C] (-inf: the column cannot come). A target is one column per row, int [n],
or weights over the columns, float [n, C] with rows that sum to 1: the shares of the lines of a basket.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

LOG_FLOOR = float(np.log(1e-12))  # a target that was held impossible costs 27.6 nats, so that means stay finite
BLOCK = 100_000  # entries at once: a catalogue would not fit in memory several times over, these in a cache
TOLERANCE = 1e-3  # of a row's sum: forecasts come in float32


class RowBlock(NamedTuple):
    """Some rows of a forecast and of its target."""

    rows: slice
    log_p: np.ndarray  # float64 [b, C]
    weight: np.ndarray  # float64 [b, C]


class Scores(NamedTuple):
    """Proper scores of each row; the smaller, the better."""

    nll: np.ndarray  # float64 [n], nats
    brier: np.ndarray  # float64 [n], 0..2


def check(log_p: np.ndarray, target: np.ndarray) -> None:
    """Raises ValueError unless `log_p` is a forecast and `target` is one that it could have been made for."""
    if log_p.ndim != 2 or not len(log_p):
        raise ValueError(f"expected log-probabilities [n, C] of at least one row, got an array of shape {log_p.shape}")
    n, columns = log_p.shape
    size = max(1, BLOCK // columns)
    for i in range(0, n, size):
        total = np.exp(log_p[i : i + size].astype(np.float64)).sum(axis=1)
        if not (np.abs(total - 1) <= TOLERANCE).all():
            raise ValueError("expected log-probabilities whose exponents sum to 1 in each row: apply log_softmax first")
    if target.shape == (n,) and np.issubdtype(target.dtype, np.integer):
        if not ((target >= 0) & (target < columns)).all():
            raise ValueError(f"expected target columns 0..{columns - 1}, got {target.min()}..{target.max()}")
    elif target.shape == (n, columns):
        if not ((target >= 0).all() and (np.abs(target.sum(axis=1) - 1) <= TOLERANCE).all()):
            raise ValueError("expected target weights that are at least 0 and sum to 1 in each row: divide by the sum")
    else:
        raise ValueError(
            f"expected targets int [{n}] or weights [{n}, {columns}], got {target.dtype} of shape {target.shape}"
        )


def blocks(log_p: np.ndarray, target: np.ndarray) -> Iterator[RowBlock]:
    """All rows in order, as many at once as fit; a target column becomes a weight of 1."""
    n, columns = log_p.shape
    size = max(1, BLOCK // columns)
    for i in range(0, n, size):
        rows = slice(i, i + size)
        part = target[rows]
        weight = part if part.ndim == 2 else part[:, None] == np.arange(columns)
        yield RowBlock(rows, log_p[rows].astype(np.float64), weight.astype(np.float64))


def proper_scores(log_p: np.ndarray, target: np.ndarray) -> Scores:
    """Negative log-likelihood and multi-class Brier score (Brier 1950) of a line drawn at random from each target.

    `log_p` [n, C], `target` int [n] or weights [n, C]. The Brier score of a line is the sum over the columns of
    (p - 1 if it is the line's, else p) squared. Raises ValueError as `check` does.
    """
    check(log_p, target)
    nll, brier = [], []
    for _, part, weight in blocks(log_p, target):
        p = np.exp(part)
        nll.append(-(weight * np.maximum(part, LOG_FLOOR)).sum(axis=1))
        brier.append((p * p).sum(axis=1) - 2 * (weight * p).sum(axis=1) + weight.sum(axis=1))
    return Scores(np.concatenate(nll), np.concatenate(brier))
