"""Forecasts as tables for people: items by name, the next step's top-k, steps ahead, and paths."""

from __future__ import annotations

import numpy as np
import polars as pl

from trajectory.evaluation.ranking import top_k
from trajectory.forecasting.paths import Paths
from trajectory.schema import Histories, Queries


def item_names(histories: Histories, items: np.ndarray) -> pl.DataFrame:
    """Columns item (source id, as text) and title (null if the log has none) of item indices >= 1."""
    rows = histories.items[np.asarray(items).ravel().astype(np.int64) - 1]
    title = (
        rows["title"].cast(pl.String) if "title" in rows.columns else pl.Series("title", [None] * len(rows), pl.String)
    )
    return pl.DataFrame({"item": rows["item"].cast(pl.String), "title": title})


def next_items(histories: Histories, queries: Queries, log_probability: np.ndarray, seen: np.ndarray | None, k: int):
    """The k likeliest items of the next step: user, rank, item, title, probability (of all items, seen ones included)."""
    items, values = top_k(log_probability, seen, k)
    rank = np.tile(np.arange(1, k + 1), len(items))
    found = items.ravel() > 0
    names = item_names(histories, items.ravel()[found])
    return pl.DataFrame(
        {
            "user": histories.users["user"].cast(pl.String).gather(np.repeat(queries.user, k)[found]),
            "rank": rank[found],
            **{name: names[name] for name in names.columns},
            "probability": np.exp(values.ravel()[found].astype(np.float64)),
        }
    )


def steps_ahead(histories: Histories, queries: Queries, paths: Paths, k: int) -> pl.DataFrame:
    """The k likeliest items at each step: user, step, rank, item, title, probability, visited (within this many steps)."""
    n, steps, _ = paths.probability.shape
    order = np.argsort(-paths.probability[:, :, 1:], axis=2, kind="stable")[:, :, :k] + 1
    k = order.shape[2]
    names = item_names(histories, order)
    users = histories.users["user"].cast(pl.String).gather(np.repeat(queries.user, steps * k))
    return pl.DataFrame(
        {
            "user": users,
            "step": np.tile(np.repeat(np.arange(1, steps + 1), k), n),
            "rank": np.tile(np.arange(1, k + 1), n * steps),
            **{name: names[name] for name in names.columns},
            "probability": np.take_along_axis(paths.probability, order, axis=2).ravel(),
            "visited": np.take_along_axis(paths.visited, order, axis=2).ravel(),
        }
    )


def likeliest_path(histories: Histories, paths: Paths, user: int) -> tuple[list[str], float]:
    """The likeliest of the sampled paths of one row: item ids and the path's probability."""
    best = int(paths.log_probability[user].argmax())
    items = paths.item[user, best]
    return item_names(histories, items)["item"].to_list(), float(np.exp(paths.log_probability[user, best]))


def interest_shares(histories: Histories, paths: Paths) -> np.ndarray:
    """Probability [n, H, K + 1] of each interest at each step: the sum over its items (column 0: items without one)."""
    n, steps, _ = paths.probability.shape
    interest = histories.item_interest[: histories.num_items + 1]
    shares = np.zeros((n, steps, len(histories.interests) + 1))
    for column in range(shares.shape[2]):
        shares[:, :, column] = paths.probability[:, :, 1:][:, :, interest[1:] == column].sum(2)
    return shares
