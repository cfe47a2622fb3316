"""The forecast of a run: its users' steps ahead from the end of the log, as tables and as interest shares."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from trajectory.forecasting import tables
from trajectory.forecasting.habits import step_sizes
from trajectory.forecasting.newcomers import whole_histories
from trajectory.forecasting.predict import sample_run
from trajectory.schema import Histories, Queries, UserError
from trajectory.training.run import Run

TOP = 20  # items kept at each step


@dataclass(frozen=True)
class Forecast:
    """Futures of n users over H steps."""

    histories: Histories
    queries: Queries
    items: pl.DataFrame  # user, step, rank, item, title, probability, visited: what forecast.parquet holds
    visited: pl.DataFrame  # user, rank, item, title, visited (within all steps)
    interests: np.ndarray  # [n, H, K + 1], share of each interest at each step
    known: np.ndarray  # [n, K + 1], share of each interest in the history
    steps: int
    paths: int


def forecast(run: Run, users: int) -> Forecast:
    """Forecasts `users` users spread over the log (0 = all) for config.forecast.steps steps."""
    c, histories = run.task.config, run.task.histories
    if not c.heads.item:
        raise UserError("this run has no item head (heads.item=0), so it cannot forecast items")
    queries = whole_histories(histories)
    if 0 < users < histories.num_users:
        chosen = np.linspace(0, histories.num_users - 1, users).round().astype(np.int64)
        queries = Queries(*(column[chosen] for column in queries))
    items, visited, interests = [], [], []
    for chunk, paths in sample_run(run, histories, queries, c.forecast.steps, c.forecast.paths):
        items.append(tables.steps_ahead(histories, chunk, paths, TOP))
        visited.append(tables.visited_within(histories, chunk, paths, TOP))
        interests.append(tables.interest_shares(histories, paths))
    return Forecast(
        histories,
        queries,
        pl.concat(items),
        pl.concat(visited),
        np.concatenate(interests),
        past_shares(histories, queries, 1, c.batch.basket_power)[:, 0],
        c.forecast.steps,
        c.forecast.paths,
    )


def past_shares(histories: Histories, queries: Queries, windows: int, power: float) -> np.ndarray:
    """Share of each interest [n, windows, K + 1] in equal windows of the log's time (of each history without times).

    A basket of m lines weighs m ** (1 - power), as in training (config.batch.basket_power): only so are the shares of
    the past and of the forecast of one kind. A window without events has only zeros.
    """
    shares = np.zeros((len(queries.user), windows, len(histories.interests) + 1))
    sizes = step_sizes(histories)
    weight = np.repeat(sizes.astype(np.float64) ** -power, sizes)
    if histories.has_time:
        bounds = np.linspace(histories.time.min(), histories.time.max() + 1, windows + 1)
    for row, (start, stop) in enumerate(zip(queries.start, queries.stop, strict=True)):
        at = slice(start, stop)
        if histories.has_time:
            window = np.clip(np.searchsorted(bounds, histories.time[at], side="right") - 1, 0, windows - 1)
        else:
            window = np.arange(stop - start) * windows // max(stop - start, 1)
        np.add.at(shares[row], (window, histories.item_interest[histories.item[at]]), weight[at])
    total = shares.sum(2, keepdims=True)
    return shares / np.where(total > 0, total, 1.0)
