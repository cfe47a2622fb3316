"""Permutation test of sessions: is a user's largest lasting transfer between interests larger than chance?"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from trajectory.migrations.rearrangement import Rearrangements

KEPT = 24  # interests of a user that are looked at: those with the most mass, whenever it came
SLOTS = 64  # change times that are looked at, at most, evenly spaced over a user's sessions
SIDE = 4  # sessions before a change and after it, at least
TAIL = 0.1  # share of the permutations that the tail of the null is fitted to
BELIEVED = 1e-3  # the smallest p-value of the tail, times 1 / (1 + permutations)
ELEMENTS = 60_000  # of one block of arrangements, sessions x interests: it stays in the processor's cache


class Evidence(NamedTuple):
    """The largest transfer of a user and the probability of one as large without any migration."""

    statistic: float
    p_value: float


def change_slots(moment: np.ndarray, lasting: float) -> np.ndarray:
    """How many sessions may come before a change, int64 [T]: `lasting` of the user's time lies on each side of it."""
    first = max(SIDE, int(np.searchsorted(moment, moment[0] + lasting)))
    last = min(len(moment) - SIDE, int(np.searchsorted(moment, moment[-1] - lasting, side="right")))
    slots = np.arange(first, last + 1)
    return slots[np.linspace(0, len(slots) - 1, min(SLOTS, len(slots))).round().astype(np.int64)]


def dispersion(mass: np.ndarray) -> np.ndarray:
    """Variance of each interest over sessions [n, K] against independent events of weight 1, float64 [K].

    At least that of all interests together: an interest of a few sessions says little about its own. An interest that
    comes in lumps (a burst) counts less (quasi-likelihood, McCullagh & Nelder 1989, section 4.5).
    """
    weight = mass.sum(1)
    share = mass.sum(0) / weight.sum()
    variance = ((mass - weight[:, None] * share) ** 2).sum(0)
    expected = np.maximum(share * (1 - share) * weight.sum(), 1e-12)
    return np.maximum(variance / expected, max(variance.sum() / expected.sum(), 1e-6))


def fitted_memory(mass: np.ndarray, season: np.ndarray, slots: np.ndarray, rng: np.random.Generator) -> float:
    """How far a session of a user's [n, K] repeats the one before it, 0 to 1, but for a change at one of the slots."""
    return Rearrangements(mass, season, dispersion(mass).min(), rng).memory(slots)


def evidence(
    mass: np.ndarray,
    season: np.ndarray,
    slots: np.ndarray,
    memory: float,
    permutations: int,
    rng: np.random.Generator,
) -> Evidence:
    """Scans a user's sessions [n, K] for a transfer at one of the slots, and as many rearrangements of them.

    `season` [n, K]: multiplier of each interest's share at the time of each session, the user's shares then sum to 1.
    The statistic is the largest, over change times, of the largest drop plus the largest rise of an interest, each a
    log-likelihood ratio of one share (times the season) before and another after against one throughout, over its
    dispersion. The p-value is (1 + arrangements as large) / (1 + permutations); where fewer than 10 are as large, that
    of an exponential tail fitted to the largest tenth (after Knijnenburg et al. 2009: fewer permutations, more accurate
    P-values), but at least a thousandth of 1 / (1 + permutations), as far as a tail is believed. Sessions, not events,
    change places: what a session holds stays together. Neighbours are as alike as `memory` has it (`Rearrangements`):
    that the next purchase is like the last is no migration. The p-value is right as far as a session without a
    migration leans on the season and the session before it only; habits that outlast it, such as of several weeks,
    still count.
    """
    scale, weight = dispersion(mass), mass.sum(1)
    rearranged = Rearrangements(mass, season, scale.min(), rng)
    kept = np.argsort(-mass.sum(0), kind="stable")[:KEPT]
    kept = kept[mass[:, kept].any(0)]
    single = (scale[kept], mass[:, kept], season[:, kept], weight)  # half the time of double precision
    scale, mass, season, weight = (array.astype(np.float32) for array in single)
    observed = _largest(mass, weight, season, slots, scale, np.arange(len(mass))[None])[0]
    block = max(1, ELEMENTS // mass.size)
    null = [
        _largest(mass, weight, season, slots, scale, order[i : i + block])
        for order in rearranged.draw(permutations, memory)
        for i in range(0, len(order), block)
    ]
    return Evidence(float(observed), _p_value(observed, np.concatenate(null)))


def _largest(
    mass: np.ndarray,
    weight: np.ndarray,
    season: np.ndarray,
    slots: np.ndarray,
    scale: np.ndarray,
    order: np.ndarray,
) -> np.ndarray:
    """The statistic of the sessions in each order [P, n], float64 [P]."""
    before = np.cumsum(mass[order], axis=1)[:, slots - 1]  # [P, T, K]
    exposure = np.cumsum(weight[order][:, :, None] * season, axis=1)
    signed = log_likelihood_ratios(before, exposure[:, slots - 1] / exposure[:, -1:], mass.sum(0)) / scale
    return (signed.max(2) - signed.min(2)).max(1)


def log_likelihood_ratios(before: np.ndarray, share_before: np.ndarray, total: np.ndarray) -> np.ndarray:
    """Log-likelihood ratio of another share after than before, of each interest [..., K]; below 0 where it rises.

    `before`: mass before the change, of `total` [K]; `share_before` [..., K or 1]: the part of `total` expected there.
    """
    expected = total * share_before
    rest, expected_rest = total - before, total - expected
    ratio = before * np.log(np.maximum(before, 1e-12) / expected)
    ratio += rest * np.log(np.maximum(rest, 1e-12) / expected_rest)
    return np.where(before > expected, ratio, -ratio)


def _p_value(observed: float, null: np.ndarray) -> float:
    as_large = int((null >= observed * (1 - 1e-5)).sum())
    edge = np.quantile(null, 1 - TAIL)
    tail = null[null > edge]
    if as_large >= 10 or min(len(null) * TAIL, len(tail)) < 10:
        return (1 + as_large) / (1 + len(null))
    return float(max(TAIL * np.exp(-(observed - edge) / (tail - edge).mean()), BELIEVED / (1 + len(null))))
