"""How many will buy an item for the first time, where a forecast is of events of any type."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from trajectory.data.store.sales import pieces_sold, sale_shares, selling_event_types
from trajectory.insights.recommend.relevance import Relevance, owned_items, probabilities
from trajectory.schema import Histories, Queries


def first_purchases(relevance: Relevance, queries: Queries) -> float:
    """How many items the users of validation's `queries` bought for the first time, over how many are expected by what
    was fitted there: events of any type come more often in the next steps than sales do, where a visit begins with
    views, and those who have looked at an item without buying it buy it less.
    """
    h = relevance.histories
    if set(h.event_types) <= set(selling_event_types(h)) or not selling_event_types(h):
        return 1.0  # chances are of sales (of all events) themselves
    purchases, sells = purchases_only(h), sale_shares(h)
    expected = observed = 0.0
    for chunk in queries.chunks(relevance.batch):
        chance = probabilities(relevance.fits, relevance.read(chunk).scores, owned_items(h, chunk.start, chunk.stop))
        lacking = ~owned_items(purchases, chunk.start, chunk.stop) & np.isfinite(chance)
        lacking[:, 0] = False
        expected += float((np.where(lacking, chance, 0) * sells).sum())
        observed += int((lacking & owned_items(purchases, chunk.stop, chunk.end)).sum())
    return (observed + 0.5) / (expected + 0.5)


def purchases_only(histories: Histories) -> Histories:
    """The same with the items of sales alone (of all events, where the log has no sales)."""
    buys = pieces_sold(histories) > 0 if selling_event_types(histories) else np.ones(histories.num_events, bool)
    return replace(histories, item=np.where(buys, histories.item, 0))
