"""How many bought an item for the first time lately, and by how much chances of its events exceed that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from trajectory.data.store.sales import pieces_sold, sale_shares, selling_event_types
from trajectory.data.times import DAY
from trajectory.inference.new_users import histories_before
from trajectory.insights.recommend.by_item import shrunk_ratios
from trajectory.insights.recommend.relevance import Relevance, limited_to_steps, owned_items, probabilities
from trajectory.schema import Histories, Queries, Split

MOST_WINDOWS = 4  # one alone tells a season as if it lasted


class FirstPurchases(NamedTuple):
    """What the windows so far say of items' first purchases, each [V + 1]."""

    observed: np.ndarray  # int64, how many users bought the item for the first time in the newest one
    ratio: np.ndarray  # float64, by how much first purchases are more or fewer than chances of the item's events say


def past_windows(relevance: Relevance, split: Split) -> list[Queries]:
    """What all users had in each window as long as the validation window, from that on, back to back, newest last; also
    those who did not come in it. Where the split is not by time, the steps that validate and those that test.
    """
    h = relevance.histories
    begun = split.cut_time("validation")
    if not relevance.days or begun is None:
        asked = [split.validation, split.test]
    else:
        span = relevance.days * DAY
        count = int(np.clip((h.now - begun) / span + 0.25, 1, MOST_WINDOWS))
        asked = [_between(h, h.now - number * span, h.now - (number - 1) * span) for number in range(count, 0, -1)]
    return [limited_to_steps(h, queries, relevance.steps) for queries in asked]


def first_purchases(relevance: Relevance, windows: Sequence[Queries]) -> FirstPurchases:
    """First purchases of each item in the windows, against what was expected by chances of its events.

    Chances are of users who come, and of events of any type, which come more often than sales do where a visit begins
    with views; and they are of the validation window. How many take up an item changes with the season, so that each
    item's ratio is of all windows; how many take up any falls while a log is young, so that the level is the newest's.
    """
    h = relevance.histories
    purchases, sells = purchases_only(h), sale_shares(h) if selling_event_types(h) else 1.0
    expected, observed = np.zeros((len(windows), h.num_items + 1)), np.zeros((len(windows), h.num_items + 1), np.int64)
    for number, queries in enumerate(windows):
        for chunk in queries.chunks(relevance.batch):
            owned = owned_items(h, chunk.start, chunk.stop)
            chance = probabilities(relevance.fits, relevance.read(chunk).scores, owned)
            lacking = ~owned_items(purchases, chunk.start, chunk.stop) & np.isfinite(chance)
            lacking[:, 0] = False
            expected[number] += np.where(lacking, chance, 0).sum(axis=0) * sells
            observed[number] += (lacking & owned_items(purchases, chunk.stop, chunk.end)).sum(axis=0)
    ratio = shrunk_ratios(expected.sum(axis=0), observed.sum(axis=0))
    level = (observed[-1].sum() + 0.5) / ((expected[-1] * ratio).sum() + 0.5)
    return FirstPurchases(observed[-1], ratio * level)


def _between(histories: Histories, begin: int, end: int) -> Queries:
    """What each user with a history before `begin` had from there to `end` (unix seconds)."""
    asked, later = histories_before(histories, begin), histories_before(histories, end)
    until = np.zeros(histories.num_users, np.int64)
    until[later.user] = later.stop
    return asked._replace(end=until[asked.user])


def purchases_only(histories: Histories) -> Histories:
    """The same with the items of sales alone (of all events, where the log has no sales)."""
    buys = pieces_sold(histories) > 0 if selling_event_types(histories) else np.ones(histories.num_events, bool)
    roles = {event_type: (*own, "target") for event_type, own in histories.roles.items()}  # of the others item 0
    return replace(histories, item=np.where(buys, histories.item, 0), roles=roles)
