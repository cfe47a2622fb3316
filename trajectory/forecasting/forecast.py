"""The forecast of a run: every user's steps ahead from the end of the log, as a table and as interest shares."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from trajectory.forecasting import tables
from trajectory.forecasting.newcomers import whole_histories
from trajectory.forecasting.paths import Paths, sample
from trajectory.schema import Histories, Queries, UserError
from trajectory.training.run import Run

TOP = 20  # items kept at each step


@dataclass(frozen=True)
class Forecast:
    """Futures of some users."""

    histories: Histories
    queries: Queries
    paths: Paths
    items: pl.DataFrame  # user, step, rank, item, title, probability, visited
    interests: np.ndarray  # [n, H, K + 1], share of each interest at each step
    known: np.ndarray  # [n, K + 1], share of each interest in the history


def forecast(run: Run, users: int) -> Forecast:
    """Forecasts `users` users spread over the log (0 = all) for config.forecast.steps steps."""
    task, c = run.task, run.task.config
    if not c.heads.item:
        raise UserError("this run has no item head (heads.item=0), so it cannot forecast items")
    histories = task.histories
    queries = whole_histories(histories)
    if users and users < histories.num_users:
        chosen = np.linspace(0, histories.num_users - 1, users).round().astype(np.int64)
        queries = Queries(*(column[chosen] for column in queries))
    paths = sample(
        task.model,
        run.params,
        histories,
        task.scale,
        queries,
        steps=c.forecast.steps,
        paths=c.forecast.paths,
        seed=c.seed,
        filter_seen=c.evaluation.seen == "filter",
    )
    items = tables.steps_ahead(histories, queries, paths, min(TOP, histories.num_items))
    return Forecast(
        histories,
        queries,
        paths,
        items,
        tables.interest_shares(histories, paths),
        past_shares(histories, queries, 1)[:, 0],
    )


def past_shares(histories: Histories, queries: Queries, windows: int) -> np.ndarray:
    """Share of each interest [n, windows, K + 1] in equal windows of each history (by time; by order without times).

    A window without events has only zeros.
    """
    shares = np.zeros((len(queries.user), windows, len(histories.interests) + 1))
    interest = np.append(histories.item_interest, 0)
    if histories.has_time:
        bounds = np.linspace(histories.time.min(), histories.time.max() + 1, windows + 1)
    for row, (start, stop) in enumerate(zip(queries.start, queries.stop, strict=True)):
        at = slice(start, stop)
        if histories.has_time:
            window = np.clip(np.searchsorted(bounds, histories.time[at], side="right") - 1, 0, windows - 1)
        else:
            window = np.arange(stop - start) * windows // max(stop - start, 1)
        np.add.at(shares[row], (window, interest[histories.item[at]]), 1.0)
    return shares / np.maximum(shares.sum(2, keepdims=True), 1.0)
