"""Multi-step forecasts with their observed targets, for all users at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from trajectory.data.pipeline.featurize import slices
from trajectory.data.pipeline.splits import step_bounds
from trajectory.metrics.by_interest import by_interest
from trajectory.protocols import Forecaster, StepForecast, StepScores
from trajectory.schema import Histories, Queries


class Step(NamedTuple):
    """A forecast of one step with its observed target, of the n users that have such a step of the catalogue."""

    row: np.ndarray  # int64 [n], of the queries
    log_p: np.ndarray  # float32 [n, V + 1]
    target: np.ndarray  # int64 [n], or equal shares of the basket's distinct items float32 [n, V + 1]
    lines: np.ndarray | None  # int64 [n], distinct items of the basket; None where steps are single events


def read_steps(
    forecaster: Forecaster[StepScores], histories: Histories, queries: Queries, steps: int
) -> Iterator[tuple[int, Step]]:
    """Each step's forecast and target; users without a target that can come are left out of it."""
    bounds = step_bounds(histories, queries, steps)
    chunks = queries.chunks(forecaster.batch)
    forecast = np.concatenate([np.asarray(forecaster.forecast(chunk).log_probability, np.float32) for chunk in chunks])
    forecast[:, :, 0] = -np.inf
    for h in range(steps):
        log_p = forecast[:, h]
        row, index = slices(bounds[:, h], bounds[:, h + 1])
        item = histories.target_item[index]
        real = (item > 0) & (item <= histories.num_items)
        row, item = row[real], item[real]
        possible = np.isfinite(log_p[row, item])
        row, item = row[possible], item[possible]
        lines = np.bincount(row, minlength=len(log_p))
        rows = np.flatnonzero(lines)
        if histories.baskets:
            share = np.zeros(log_p.shape, np.float32)
            share[row, item] = 1.0
            lines = share.sum(axis=1).astype(np.int64)
            yield h, Step(rows, log_p[rows], share[rows] / lines[rows, None], lines[rows])
        else:
            target = np.zeros(len(log_p), np.int64)
            target[row] = item
            yield h, Step(rows, log_p[rows], target[rows], None)


def read_within(
    forecaster: Forecaster[StepForecast], histories: Histories, queries: Queries, steps: int, level: str = "item"
) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Probability of each item (or interest: `level`) within steps 1..h, and whether it was observed, int8; [n, C].

    Probabilities are float64; the columns are those of the catalogue, or of the interests, from 1 on.
    """
    bounds = step_bounds(histories, queries, steps)
    parts = []
    for chunk in queries.chunks(forecaster.batch):
        forecast = forecaster.forecast(chunk)
        within = forecast.within if level == "item" else forecast.interests_within
        parts.append(np.asarray(within, np.float32)[:, :, 1:])
    probability = np.concatenate(parts)
    observed = np.zeros((len(probability), histories.num_items + 1), np.float32)
    for h in range(steps):
        row, index = slices(bounds[:, h], bounds[:, h + 1])
        item = histories.target_item[index]
        known = (item > 0) & (item <= histories.num_items)
        observed[row[known], item[known]] = 1
        reached = observed if level == "item" else by_interest(histories, observed) > 0
        yield h, probability[:, h].astype(np.float64), reached[:, 1:].astype(np.int8)
