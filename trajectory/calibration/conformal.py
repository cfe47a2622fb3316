"""Split conformal prediction sets: how many columns to name so that the truth is among them with a stated probability.

Rows are users, exchangeable between calibration and test. Of a basket, a set covers a line drawn at random: each row
brings its target's weights, and the threshold counts them as Lee, Barber & Willett (2023) do for grouped data. The
guarantee is 1 - alpha on average over calibration samples; it holds per group only where a group has its own threshold.

Own code, as no library takes weighted targets or a catalogue in blocks. Of one target a row, sets are those of crepes
(tests/calibration/test_conformal.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import beta

from trajectory.metrics.categorical import blocks, check

METHODS = ("lac", "aps")
LEAST_ROWS = 100  # a group with fewer calibration rows takes the threshold of all
LEVEL = 0.95


class Sets(NamedTuple):
    """Of each row's set."""

    size: np.ndarray  # int64 [n], columns
    covered: np.ndarray  # float64 [n], the target's weight inside


@dataclass(frozen=True)
class Conformal:
    """Thresholds of the score up to which columns belong to a set: of all rows, and of the groups that have their own.

    Groups are known by their text. `pooled` names those that had too few calibration rows for a threshold.
    """

    method: str
    alpha: float
    seed: int
    threshold: float
    thresholds: dict[str, float]
    pooled: tuple[str, ...]

    def sets(self, log_p: np.ndarray, target: np.ndarray, group: np.ndarray | None = None) -> Sets:
        """Size and coverage of each row's set; arguments as of `calibrate`, of other users."""
        check(log_p, target)
        limit = np.array([self.thresholds.get(name, self.threshold) for name in _names(group, len(log_p))])
        size, covered = [], []
        # Test rows draw other numbers than calibration rows did.
        for rows, score, weight in _scores(self.method, log_p, target, np.random.default_rng([self.seed, 1])):
            inside = score <= limit[rows, None]
            size.append(inside.sum(axis=1))
            covered.append((weight * inside).sum(axis=1))
        return Sets(np.concatenate(size), np.concatenate(covered))

    def members(self, log_p: np.ndarray) -> np.ndarray:
        """Whether each column belongs to the row's set, by the threshold of all rows: bool [n, C] of `log_p` [n, C]."""
        nothing = np.zeros(len(log_p), np.int64)  # no target plays a part
        scores = _scores(self.method, log_p, nothing, np.random.default_rng([self.seed, 1]))
        return np.concatenate(
            [np.zeros((0, log_p.shape[1]), bool), *(score <= self.threshold for _, score, _ in scores)]
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Conformal:
        """What `to_dict` gave, possibly after a way through JSON."""
        return cls(**(values | {"pooled": tuple(values["pooled"])}))


def calibrate(
    log_p: np.ndarray,
    target: np.ndarray,
    group: np.ndarray | None = None,
    *,
    method: str = "lac",
    alpha: float = 0.1,
    seed: int = 0,
) -> Conformal:
    """Thresholds from calibration rows for sets that cover with probability 1 - `alpha`.

    `log_p` [n, C]; `target` int [n] or weights [n, C]; `group` [n] = what has a threshold of its own (Mondrian: Vovk et
    al. 2003), if it has 100 rows. "lac" scores 1 - p: the smallest sets on average (Sadinle, Lei & Wasserman 2019);
    "aps" scores the mass above plus a random part of the column's own: more even coverage (Romano, Sesia & Candes
    2020), `seed` draws that part. Raises ValueError for another method or alpha, or if the arrays do not fit.
    """
    check(log_p, target)
    if method not in METHODS or not 0 < alpha < 1:
        raise ValueError(f"expected a method out of {', '.join(METHODS)} and 0 < alpha < 1, got {method!r} and {alpha}")
    names = _names(group, len(log_p))
    owner, score, mass = [], [], []
    for rows, values, weight in _scores(method, log_p, target, np.random.default_rng([seed, 0])):
        row, column = np.nonzero(weight)
        owner.append(row + rows.start)
        score.append(values[row, column])
        mass.append(weight[row, column])
    row, value, share = np.concatenate(owner), np.concatenate(score), np.concatenate(mass)
    own, few = {}, []
    for name, count in zip(*np.unique(names, return_counts=True), strict=True) if group is not None else ():
        if count < LEAST_ROWS:
            few.append(str(name))
        else:
            of_group = names[row] == name
            own[str(name)] = _quantile(value[of_group], share[of_group], int(count), alpha)
    return Conformal(method, alpha, seed, _quantile(value, share, len(log_p), alpha), own, tuple(few))


def coverage(sets: Sets, alpha: float, group: np.ndarray | None = None) -> dict[str, dict[str, Any]]:
    """Of "all" rows and of each group by its text: coverage, its 95 % interval `low` to `high`, nominal_inside (is
    1 - `alpha` within it), mean_size, median_size, n.

    The interval is Clopper & Pearson's (1934) at the number of rows; of baskets the covered shares count as if they
    were whole rows, which is wider than need be. It takes the thresholds as given: how they vary with the calibration
    rows comes on top.
    """
    names = _names(group, len(sets.size))
    chosen = {"all": np.ones(len(names), bool)}
    chosen |= {str(name): names == name for name in np.unique(names)} if group is not None else {}
    return {name: _coverage(sets.size[rows], sets.covered[rows], alpha) for name, rows in chosen.items()}


def _coverage(size: np.ndarray, covered: np.ndarray, alpha: float) -> dict[str, Any]:
    n, hits, tail = len(size), float(covered.sum()), (1 - LEVEL) / 2
    low = float(beta.ppf(tail, hits, n - hits + 1)) if hits > 0 else 0.0
    high = float(beta.ppf(1 - tail, hits + 1, n - hits)) if hits < n else 1.0
    measured = {"coverage": hits / n, "low": low, "high": high, "nominal_inside": low <= 1 - alpha <= high}
    return measured | {"mean_size": float(size.mean()), "median_size": float(np.median(size)), "n": n}


def _quantile(score: np.ndarray, share: np.ndarray, rows: int, alpha: float) -> float:
    """The least score with (1 - alpha)(rows + 1) of the rows' weight at or below it; 1, the greatest, if there is none.

    The one row more is the test row's, which could be anything.
    """
    order = np.argsort(score)
    enough = np.cumsum(share[order]) >= (1 - alpha) * (rows + 1) - 1e-9 * rows  # sums of shares are rounded
    return float(score[order][enough.argmax()]) if enough.any() else 1.0


def _scores(
    method: str, log_p: np.ndarray, target: np.ndarray, rng: np.random.Generator
) -> Iterator[tuple[slice, np.ndarray, np.ndarray]]:
    """Rows, scores [b, C] of all their columns, in 0..1 (1 = of those that cannot come), and target weights [b, C]."""
    for rows, part, weight in blocks(log_p, target):
        p = np.exp(part)
        yield rows, 1 - p if method == "lac" else _mass_above(p, rng.random((len(p), 1))), weight


def _mass_above(p: np.ndarray, part: np.ndarray) -> np.ndarray:
    """The sum of the row's greater probabilities, plus `part` [b, 1] of the column's own; equal ones share a place."""
    order = np.argsort(-p, axis=1, kind="stable")
    ordered = np.take_along_axis(p, order, axis=1)
    before = np.cumsum(ordered, axis=1) - ordered
    first = np.ones(p.shape, bool)
    first[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    above = np.empty_like(p)
    # Of equal probabilities the first one's sum holds for all: sums only grow along a row.
    np.put_along_axis(above, order, np.maximum.accumulate(np.where(first, before, 0), axis=1), axis=1)
    return np.where(p > 0, np.minimum(above + part * p, 1), 1.0)


def _names(group: np.ndarray | None, rows: int) -> np.ndarray:
    if group is not None and group.shape != (rows,):
        raise ValueError(f"expected a group for each of {rows} rows, got an array of shape {group.shape}")
    return np.full(rows, "all") if group is None else group.astype(str)
