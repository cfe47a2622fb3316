"""How often each user's steps held each item so far: what a forecaster's chances are pooled with.

The share of the history's steps that held the item (the history inclusion rate of next-basket recommendation), drawn
towards the share of all users' steps as if the user had had `PRIOR` average steps more: a short history says little.
"""

from __future__ import annotations

import numpy as np

from trajectory.data.pipeline.featurize import slices
from trajectory.data.pipeline.splits import target_steps
from trajectory.schema import Histories, Queries

PRIOR = 10.0  # steps; 5 to 20 did alike on validation


def overall_rates(histories: Histories, training: np.ndarray) -> np.ndarray:
    """Share of the steps of `training` events (bool [E]) that held each item, float64 [V + 1]; above 0 but for 0."""
    index = np.flatnonzero(training)
    user = np.repeat(np.arange(histories.num_users), np.diff(histories.offsets))[index]
    step = target_steps(histories)
    step = user * (int(step.max()) + 1) + step[index]
    pairs = _held(histories, np.unique(step, return_inverse=True)[1], index)
    count = np.bincount(pairs % (histories.num_items + 1), minlength=histories.num_items + 1)
    rate = (count + 1) / (len(np.unique(step)) + 1)
    rate[0] = 0
    return rate


def shrunk_frequencies(histories: Histories, queries: Queries, overall: np.ndarray) -> np.ndarray:
    """Rate of steps with each item in each query's history, drawn to `overall` [V + 1]; float64 [n, V + 1], below 1."""
    steps, row, _, item = items_by_step(histories, queries)
    count = np.bincount(row * len(overall) + item, minlength=len(steps) * len(overall)).reshape(len(steps), -1)
    return (count + PRIOR * overall) / (steps[:, None] + PRIOR)


def items_by_step(histories: Histories, queries: Queries) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """How many steps each query's history has [n], and what each held: row, step from 0 and item, once each.

    Steps are numbered through all histories, one after the other; items are those of the catalogue.
    """
    row, index = slices(queries.start, queries.stop)
    number = target_steps(histories)
    steps = number[queries.stop - 1] - number[queries.start] + 1
    first = np.cumsum(steps) - steps
    pairs = _held(histories, first[row] + number[index] - number[queries.start][row], index)
    step, item = np.divmod(pairs, histories.num_items + 1)
    return steps, np.searchsorted(first, step, side="right") - 1, step, item


def _held(histories: Histories, step: np.ndarray, index: np.ndarray) -> np.ndarray:
    """Pairs of a `step` number and an item of the catalogue that it held, once each: step * (V + 1) + item."""
    item = histories.target_item[index].astype(np.int64)
    known = (item > 0) & (item <= histories.num_items)
    return np.unique(step[known].astype(np.int64) * (histories.num_items + 1) + item[known])
