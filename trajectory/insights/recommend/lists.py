"""Lists of items for users: by relevance over the horizon, in the proportions of their interests, of what is sold."""

from __future__ import annotations

import numpy as np
import polars as pl

from trajectory.evaluation.by_interest import by_interest
from trajectory.explain.explain import titles
from trajectory.insights.recommend.relevance import Relevance, has
from trajectory.insights.recommend.rerank import calibrated
from trajectory.schema import Queries

SIZE = 10  # items of a list
LIKELIEST, NEW = "likeliest", "new to the user"


def suggest(
    relevance: Relevance,
    queries: Queries,
    scores: np.ndarray,
    expected: np.ndarray,
    share: float,
    keep: np.ndarray | None = None,
    only_new: bool = False,
) -> np.ndarray:
    """Lists int64 [n, SIZE] for queries of which scores and expected shares [n, V + 1] were read.

    `keep` bool [V + 1]: items that may be shown; `only_new`: of those, none that the user has had. The mix that is
    wanted is the forecast's, of what may be shown.
    """
    h = relevance.histories
    shown = np.ones(scores.shape, bool) if keep is None else np.broadcast_to(keep, scores.shape).copy()
    if relevance.filter_seen or only_new:
        shown &= ~has(h, queries.start, queries.stop)
    shown[:, 0] = False
    scores, expected = np.where(shown, scores, -np.inf), expected * shown
    return calibrated(scores, by_interest(h, expected), h.item_interest[: scores.shape[1]], SIZE, share)


def lists(relevance: Relevance, queries: Queries, share: float, keep: np.ndarray | None = None) -> pl.DataFrame:
    """A row for each item of each query's lists: user, list, rank, item, title, interest, chance, again.

    Lists: LIKELIEST and, where items may come again, NEW, of items that the user has not had. `chance` of the item
    within the steps; `again`: the user has had it. Users for whom nothing is left have no rows.
    """
    h, parts = relevance.histories, []
    ids, names = h.items["item"].cast(pl.String), h.items.select(titles(h.items)).to_series()
    interests = pl.Series([None, *h.interests], dtype=pl.String)
    for chunk in queries.chunks(relevance.batch):
        scores, expected = relevance.scores(chunk), relevance.expected(chunk)
        owned = has(h, chunk.start, chunk.stop)
        for name in (LIKELIEST,) if relevance.filter_seen else (LIKELIEST, NEW):
            found = suggest(relevance, chunk, scores, expected, share, keep, name == NEW)
            row, place = np.nonzero(found)
            item = found[row, place]
            columns = {
                "user": h.users["user"].gather(chunk.user[row]).cast(pl.String),
                "list": [name] * len(row),
                "rank": place + 1,
                "item": ids.gather(item - 1),
                "title": names.gather(item - 1),
                "interest": interests.gather(h.item_interest[item]),
                "chance": 1 / (1 + np.exp(-scores[row, item])),
                "again": owned[row, item],
            }
            parts.append(pl.DataFrame(columns))
    return pl.concat(parts)


def new_buyers(relevance: Relevance, queries: Queries, keep: np.ndarray | None = None) -> pl.DataFrame:
    """A row for each item of `keep`, by how many of those users who have not had it are expected to take it within the
    steps: item, title, expected, users (who have not had it).
    """
    h = relevance.histories
    expected, users = np.zeros(h.num_items + 1), np.zeros(h.num_items + 1, np.int64)
    for chunk in queries.chunks(relevance.batch):
        new = ~has(h, chunk.start, chunk.stop)
        expected += (new / (1 + np.exp(-relevance.scores(chunk)))).sum(axis=0)
        users += new.sum(axis=0)
    some = 1 + np.flatnonzero(np.ones(h.num_items, bool) if keep is None else keep[1:])
    order = some[np.argsort(-expected[some], kind="stable")]
    return pl.DataFrame(
        {
            "item": h.items["item"].cast(pl.String).gather(order - 1),
            "title": h.items.select(titles(h.items)).to_series().gather(order - 1),
            "expected": expected[order],
            "users": users[order],
        }
    )
