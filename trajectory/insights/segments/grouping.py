"""Users grouped by where they are going, and within each group by whether they have long been there or are new."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score, pairwise_distances_argmin

from trajectory.schema import UserError
from trajectory.threads import one_thread

COUNTS = (2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20, 25, 30)  # numbers of destinations that are compared
STABLE = 0.8  # mean adjusted Rand index over bootstrap resamples that a segmentation must have
RESAMPLES = 20
SEEDS = 5
EARLY = 5  # resamples after which a segmentation that is far from stable is given up
LEAST = 0.01  # share of all users that a destination, and each part of it that is told apart, must have
CROWD = 80  # users of a destination on average, at least
SAMPLE = 5_000  # users that destinations are learned from, at most
WIDE = 512  # columns; k-means of more takes minutes
AXES = 64  # that users are grouped by instead


@dataclass(frozen=True)
class Grouping:
    """G destinations in the states' space; a segment is a destination, or its new members, or those long there."""

    centres: np.ndarray  # float64 [G, D]
    divided: np.ndarray  # bool [G], whether new members are a segment of their own

    def labels(self, past: np.ndarray, ahead: np.ndarray) -> np.ndarray:
        """Code of each user's segment, int64 [n]: twice the destination nearest to its state ahead, and 1 more for a
        new member: one whose past state is nearest to another destination. Codes are no more than names.
        """
        to, newly = destinations(self.centres, past, ahead)
        return 2 * to + (newly & self.divided[to])


@dataclass(frozen=True)
class Stability:
    """How alike segmentations are when the seed, or the users they are learned from, change: adjusted Rand indices."""

    destinations: int
    segments: int
    bootstrap: float  # mean over bootstrap resamples of the users
    smallest: float  # share of all users that the smallest destination has
    seeds: float = float("nan")  # mean over seeds, of the chosen number alone

    @property
    def enough(self) -> bool:
        """Whether the segmentation is stable and no destination is too small to act on."""
        return self.bootstrap >= STABLE and self.smallest >= LEAST


def destinations(centres: np.ndarray, past: np.ndarray, ahead: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each user's destination, int64 [n], and whether its past was nearer to another one, bool [n]."""
    with one_thread("openmp"):
        to = pairwise_distances_argmin(ahead, centres)
        return to, pairwise_distances_argmin(past, centres) != to


def principal_axes(features: np.ndarray) -> np.ndarray:
    """Features [n, D] of more than `WIDE` columns in their `AXES` leading principal axes (Ding & He 2004)."""
    if features.shape[1] <= WIDE or len(features) <= AXES:
        return features
    chosen = np.random.default_rng(0).permutation(len(features))[:SAMPLE]
    return PCA(AXES, svd_solver="randomized", random_state=0).fit(features[chosen]).transform(features)


def k_means(features: np.ndarray, count: int, seed: int) -> KMeans:
    """k-means of features [n, D], best of ten starts."""
    with one_thread("openmp"):
        return KMeans(count, n_init=10, random_state=seed).fit(features)


def fit(past: np.ndarray, ahead: np.ndarray, count: int, seed: int = 0) -> Grouping:
    """k-means of the states ahead [n, D] (best of ten starts); new members are a segment where both parts are many."""
    chosen = np.random.default_rng(seed).permutation(len(ahead))[:SAMPLE]
    centres = k_means(ahead[chosen], count, seed).cluster_centers_
    to, newly = destinations(centres, past, ahead)
    parts = np.bincount(2 * to + newly, minlength=2 * count).reshape(count, 2)
    return Grouping(centres, parts.min(1) >= LEAST * len(ahead))


def stability(past: np.ndarray, ahead: np.ndarray, count: int, resamples: int = RESAMPLES, seed: int = 0) -> Stability:
    """Learns the segmentation again from other users, and compares what all users get.

    Bootstrap stability of Fang & Wang (2012) with the adjusted Rand index (Hubert & Arabie 1985).
    """
    labels = fit(past, ahead, count, seed).labels(past, ahead)
    moved = []
    for again in range(1, resamples + 1):
        drawn = np.random.default_rng([seed, again]).integers(len(past), size=len(past))
        other = fit(past[drawn], ahead[drawn], count, seed + again)
        moved.append(float(adjusted_rand_score(labels, other.labels(past, ahead))))
        if again == EARLY and np.mean(moved) < STABLE - 0.1:
            break
    smallest = np.bincount(labels // 2, minlength=count).min() / len(labels)
    return Stability(count, len(np.unique(labels)), float(np.mean(moved)), float(smallest))


def over_seeds(grouping: Grouping, past: np.ndarray, ahead: np.ndarray, seed: int = 0) -> float:
    """Mean adjusted Rand index between what all users get in `grouping`, of this seed, and of the `SEEDS` after it."""
    labels, count = grouping.labels(past, ahead), len(grouping.centres)
    others = (fit(past, ahead, count, seed + again).labels(past, ahead) for again in range(1, SEEDS + 1))
    return float(np.mean([adjusted_rand_score(labels, other) for other in others]))


def choose_grouping(past: np.ndarray, ahead: np.ndarray, seed: int = 0) -> tuple[Grouping, Stability]:
    """The largest number of destinations whose segmentation is stable (bootstrap index of at least STABLE) and in
    which each has LEAST of the users.

    Where none is, the most stable. Raises UserError for too few users.
    """
    counts = [count for count in COUNTS if count * CROWD <= len(ahead) and count < len(np.unique(ahead, axis=0))]
    if not counts:
        raise UserError(f"segments need at least {2 * CROWD} users with different interests, got {len(ahead)} users")
    tried = []
    for count in reversed(counts):
        tried.append(stability(past, ahead, count, seed=seed))
        if tried[-1].enough:
            break
    best = tried[-1] if tried[-1].enough else max(tried, key=lambda stable: stable.bootstrap)
    grouping = fit(past, ahead, best.destinations, seed)
    return grouping, replace(best, seeds=over_seeds(grouping, past, ahead, seed))
