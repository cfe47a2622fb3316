"""The chance that a user buys of a group of items within D days, learned on the run's validation window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from trajectory.insights.audiences.counts import Counts, hand_made
from trajectory.insights.audiences.cross_sell import cross_sell_affinity, past_vectors

LEAST = 50  # users who newly came to a group in the validation window, or no audience is named for it
MOST_GROUPS = 200  # the largest ones
AT_ONCE = 25  # groups forecast at once
PARTS = ("forecast", "companions")  # what is read beside counts
# Chosen on validation with the mean of both, which ranks better than either and misses less than the regression.
TREES: dict[str, Any] = {"learning_rate": 0.03, "max_iter": 200, "max_leaf_nodes": 8, "min_samples_leaf": 200}


@dataclass(frozen=True)
class PropensityModel:
    """A fitted forecaster of who buys, from the run's forecast, counts and what goes together: the mean of a logistic
    regression and boosted trees.
    """

    chosen: np.ndarray  # int64 [g], numbers of the groups from 0
    weight: np.ndarray  # float64 [G, G], `cross_sell_affinity`
    both: VotingClassifier
    parts: tuple[str, ...]  # of PARTS

    def of(self, counts: Counts, lines: np.ndarray) -> np.ndarray:
        """Probability that each of n users buys of each chosen group, float64 [n, g]; `lines` [n, G] as forecast."""
        speaks = past_vectors(counts.ever) @ self.weight[:, self.chosen]
        probability = np.empty(speaks.shape)
        for at in range(0, len(self.chosen), AT_ONCE):
            block = slice(at, at + AT_ONCE)
            inputs = columns(counts, lines, speaks[:, block], self.chosen[block], self.parts)
            probability[:, block] = self.both.predict_proba(inputs.reshape(-1, inputs.shape[-1]))[:, 1].reshape(
                len(probability), -1
            )
        return probability


def choose_targets(counts: Counts, bought: np.ndarray) -> np.ndarray:
    """The groups that at least `LEAST` users newly bought of, `MOST_GROUPS` of them at most, in order; int64 [g]."""
    arrived = (counts.lapsed & bought).sum(0)
    largest = np.argsort(-arrived, kind="stable")[:MOST_GROUPS]
    return np.sort(largest[arrived[largest] >= LEAST])


def fit(
    counts: Counts, lines: np.ndarray, bought: np.ndarray, chosen: np.ndarray, parts: tuple[str, ...] = PARTS
) -> PropensityModel:
    """Learns from what n users bought [n, G] within the days after the moment that `counts` and `lines` are of."""
    weight = cross_sell_affinity(counts.ever)
    inputs = columns(counts, lines, past_vectors(counts.ever) @ weight[:, chosen], chosen, parts)
    regression = make_pipeline(StandardScaler(), LogisticRegression(max_iter=300))
    trees = HistGradientBoostingClassifier(**TREES, early_stopping=False, random_state=0)
    both = VotingClassifier([("regression", regression), ("trees", trees)], voting="soft")
    both.fit(inputs.reshape(-1, inputs.shape[-1]), bought[:, chosen].ravel())
    return PropensityModel(chosen, weight, both, parts)


def columns(
    counts: Counts, lines: np.ndarray, speaks: np.ndarray, chosen: np.ndarray, parts: tuple[str, ...]
) -> np.ndarray:
    """Inputs, float32 [n, g, F]: counts, and of `parts` what is forecast and what goes together.

    `speaks` [n, g]: how much each user's past speaks for each chosen group (`cross_sell_affinity`).
    """
    own = hand_made(counts, chosen)
    features = [np.log1p(own), own[..., :3] > 0]
    features.append(np.log(own[..., 9:13] + np.array([1e-3, 1e-3, 1e-2, 1e-2], np.float32)))
    if "forecast" in parts:
        expected = np.maximum(lines[:, chosen], 0)
        features.append(np.stack([np.log1p(expected), np.log(expected + 1e-4), np.log(expected + 1e-2)], -1))
    if "companions" in parts:
        speaks = np.maximum(speaks, 1e-4)
        features.append(np.stack([speaks, np.log(speaks)], -1))
    return np.concatenate(features, -1).astype(np.float32)
