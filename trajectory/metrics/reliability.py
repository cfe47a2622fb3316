"""Whether probabilities mean what they say: calibration error beside what chance alone would show, and its diagram.

What is measured are pairs of a probability and the outcome that it was for. They come from `top_pairs` (the most likely
column), `column_pairs` (each column: class-wise), `event_pairs` or `clustered_pairs` (binary). Users are independent.

Bins of equal mass are those of scikit-learn's calibration_curve (tests/metrics/test_reliability.py). Own code for what
no library has: outcomes that are shares of baskets, equal probabilities that share a bin, and the band of chance.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from trajectory.metrics.binary import binary_nll, check_binary
from trajectory.metrics.categorical import blocks, check, proper_scores

BINS = 15
LEVEL = 0.95
SIMULATIONS = 1000
ROUNDING = 1e-9  # of means; probabilities of whole rows have no bias but this
BLOCK = 4_000_000  # simulated values at once
GROUPS = 4096  # of about equally likely events


class Pairs(NamedTuple):
    """Probabilities, their outcomes, and how the outcomes would fall were the probabilities true."""

    confidence: np.ndarray  # float64 [N]
    outcome: np.ndarray  # float64 [N], 0..1
    users: int
    nll: float  # of the whole forecast, mean, nats
    brier: float  # likewise
    simulate: Callable[[np.ndarray, int, np.random.Generator], np.ndarray]  # bins [N], R -> sums of outcomes [R, BINS]


def top_pairs(log_p: np.ndarray, target: np.ndarray, lines: np.ndarray | None = None) -> Pairs:
    """The probability of each row's most likely column against being hit: the target's weight on it.

    `log_p` [n, C]; `target` int [n], or weights [n, C] with the number of `lines` int [n] that they are shares of.
    Where several columns are most likely, the outcome is their mean weight. Simulated targets are `lines` independent
    draws from the forecast. Raises ValueError as `categorical.check` does, or if `lines` are missing.
    """
    lines = _lines(log_p, target, lines)
    confidence, outcome, chance, tied = [], [], [], []
    for _, part, weight in blocks(log_p, target):
        top = part.max(axis=1)
        best = part == top[:, None]
        number = best.sum(axis=1)
        confidence.append(np.exp(top))
        outcome.append((weight * best).sum(axis=1) / number)
        chance.append(np.minimum(np.exp(top) * number, 1))
        tied.append(number)
    any_hit, divisor = np.concatenate(chance), lines * np.concatenate(tied)

    def simulate(bins: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
        membership = np.eye(BINS)[bins]
        sizes = _sizes(count, len(bins))
        return np.concatenate([rng.binomial(lines, any_hit, (r, len(bins))) / divisor @ membership for r in sizes])

    return Pairs(np.concatenate(confidence), np.concatenate(outcome), len(log_p), *_means(log_p, target), simulate)


def column_pairs(log_p: np.ndarray, target: np.ndarray, lines: np.ndarray | None = None) -> Pairs:
    """Each column's probability against the target's weight on it, pooled over rows x columns; for few columns.

    Class-wise calibration (Kull et al. 2019), pooled. Arguments and errors as of `top_pairs`. Simulated targets are
    `lines` independent draws from the row's forecast, so its columns depend on each other as they do in truth; lines
    of real baskets that go together more than that would widen the band, so it errs on the strict side.
    """
    lines = _lines(log_p, target, lines)
    parts = [(np.exp(part), weight) for _, part, weight in blocks(log_p, target)]
    p, outcome = (np.concatenate(values) for values in zip(*parts, strict=True))

    def simulate(bins: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
        # Columns of one row in one bin are as one column: only their sum is asked for.
        chance = _by_row(p, bins)
        chance /= chance.sum(axis=1, keepdims=True)
        drawn = (rng.multinomial(lines, chance, (r, len(p))) for r in _sizes(count, chance.size))
        return np.concatenate([np.einsum("rnb,n->rb", lots, 1 / lines) for lots in drawn])

    return Pairs(p.ravel(), outcome.ravel(), len(log_p), *_means(log_p, target), simulate)


def event_pairs(p: np.ndarray, outcome: np.ndarray, draws: np.ndarray | None = None) -> Pairs:
    """The probability of each event against whether it came, pooled: `p` and `outcome` (0 / 1) are [n] or [n, K].

    Without `draws` simulated outcomes are independent, also those of one row. `draws` bool [R, n, K], outcomes sampled
    jointly for each row (from its paths), make those of a row as dependent as there: only their deviations from their
    own mean are used, so `p` may have been recalibrated since. Raises ValueError if the arrays do not fit. Where what
    events of one user have in common is not known from paths: `clustered_pairs`.
    """
    check_binary(p, outcome)
    rows = np.asarray(p, np.float64).reshape(len(p), -1)
    if draws is not None and (draws.shape[1:] != rows.shape or len(draws) < 2):
        raise ValueError(f"expected draws [R, {len(rows)}, {rows.shape[1]}] with R >= 2, got shape {draws.shape}")

    def independent(bins: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
        # Events of a bin that are about equally likely are drawn at once: within a group the spread of p is small.
        order = np.lexsort((rows.ravel(), bins))
        first = np.flatnonzero(np.diff(bins[order], prepend=-1))
        starts = np.unique(np.concatenate([first, np.arange(0, rows.size, max(rows.size // GROUPS, 1))]))
        size = np.diff(starts, append=rows.size)
        chance = np.clip(np.add.reduceat(rows.ravel()[order], starts) / size, 0, 1)
        membership = np.eye(BINS)[bins[order][starts]]
        return np.concatenate(
            [rng.binomial(size, chance, (r, len(size))) @ membership for r in _sizes(count, len(size))]
        )

    def joint(bins: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
        assert draws is not None
        deviation = np.stack([_by_row(draw, bins) for draw in draws])
        deviation -= deviation.mean(axis=0)
        row, expected = np.arange(len(rows)), _by_row(rows, bins).sum(axis=0)
        chosen = (rng.integers(len(draws), size=(r, len(rows))) for r in _sizes(count, len(rows) * BINS))
        return expected + np.concatenate([deviation[choice, row].sum(axis=1) for choice in chosen])

    nll, brier = binary_nll(rows, outcome.reshape(rows.shape)).mean(), ((p - outcome) ** 2).mean()
    simulate = independent if draws is None else joint
    return Pairs(rows.ravel(), outcome.ravel().astype(np.float64), len(rows), float(nll), float(brier), simulate)


def clustered_pairs(p: np.ndarray, outcome: np.ndarray, user: np.ndarray) -> Pairs:
    """As `event_pairs` of p and outcome [n], of users [n] (int) whose events go together: who comes buys much.

    Simulated outcomes stray from the forecasts by what each user's events strayed from their bin's mean, in sum and
    with a sign drawn for each user (wild cluster bootstrap, Cameron, Gelbach & Miller 2008), so that they depend on
    each other as they do in truth, and a bin's own miss does not widen the band. Raises ValueError if arrays do not
    fit.
    """
    if user.shape != p.shape or p.ndim != 1:
        raise ValueError(f"expected a user for each of {p.shape} events in one row, got {user.shape}")
    plain = event_pairs(p, outcome)
    residual, (users, number) = plain.outcome - plain.confidence, np.unique(user, return_inverse=True)

    def simulate(bins: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
        miss = _sums(residual, bins) / np.maximum(np.bincount(bins, minlength=BINS), 1)
        place = number * BINS + bins
        strayed = np.bincount(place, residual - miss[bins], len(users) * BINS).reshape(len(users), BINS)
        signs = (rng.choice([-1.0, 1.0], (r, len(users))) for r in _sizes(count, len(users)))
        return _sums(plain.confidence, bins) + np.concatenate([sign @ strayed for sign in signs])

    return plain._replace(users=len(users), simulate=simulate)


def calibration_error(pairs: Pairs) -> float:
    """Expected calibration error (Naeini et al. 2015) over 15 bins of equal mass; equal probabilities share a bin."""
    bins = _bins(pairs.confidence)
    return float(_errors(_sums(pairs.outcome, bins), pairs.confidence, bins))


def band(pairs: Pairs, simulations: int = SIMULATIONS, seed: int = 0) -> tuple[float, float]:
    """95 % band of the calibration error that a perfectly calibrated model with these forecasts would show.

    Quantiles over `simulations` outcomes drawn from the forecasts ("consistency resampling", Broecker & Smith 2007;
    Vaicenavicius et al. 2019). Raises ValueError with fewer than 2 simulations.
    """
    bins = _bins(pairs.confidence)
    low, high = _quantiles(_errors(_simulate(pairs, bins, simulations, seed), pairs.confidence, bins))
    return float(low), float(high)


def summary(pairs: Pairs, simulations: int = SIMULATIONS, seed: int = 0) -> dict[str, Any]:
    """Of `pairs`: ece, `low` and `high` end of its band, within_sampling_error (ece <= high), log_loss, brier, n.

    `bias`: mean probability less the mean outcome (calibration in the large, Cox 1958), with the band `bias_low` to
    `bias_high` of a perfectly calibrated model, and bias_within_sampling_error: an error in one direction, to which the
    bins of the ece are blunt.
    """
    ece, (low, high) = calibration_error(pairs), band(pairs, simulations, seed)
    result = {"ece": ece, "low": low, "high": high, "within_sampling_error": ece <= high}
    simulated = _simulate(pairs, _bins(pairs.confidence), simulations, seed).sum(axis=1) / len(pairs.outcome)
    expected = float(pairs.confidence.mean())
    bias_low, bias_high = (float(end) for end in _quantiles(expected - simulated))
    bias = expected - float(pairs.outcome.mean())
    result |= {"bias": bias, "bias_low": bias_low, "bias_high": bias_high}
    result["bias_within_sampling_error"] = bias_low - ROUNDING <= bias <= bias_high + ROUNDING
    return result | {"log_loss": pairs.nll, "brier": pairs.brier, "n": pairs.users}


def diagram(pairs: Pairs, simulations: int = SIMULATIONS, seed: int = 0) -> dict[str, np.ndarray]:
    """The reliability diagram's bins that hold any pair, in rising order: arrays of one value per bin.

    confidence and outcome (means), count (pairs), and `low` and `high`: the 95 % band of the mean outcome that a
    perfectly calibrated model would show. Raises ValueError with fewer than 2 simulations.
    """
    bins = _bins(pairs.confidence)
    count = np.bincount(bins, minlength=BINS)
    filled = count > 0
    low, high = _quantiles(_simulate(pairs, bins, simulations, seed)[:, filled] / count[filled])
    means = {name: _sums(getattr(pairs, name), bins)[filled] / count[filled] for name in ("confidence", "outcome")}
    return means | {"count": count[filled], "low": low, "high": high}


def _bins(confidence: np.ndarray) -> np.ndarray:
    """Bin 0..BINS - 1 of each probability [N]: where the middle of all that equal it stands in the order of all."""
    _, number, count = np.unique(confidence, return_inverse=True, return_counts=True)
    middle = np.cumsum(count) - count / 2
    return (middle * BINS / len(confidence)).astype(np.int64)[number]


def _sums(values: np.ndarray, bins: np.ndarray) -> np.ndarray:
    return np.bincount(bins, values, minlength=BINS)


def _errors(outcome_sums: np.ndarray, confidence: np.ndarray, bins: np.ndarray) -> np.ndarray:
    return np.abs(outcome_sums - _sums(confidence, bins)).sum(axis=-1) / len(confidence)


def _simulate(pairs: Pairs, bins: np.ndarray, simulations: int, seed: int) -> np.ndarray:
    if simulations < 2:
        raise ValueError(f"expected at least 2 simulations, got {simulations}")
    return pairs.simulate(bins, simulations, np.random.default_rng(seed))


def _quantiles(simulated: np.ndarray) -> np.ndarray:
    return np.quantile(simulated, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)


def _sizes(count: int, entries: int) -> list[int]:
    """`count` simulations of so many entries each, in parts that fit in memory."""
    size = max(1, BLOCK // entries)
    return [min(size, count - i) for i in range(0, count, size)]


def _by_row(values: np.ndarray, bins: np.ndarray) -> np.ndarray:
    """Sums of `values` [n, C] within each row and bin, float64 [n, BINS]; `bins` [n * C]."""
    n, columns = values.shape
    place = np.repeat(np.arange(n) * BINS, columns) + bins
    return np.bincount(place, values.ravel(), minlength=n * BINS).reshape(n, BINS)


def _lines(log_p: np.ndarray, target: np.ndarray, lines: np.ndarray | None) -> np.ndarray:
    check(log_p, target)
    if lines is None and target.ndim == 1:
        return np.ones(len(target), np.int64)
    if lines is None or lines.shape != (len(log_p),) or not (lines >= 1).all():
        raise ValueError("expected with target weights the number of lines int [n], 1 or more, that they are shares of")
    return lines


def _means(log_p: np.ndarray, target: np.ndarray) -> tuple[float, float]:
    nll, brier = proper_scores(log_p, target)
    return float(nll.mean()), float(brier.mean())
