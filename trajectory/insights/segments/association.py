"""How far segments go together with what is known of households."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl

from trajectory.metrics.significance import holm

PERMUTATIONS = 499
KNOWN = 100  # users of whom a column must be known


class Association(NamedTuple):
    """Of segments and one column."""

    column: str
    users: int
    strength: float  # Cramer's V, corrected for chance: 0 none, 1 the one tells the other
    p_value: float  # of permutations, adjusted for all columns


def associations(label: np.ndarray, words: pl.DataFrame, seed: int = 0) -> list[Association]:
    """Of each column of `words` (n rows, null: not known) with the segments [n]; p-values by Holm over columns.

    Cramer's V with the bias correction of Bergsma (2013); chi-square by permutation of the segments.
    """
    rows = []
    for name in words.columns:
        there = words[name].is_not_null().to_numpy()
        if there.sum() >= KNOWN:
            rows.append((name, *_one(label[there], words[name].drop_nulls().to_numpy(), seed)))
    adjusted = holm([p for *_, p in rows])
    return [Association(name, users, v, float(p)) for (name, users, v, _), p in zip(rows, adjusted, strict=True)]


def _one(label: np.ndarray, word: np.ndarray, seed: int) -> tuple[int, float, float]:
    n, rng = len(label), np.random.default_rng(seed)
    (groups, label), (words, word) = (np.unique(values, return_inverse=True) for values in (label, word))
    rows, columns = len(groups), len(words)
    observed = _phi2(label, word, rows, columns)
    chance = [_phi2(rng.permutation(label), word, rows, columns) for _ in range(PERMUTATIONS)]
    p = (1 + sum(value >= observed - 1e-12 for value in chance)) / (PERMUTATIONS + 1)
    corrected = max(observed - (rows - 1) * (columns - 1) / (n - 1), 0)
    sides = (side - (side - 1) ** 2 / (n - 1) for side in (rows, columns))
    return n, float(np.sqrt(corrected / max(min(sides) - 1, 1e-12))), p


def _phi2(label: np.ndarray, word: np.ndarray, rows: int, columns: int) -> float:
    """Chi-square over n, of codes 0..rows - 1 and 0..columns - 1 that all occur."""
    table = np.bincount(label * columns + word, minlength=rows * columns).reshape(rows, columns).astype(np.float64)
    expected = table.sum(1, keepdims=True) * table.sum(0) / table.sum()
    return float(((table - expected) ** 2 / expected).sum() / table.sum())
