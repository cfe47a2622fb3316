"""Baselines over a horizon: what counting says of each of the next H steps, as scores and as probabilities."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from ml_collections import ConfigDict
from scipy import sparse

from trajectory.baselines.next_item import Baseline, InterestFrequency, Markov, baselines
from trajectory.data.pipeline.featurize import slices
from trajectory.data.pipeline.splits import step_bounds
from trajectory.metrics.mixture import mixture_weights
from trajectory.metrics.ranking import distinct_items
from trajectory.schema import Histories, Queries, Split


class Steady:
    """A baseline that expects at each step what it expects at the next."""

    def __init__(self, baseline: Baseline, steps: int) -> None:
        self.baseline, self.name, self.batch, self.steps = baseline, baseline.name, baseline.batch, steps

    def scores(self, queries: Queries) -> np.ndarray:
        """Scores of each step [n, H, V + 1]; above 0 where something was counted."""
        scores = np.asarray(self.baseline.scores(queries), np.float64)
        return np.broadcast_to(scores[:, None], (len(scores), self.steps, scores.shape[1]))


class Chain(Steady):
    """A Markov chain left to run: the distribution over items after each step, from the last step's items on."""

    def __init__(self, baseline: Markov, steps: int) -> None:
        super().__init__(baseline, steps)
        count = np.asarray(baseline.successors.sum(axis=1)).ravel()
        self.transition = sparse.diags(1 / np.maximum(count, 1)) @ baseline.successors
        self.dead = count == 0  # an item that nothing was ever seen to follow
        self.popular = baseline.popularity / max(baseline.popularity.sum(), 1)

    def scores(self, queries: Queries) -> np.ndarray:
        """Probability of each step [n, H, V + 1]; below 0, by popularity, where it is nil."""
        state = np.asarray(self.baseline._history(queries, 0.0).todense())
        state /= np.maximum(state.sum(axis=1, keepdims=True), 1)
        distribution = np.empty((len(state), self.steps, state.shape[1]))
        for h in range(self.steps):
            lost = state[:, self.dead].sum(axis=1, keepdims=True) + 1 - state.sum(axis=1, keepdims=True)
            state = np.asarray(state @ self.transition) + lost * self.popular
            distribution[:, h] = state
        return np.where(distribution > 0, distribution, self.popular - 1)


class Counted(NamedTuple):
    """What a baseline says of the next H steps of n queries, [n, H, V + 1] each."""

    scores: np.ndarray
    log_probability: np.ndarray

    @property
    def within(self) -> np.ndarray:
        """It says nothing of its own about coming within several steps: the step's scores stand for that."""
        return self.scores


class Calibrated:
    """A baseline with probabilities: at each step its normalised positive scores, mixed with popularity.

    Popularity is counted from one on, so that nothing is impossible. The share of each is that under which the
    validation targets of the step are most likely (EM, see `mixture_weights`).
    """

    timed = False

    def __init__(self, baseline: Steady) -> None:
        self.baseline, self.name, self.batch, self.steps = baseline, baseline.name, baseline.batch, baseline.steps
        popularity = baseline.baseline.popularity + 1.0
        popularity[0] = 0
        self.popular = popularity / popularity.sum()
        self.share = np.full(self.steps, 0.5)

    def fit(self, histories: Histories, queries: Queries, config: ConfigDict) -> Calibrated:
        """Chooses the shares on (validation) queries, and returns itself. `config` is `config.evaluation`."""
        self.histories, self.filter_seen = histories, config.seen == "filter"
        per_step: list[list[np.ndarray]] = [[] for _ in range(self.steps)]
        weights: list[list[np.ndarray]] = [[] for _ in range(self.steps)]
        for chunk in queries.chunks(self.batch):
            counted, popular = self._parts(chunk, self.baseline.scores(chunk))
            counted = np.broadcast_to(counted, (len(counted), self.steps, counted.shape[2]))
            bounds = step_bounds(histories, chunk, self.steps)
            for h in range(self.steps):
                targets = distinct_items(histories, bounds[:, h], bounds[:, h + 1])
                row, slot = np.nonzero((targets > 0) & (targets < popular.shape[1]))
                item = targets[row, slot]
                per_step[h].append(np.stack([counted[row, h, item], popular[row, item]], axis=1))
                weights[h].append(1 / np.bincount(row, minlength=len(targets))[row])
        for h in range(self.steps):
            likelihood, weight = np.concatenate(per_step[h]), np.concatenate(weights[h])
            reached = likelihood.sum(axis=1) > 0  # a seen item that comes again is no candidate
            with np.errstate(divide="ignore"):
                self.share[h] = mixture_weights(np.log(likelihood[reached]), weight[reached] / weight[reached].sum())[0]
        return self

    def forecast(self, queries: Queries) -> Counted:
        """Scores and log-probabilities of each step."""
        scores = self.baseline.scores(queries)
        return Counted(scores, self._log_probability(queries, scores))

    def _log_probability(self, queries: Queries, scores: np.ndarray) -> np.ndarray:
        counted, popular = self._parts(queries, scores)
        share = self.share[:, None]
        mixed = share * counted + (1 - share) * popular[:, None]
        empty = counted.sum(axis=2, keepdims=True) == 0
        with np.errstate(divide="ignore"):
            return np.log(np.where(empty, popular[:, None], mixed))

    def _parts(self, queries: Queries, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Both distributions over the candidates: [n, H, V + 1] ([n, 1, V + 1] of a steady baseline) and [n, V + 1]."""
        counted = np.maximum(scores[:, :1] if scores.strides[1] == 0 else scores, 0)
        counted[:, :, 0] = 0
        popular = np.tile(self.popular, (len(counted), 1))
        if self.filter_seen:
            row, index = slices(queries.start, queries.stop)
            item = self.histories.target_item[index]
            known = item < popular.shape[1]
            counted[row[known], :, item[known]] = 0
            popular[row[known], item[known]] = 0
        popular /= np.maximum(popular.sum(axis=1, keepdims=True), 1e-300)
        return counted / np.maximum(counted.sum(axis=2, keepdims=True), 1e-300), popular


def multi_step_baselines(histories: Histories, split: Split, config: ConfigDict, steps: int) -> list[Steady]:
    """All baselines of the next item that mean something here (see `baselines`), fitted, each for `steps` steps."""
    chosen = [
        baseline for baseline in baselines(histories, split, config) if not isinstance(baseline, InterestFrequency)
    ]
    return [Chain(baseline, steps) if isinstance(baseline, Markov) else Steady(baseline, steps) for baseline in chosen]
