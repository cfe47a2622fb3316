"""A user's interest states in windows of steps, counted back from the end of a history: what forecasts start from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from trajectory.data.pipeline.featurize import slices
from trajectory.data.pipeline.splits import step_starts, target_starts
from trajectory.migrations.sessions import POWER
from trajectory.migrations.states import divergence, smoothed
from trajectory.schema import Histories, Queries


@dataclass(frozen=True)
class StepWindows:
    """Windows of `length` steps of n histories, newest first: those of history i are offsets[i]:offsets[i + 1].

    The oldest window of a history may be shorter.
    """

    offsets: np.ndarray  # int64 [n + 1]
    mass: csr_array  # float64 [w, K], weight of each interest; a step of m events weighs m ** (1 - POWER)
    steps: np.ndarray  # int64 [n], of each history

    def last(self, back: int = 0) -> np.ndarray:
        """Mass of the window `back` windows before the last, dense [n, K]; zeros where there is none."""
        row = self.offsets[:-1] + back
        known = row < self.offsets[1:]
        mass = np.zeros((len(row), self.mass.shape[1]))
        mass[known] = self.mass[row[known]].toarray()
        return mass

    def past(self) -> np.ndarray:
        """Mass of each whole history, dense [n, K]."""
        window = np.arange(self.mass.shape[0])
        history = np.repeat(np.arange(len(self.steps)), np.diff(self.offsets))
        belongs = csr_array((np.ones(len(window)), (history, window)), (len(self.steps), len(window)))
        return (belongs @ self.mass).toarray()

    def drift(self) -> np.ndarray:
        """How far each user moved between the last two windows, float64 [n]: Jensen-Shannon divergence of their states
        in bits, each smoothed towards the user's own mix (`states.smoothed`); NaN where a window holds no interest.
        """
        last, before, past = self.last(), self.last(1), self.past()
        prior = past / np.maximum(self.steps, 1)[:, None]
        known = (last.sum(1) > 0) & (before.sum(1) > 0)
        drift = np.full(len(last), np.nan)
        drift[known] = divergence(smoothed(last[known], prior[known]), smoothed(before[known], prior[known]))
        return drift


def cut_back(histories: Histories, queries: Queries, length: int) -> StepWindows:
    """The history start:stop of each query in windows of `length` steps that are predicted, counted back from its end.

    Where purchases alone are predicted, states are of purchases, as forecasts are.
    """
    starts = np.append(target_starts(histories), histories.num_events)
    first, stop = np.searchsorted(starts, queries.start), np.searchsorted(starts, queries.stop)
    count = -(-(stop - first) // length)
    history, number = slices(np.zeros_like(count), count)
    high = stop[history] - number * length
    low = np.maximum(high - length, first[history])
    mass = interest_mass(histories, starts[low], starts[high], histories.target_item)
    return StepWindows(np.concatenate([[0], np.cumsum(count)]), mass, stop - first)


def interest_mass(histories: Histories, start: np.ndarray, stop: np.ndarray, item: np.ndarray) -> csr_array:
    """Weight of each interest in the events start[i]:stop[i], float64 [n, K]; a step's events share m ** (1 - POWER).

    `item` [E]: each event's, all of them (`Histories.item`) or those that are predicted (`target_item`). Events of item
    0 or without an interest count for nothing.
    """
    row, event = slices(start, stop)
    interest = histories.item_interest[item[event]]
    known = interest > 0
    row, event, interest = row[known], event[known], interest[known]
    starts = step_starts(histories)
    step = row * len(starts) + np.searchsorted(starts, event, side="right")
    _, number, size = np.unique(step, return_inverse=True, return_counts=True)
    shape = (len(start), len(histories.interests))
    mass = csr_array((size[number] ** -POWER, (row, interest - 1)), shape)
    mass.sum_duplicates()
    return mass


def shares(mass: np.ndarray) -> np.ndarray:
    """Mass [n, K] as distributions over interests; zeros where there is none."""
    return mass / np.maximum(mass.sum(-1, keepdims=True), 1e-12)
