"""Lists of items for users: by relevance over the horizon, in the proportions of their interests, of what is sold."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from trajectory.data.store.sales import pieces_sold, sale_shares, selling_event_types
from trajectory.explain.explain import titles
from trajectory.insights.recommend.relevance import Relevance, owned_items, probabilities
from trajectory.insights.recommend.rerank import calibrated
from trajectory.metrics.by_interest import by_interest
from trajectory.schema import Histories, Queries

SIZE = 10  # items of a list
MOST_LIKELY, NEW = "most likely", "new to the user"


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
        shown &= ~owned_items(h, queries.start, queries.stop)
    shown[:, 0] = False
    scores, expected = np.where(shown, scores, -np.inf), expected * shown
    return calibrated(scores, by_interest(h, expected), h.item_interest[: scores.shape[1]], SIZE, share)


class Suggested(NamedTuple):
    """What `recommend` finds for all users in one reading."""

    lists: pl.DataFrame  # a row for each item of each user's lists
    new_buyers: pl.DataFrame  # a row for each item that may be shown; none where chances of new items are not known


def recommend(
    relevance: Relevance, queries: Queries, share: float, keep: np.ndarray | None = None, bought: float = 1.0
) -> Suggested:
    """Lists of each query's user, and by whom items may be taken up.

    Lists: user, list (MOST_LIKELY and, where items may come again, NEW: of items that the user has not had), rank,
    item, title, interest, probability of the item within the steps (null where not known: `probabilities`), again (the
    user has had it). Users for whom nothing is left have no rows. New buyers, most first: item, title, expected (of
    those who have not bought it, within the steps), users (who have not bought it, and whose chance is known); an event
    of any type counts by how often one of the item is a sale, times `bought` (`first_purchases`). Without sales in the
    log they are of all events.
    """
    h, parts = relevance.histories, []
    purchases, sells = _purchases(h), bought * (sale_shares(h) if selling_event_types(h) else 1.0)
    expected, users = np.zeros(h.num_items + 1), np.zeros(h.num_items + 1, np.int64)
    for chunk in queries.chunks(relevance.batch):
        read = relevance.read(chunk)
        owned = owned_items(h, chunk.start, chunk.stop)
        chance = probabilities(relevance.fits, read.scores, owned)
        for name in (MOST_LIKELY,) if relevance.filter_seen else (MOST_LIKELY, NEW):
            suggested = suggest(relevance, chunk, read.scores, read.expected, share, keep, name == NEW)
            parts.append(_rows(relevance, chunk, name, suggested, chance, owned))
        lacking = ~owned_items(purchases, chunk.start, chunk.stop) & np.isfinite(chance)
        expected += np.where(lacking, chance, 0).sum(axis=0) * sells
        users += lacking.sum(axis=0)
    candidates = 1 + np.flatnonzero(
        (np.ones(h.num_items, bool) if keep is None else keep[1:]) & (False in relevance.fits)
    )
    order = candidates[np.argsort(-expected[candidates], kind="stable")]
    winners = _named(relevance, order) | {"expected": expected[order], "users": users[order]}
    return Suggested(pl.concat(parts), pl.DataFrame(winners))


def first_purchases(relevance: Relevance, queries: Queries) -> float:
    """How many items the users of validation's `queries` bought for the first time, over how many are expected by what
    was fitted there: events of any type come more often in the next steps than sales do, where a visit begins with
    views, and those who have looked at an item without buying it buy it less.
    """
    h = relevance.histories
    if set(h.event_types) <= set(selling_event_types(h)) or not selling_event_types(h):
        return 1.0  # chances are of sales (of all events) themselves
    purchases, sells = _purchases(h), sale_shares(h)
    expected = observed = 0.0
    for chunk in queries.chunks(relevance.batch):
        chance = probabilities(relevance.fits, relevance.read(chunk).scores, owned_items(h, chunk.start, chunk.stop))
        lacking = ~owned_items(purchases, chunk.start, chunk.stop) & np.isfinite(chance)
        lacking[:, 0] = False
        expected += float((np.where(lacking, chance, 0) * sells).sum())
        observed += int((lacking & owned_items(purchases, chunk.stop, chunk.end)).sum())
    return (observed + 0.5) / (expected + 0.5)


def _purchases(histories: Histories) -> Histories:
    """The same with the items of sales alone (of all events, where the log has no sales)."""
    buys = pieces_sold(histories) > 0 if selling_event_types(histories) else np.ones(histories.num_events, bool)
    return replace(histories, item=np.where(buys, histories.item, 0))


def _rows(
    relevance: Relevance, queries: Queries, name: str, found: np.ndarray, chance: np.ndarray, owned: np.ndarray
) -> pl.DataFrame:
    h = relevance.histories
    row, place = np.nonzero(found)
    item = found[row, place]
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
