"""What an audience can be for: an interest or an item, and who bought it when."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trajectory.data.store.sales import pieces_sold
from trajectory.metrics.by_interest import by_group
from trajectory.schema import Histories, Queries

MOST, CELLS = 4_000, 50_000_000  # groups, and users times groups: what is counted of each pair must fit in memory


@dataclass(frozen=True)
class AudienceTargets:
    """G groups of items, numbered from 1."""

    kind: str  # "interest" or "item"
    names: tuple[str, ...]
    of_item: np.ndarray  # int32, group of each item index, those beyond the catalogue too; 0 = none


def targets_by_kind(histories: Histories, until: int | None = None) -> list[AudienceTargets]:
    """Interests, where the log has any, and items."""
    return [interests(histories, until)] * bool(histories.interests) + [items(histories, until)]


def interests(histories: Histories, until: int | None = None) -> AudienceTargets:
    """The log's interests; none where items have none. Of very many those with most events before `until`."""
    return _largest(AudienceTargets("interest", histories.interests, histories.item_interest), histories, until)


def items(histories: Histories, until: int | None = None) -> AudienceTargets:
    """The items of the catalogue, each its own group. Of very many those with most events before `until`."""
    number = np.arange(len(histories.item_interest), dtype=np.int32)
    known = histories.items.head(histories.num_items)
    names = (
        known["title"].fill_null(known["item"]) if known.schema.get("title") == known.schema["item"] else known["item"]
    )
    of_item = np.where(number <= histories.num_items, number, 0).astype(np.int32)
    return _largest(AudienceTargets("item", tuple(map(str, names)), of_item), histories, until)


def _largest(goods: AudienceTargets, histories: Histories, until: int | None) -> AudienceTargets:
    most = min(MOST, max(CELLS // histories.num_users, 1))
    if len(goods.names) <= most:
        return goods
    known = histories.item if until is None else histories.item[histories.time < until]
    events = np.bincount(goods.of_item[known], minlength=len(goods.names) + 1)[1:]
    kept = np.sort(np.argsort(-events, kind="stable")[:most])
    number = np.zeros(len(goods.names) + 1, np.int32)
    number[kept + 1] = np.arange(1, most + 1)
    return AudienceTargets(goods.kind, tuple(goods.names[group] for group in kept), number[goods.of_item])


def sum_by_target(goods: AudienceTargets, lines: np.ndarray) -> np.ndarray:
    """What is forecast of items [n, V + 1] as a sum over each group, float32 [n, G]."""
    return by_group(goods.of_item[: lines.shape[1]], len(goods.names) + 1, lines)[:, 1:]


def bought(histories: Histories, goods: AudienceTargets, queries: Queries, until: int) -> np.ndarray:
    """Whether each user buys of each group from its query's `stop` on, before `until` (unix seconds), bool [n, G]."""
    bought = np.zeros((histories.num_users, len(goods.names) + 1), bool)
    buys = pieces_sold(histories) > 0
    place = np.full(histories.num_users, histories.num_events)
    place[queries.user] = queries.stop
    user = np.repeat(np.arange(histories.num_users), np.diff(histories.offsets))
    counts = buys & (histories.time < until) & (np.arange(histories.num_events) >= place[user])
    bought[user[counts], goods.of_item[histories.item[counts]]] = True
    return bought[queries.user, 1:]
