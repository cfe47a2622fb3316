"""Forecasts as tables for people: the next step's top-k, the steps ahead, what is visited, and the likeliest path."""

from __future__ import annotations

import numpy as np
import polars as pl

from trajectory.evaluation.ranking import top_k
from trajectory.forecasting.paths import Paths
from trajectory.schema import Histories, Queries


def next_items(
    histories: Histories, queries: Queries, log_probability: np.ndarray, seen: np.ndarray | None, k: int
) -> pl.DataFrame:
    """The k likeliest items of the next step: user, rank, item, title, probability (among those that may come).

    `log_probability` [n, V + 1]; `seen` int32 [n, M] are items that cannot come (0 = none).
    """
    items, values = top_k(log_probability, seen, min(k, histories.num_items))
    left = np.ones(len(items))
    if seen is not None:
        barred = np.where(seen > 0, np.take_along_axis(log_probability, seen, axis=1), -np.inf)
        left = np.maximum(1.0 - np.exp(barred.astype(np.float64)).sum(1), 1e-9)
    return _table(
        histories, queries, items[:, None], probability=np.exp(values.astype(np.float64))[:, None] / left[:, None, None]
    ).drop("step")


def steps_ahead(histories: Histories, queries: Queries, paths: Paths, k: int) -> pl.DataFrame:
    """The k likeliest items at each step: user, step, rank, item, title, probability, visited (within these steps)."""
    items = _best(paths.probability, k)
    chosen = {name: np.take_along_axis(getattr(paths, name), items, axis=2) for name in ("probability", "visited")}
    return _table(histories, queries, np.where(chosen["probability"] > 0, items, 0), **chosen)


def visited_within(histories: Histories, queries: Queries, paths: Paths, k: int) -> pl.DataFrame:
    """The k items that are likeliest to occur within all steps: user, rank, item, title, visited."""
    last = paths.visited[:, -1:]
    items = _best(last, k)
    return _table(histories, queries, items, visited=np.take_along_axis(last, items, axis=2)).drop("step")


def likeliest_paths(histories: Histories, queries: Queries, paths: Paths) -> pl.DataFrame:
    """The likeliest sampled path of each user: user, step, item, title, probability (of the step, given those before).

    The path's own probability is the product over its steps. Of a basket, the first line drawn stands for the step.
    """
    best = paths.log_probability.sum(2).argmax(1)[:, None, None]
    items = np.take_along_axis(paths.item, best, axis=1)[:, 0, :, None]
    probability = np.exp(np.take_along_axis(paths.log_probability, best, axis=1)[:, 0, :, None])
    return _table(histories, queries, items, probability=probability).drop("rank")


def interest_shares(histories: Histories, paths: Paths) -> np.ndarray:
    """Probability [n, H, K + 1] of each interest at each step: the sum over its items (column 0: items without one)."""
    interest = histories.item_interest[1 : histories.num_items + 1]
    belongs = interest[:, None] == np.arange(len(histories.interests) + 1)
    return paths.probability[:, :, 1:] @ belongs.astype(np.float32)


def _best(values: np.ndarray, k: int) -> np.ndarray:
    """Indices >= 1 of the k largest values [n, H, V + 1] of each row, largest first; equal ones in item order."""
    return np.argsort(-values[:, :, 1:], axis=2, kind="stable")[:, :, :k] + 1


def _table(histories: Histories, queries: Queries, items: np.ndarray, **values: np.ndarray) -> pl.DataFrame:
    """One row per item of `items` [n, H, k] that is not 0: user, step, rank, item, title (null if there is none)."""
    row, step, rank = (index.ravel() for index in np.indices(items.shape))
    named = histories.items.select(pl.col("item").cast(pl.String), title=_title(histories))
    found = pl.DataFrame(
        {
            "user": histories.users["user"].cast(pl.String).gather(queries.user[row]),
            "step": step + 1,
            "rank": rank + 1,
            **named[np.maximum(items.ravel().astype(np.int64) - 1, 0)].to_dict(),
            **{name: value.ravel().astype(np.float64) for name, value in values.items()},
        }
    )
    return found.filter(items.ravel() > 0)


def _title(histories: Histories) -> pl.Expr:
    return pl.col("title").cast(pl.String) if "title" in histories.items.columns else pl.lit(None, pl.String)
