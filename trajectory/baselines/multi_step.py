"""Floors over a horizon: what counting says of each of the next H steps, as scores and as honest probabilities."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from ml_collections import ConfigDict
from scipy import sparse

from trajectory.baselines.next_item import Floor, InterestFrequency, Markov, floors
from trajectory.data.pipeline.featurize import slices
from trajectory.data.pipeline.splits import step_bounds
from trajectory.metrics.mixture import mixture_weights
from trajectory.metrics.ranking import distinct_items
from trajectory.schema import Histories, Queries, Split


class Steady:
    """A floor that expects at each step what it expects at the next."""

    def __init__(self, floor: Floor, steps: int) -> None:
        self.floor, self.name, self.batch, self.steps = floor, floor.name, floor.batch, steps

    def scores(self, queries: Queries) -> np.ndarray:
        """Scores of each step [n, H, V + 1]; above 0 where something was counted."""
        scores = np.asarray(self.floor.scores(queries), np.float64)
        return np.broadcast_to(scores[:, None], (len(scores), self.steps, scores.shape[1]))


class Chain(Steady):
    """A Markov chain left to run: the distribution over items after each step, from the last step's items on."""

    def __init__(self, floor: Markov, steps: int) -> None:
        super().__init__(floor, steps)
        count = np.asarray(floor.successors.sum(axis=1)).ravel()
        self.transition = sparse.diags(1 / np.maximum(count, 1)) @ floor.successors
        self.dead = count == 0  # an item that nothing was ever seen to follow
        self.popular = floor.popularity / max(floor.popularity.sum(), 1)

    def scores(self, queries: Queries) -> np.ndarray:
        """Probability of each step [n, H, V + 1]; below 0, by popularity, where it is nil."""
        state = np.asarray(self.floor._history(queries, 0.0).todense())
        state /= np.maximum(state.sum(axis=1, keepdims=True), 1)
        found = np.empty((len(state), self.steps, state.shape[1]))
        for h in range(self.steps):
            lost = state[:, self.dead].sum(axis=1, keepdims=True) + 1 - state.sum(axis=1, keepdims=True)
            state = np.asarray(state @ self.transition) + lost * self.popular
            found[:, h] = state
        return np.where(found > 0, found, self.popular - 1)


class Counted(NamedTuple):
    """What a baseline says of the next H steps of n queries, [n, H, V + 1] each."""

    scores: np.ndarray
    log_probability: np.ndarray

    @property
    def within(self) -> np.ndarray:
        """It says nothing of its own about coming within several steps: the step's scores stand for that."""
        return self.scores


class Calibrated:
    """A floor with probabilities beside its scores: at each step its normalised positive scores, mixed with popularity.

    Popularity is counted from one on, so that nothing is impossible. The share of each is that under which the
    validation targets of the step are likeliest (EM, see `mixture_weights`).
    """

    timed = False

    def __init__(self, floor: Steady) -> None:
        self.floor, self.name, self.batch, self.steps = floor, floor.name, floor.batch, floor.steps
        popularity = floor.floor.popularity + 1.0
        popularity[0] = 0
        self.popular = popularity / popularity.sum()
        self.share = np.full(self.steps, 0.5)

    def fit(self, histories: Histories, queries: Queries, config: ConfigDict) -> Calibrated:
        """Chooses the shares on (validation) queries, and returns itself. `config` is `config.evaluation`."""
        self.histories, self.filter_seen = histories, config.seen == "filter"
        found: list[list[np.ndarray]] = [[] for _ in range(self.steps)]
        weights: list[list[np.ndarray]] = [[] for _ in range(self.steps)]
        for chunk in queries.chunks(self.batch):
            counted, popular = self._parts(chunk, self.floor.scores(chunk))
            counted = np.broadcast_to(counted, (len(counted), self.steps, counted.shape[2]))
            bounds = step_bounds(histories, chunk, self.steps)
            for h in range(self.steps):
                targets = distinct_items(histories, bounds[:, h], bounds[:, h + 1])
                row, slot = np.nonzero((targets > 0) & (targets < popular.shape[1]))
                item = targets[row, slot]
                found[h].append(np.stack([counted[row, h, item], popular[row, item]], axis=1))
                weights[h].append(1 / np.bincount(row, minlength=len(targets))[row])
        for h in range(self.steps):
            likelihood, weight = np.concatenate(found[h]), np.concatenate(weights[h])
            some = likelihood.sum(axis=1) > 0  # a seen item that comes again is no candidate
            with np.errstate(divide="ignore"):
                self.share[h] = mixture_weights(np.log(likelihood[some]), weight[some] / weight[some].sum())[0]
        return self

    def forecast(self, queries: Queries) -> Counted:
        """Scores and log-probabilities of each step."""
        scores = self.floor.scores(queries)
        return Counted(scores, self._log_probability(queries, scores))

    def _log_probability(self, queries: Queries, scores: np.ndarray) -> np.ndarray:
        counted, popular = self._parts(queries, scores)
        share = self.share[:, None]
        mixed = share * counted + (1 - share) * popular[:, None]
        empty = counted.sum(axis=2, keepdims=True) == 0
        with np.errstate(divide="ignore"):
            return np.log(np.where(empty, popular[:, None], mixed))

    def _parts(self, queries: Queries, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Both distributions over the candidates: [n, H, V + 1] ([n, 1, V + 1] of a steady floor) and [n, V + 1]."""
        counted = np.maximum(scores[:, :1] if scores.strides[1] == 0 else scores, 0)
        counted[:, :, 0] = 0
        popular = np.tile(self.popular, (len(counted), 1))
        if self.filter_seen:
            row, index = slices(queries.start, queries.stop)
            item = self.histories.item[index]
            known = item < popular.shape[1]
            counted[row[known], :, item[known]] = 0
            popular[row[known], item[known]] = 0
        popular /= np.maximum(popular.sum(axis=1, keepdims=True), 1e-300)
        return counted / np.maximum(counted.sum(axis=2, keepdims=True), 1e-300), popular


def horizon_floors(histories: Histories, split: Split, config: ConfigDict, steps: int) -> list[Steady]:
    """All floors of the next item that mean something here, fitted, each for `steps` steps (see `baselines.floors`)."""
    chosen = [floor for floor in floors(histories, split, config) if not isinstance(floor, InterestFrequency)]
    return [Chain(floor, steps) if isinstance(floor, Markov) else Steady(floor, steps) for floor in chosen]
