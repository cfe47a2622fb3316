"""The tables of recommendations: lists for users, and by whom items may be taken up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from trajectory.data.store.sales import sale_shares, selling_event_types
from trajectory.explain.explain import titles
from trajectory.insights.recommend.lists import MOST_LIKELY, NEW, suggest
from trajectory.insights.recommend.new_buyers import FirstPurchases, purchases_only
from trajectory.insights.recommend.relevance import Relevance, RelevanceReading, owned_items, probabilities
from trajectory.schema import Queries

Order = Callable[[Queries, RelevanceReading], Any]  # scores [n, V + 1]


class Suggested(NamedTuple):
    """What `recommend` finds for all users in one reading."""

    lists: pl.DataFrame  # a row for each item of each user's lists
    new_buyers: pl.DataFrame  # a row for each item that may be shown; none where chances of new items are not known


def recommend(
    relevance: Relevance,
    queries: Queries,
    share: float,
    lately: FirstPurchases,
    keep: np.ndarray | None = None,
    order: Order | None = None,
) -> Suggested:
    """Lists of each query's user, and by whom items may be taken up.

    Lists: user, list (MOST_LIKELY and, where items may come again, NEW: of items that the user has not had), rank,
    item, title, interest, probability of the item within the steps (null where not known: `probabilities`), again (the
    user has had it). Users for whom nothing is left have no rows. New buyers, most first: item, title, expected (of
    those who have not bought it, within the steps), lately (so many bought it for the first time in the newest window),
    users (who have not bought it, and whose chance is known); an event of any type counts by how often one of the item
    is a sale, times the ratio of `lately`. Without sales in the log they are of all events. `order`: scores that lists
    are ordered by instead, of which no probability is known.
    """
    h, parts = relevance.histories, []
    purchases, sells = purchases_only(h), lately.ratio * (sale_shares(h) if selling_event_types(h) else 1.0)
    expected, users = np.zeros(h.num_items + 1), np.zeros(h.num_items + 1, np.int64)
    for chunk in queries.chunks(relevance.batch):
        read = relevance.read(chunk)
        owned = owned_items(h, chunk.start, chunk.stop)
        chance = probabilities(relevance.fits, read.scores, owned)
        for name in (MOST_LIKELY,) if relevance.filter_seen else (MOST_LIKELY, NEW):
            scores = read.scores if order is None else np.asarray(order(chunk, read), np.float64)
            suggested = suggest(relevance, chunk, scores, read.expected, share, keep, name == NEW)
            known = chance if order is None else np.full_like(chance, np.nan)
            parts.append(_rows(relevance, chunk, name, suggested, known, owned))
        lacking = ~owned_items(purchases, chunk.start, chunk.stop) & np.isfinite(chance)
        expected += np.where(lacking, chance, 0).sum(axis=0) * sells
        users += lacking.sum(axis=0)
    candidates = 1 + np.flatnonzero(
        (np.ones(h.num_items, bool) if keep is None else keep[1:]) & (False in relevance.fits)
    )
    most = candidates[np.argsort(-expected[candidates], kind="stable")]
    winners = _named(relevance, most) | {
        "expected": expected[most],
        "lately": lately.observed[most],
        "users": users[most],
    }
    return Suggested(pl.concat(parts), pl.DataFrame(winners))


def _rows(
    relevance: Relevance, queries: Queries, name: str, suggested: np.ndarray, chance: np.ndarray, owned: np.ndarray
) -> pl.DataFrame:
    h = relevance.histories
    row, place = np.nonzero(suggested)
    item = suggested[row, place]
    columns = {
        "user": h.users["user"].gather(queries.user[row]).cast(pl.String),
        "list": [name] * len(row),
        "rank": place + 1,
        **_named(relevance, item),
        "interest": pl.Series([None, *h.interests], dtype=pl.String).gather(h.item_interest[item]),
        "probability": pl.Series(chance[row, item]).fill_nan(None),
        "again": owned[row, item],
    }
    return pl.DataFrame(columns)


def _named(relevance: Relevance, items: np.ndarray) -> dict[str, Any]:
    """Ids and titles of items."""
    table = relevance.histories.items
    named = {"item": table["item"].cast(pl.String), "title": table.select(titles(table)).to_series()}
    return {column: values.gather(items - 1) for column, values in named.items()}
