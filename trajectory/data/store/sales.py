"""What a log says of sales: events whose type has the role sale, returns among them, inside and outside histories."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl

from trajectory import hints
from trajectory.data.ingest.sales.event_types import selling_types
from trajectory.schema import Histories, UserError

USUAL = 5.0  # events at the rate of all items that each item's own rate of selling begins with


class Sales(NamedTuple):
    """S sales; of a type that also has the role negative (a return), quantity and value are below 0."""

    user: np.ndarray  # int64 [S], row of the user in `Histories.users`; -1 where the user has no history
    item: np.ndarray  # int32 [S], index of the item; 0 where no history has it
    time: np.ndarray  # int64 [S], unix seconds
    quantity: np.ndarray  # float64 [S], 1 where it is not stated
    value: np.ndarray  # float64 [S], NaN where it is not stated


def selling_event_types(histories: Histories) -> tuple[str, ...]:
    """The log's types that sell; none: the log tells of no sale."""
    outside = histories.outside["event_type"].unique().to_list() if histories.outside.height else []
    types = (*histories.event_types, *sorted(set(outside) - {*histories.event_types}))
    return tuple(selling_types({event_type: histories.roles[event_type] for event_type in types}))


def require_sales(histories: Histories, what: str) -> None:
    """Raises UserError where the log tells of no sale; `what` says so, such as "demand needs sales"."""
    if not selling_event_types(histories):
        raise UserError(no_sales(histories, what))


def no_sales(histories: Histories, what: str) -> str:
    """What is left out where the log tells of no sale, and the setting that declares some."""
    return (
        f"{what}: none of this log's types of event ({', '.join(histories.event_types)}) is a sale; if one is, say so "
        f"with {hints.setting(f'data.event_types.{histories.event_types[-1]}', 'input,target,sale')} and train again."
    )


def pieces_sold(histories: Histories) -> np.ndarray:
    """Pieces that each event of the histories sells, float64 [E]: 0 where its type is no sale, 1 where not stated."""
    sign = np.where(histories.has_role("negative"), -1.0, 1.0) * histories.has_role("sale")
    return sign * np.where(np.isnan(histories.quantity), 1, histories.quantity)


def sales(histories: Histories) -> Sales:
    """All sales of a log: those of the histories in order, then those outside."""
    at = np.flatnonzero(histories.has_role("sale"))
    user = np.repeat(np.arange(histories.num_users), np.diff(histories.offsets))[at]
    quantity = pieces_sold(histories)[at]
    value = np.where(histories.has_role("negative")[at], -1.0, 1.0) * histories.value[at]
    inside = Sales(user, histories.item[at], histories.time[at], quantity, value)
    types = [event_type for event_type, roles in histories.roles.items() if "sale" in roles]
    outside = histories.outside
    if not outside.height or not (outside := outside.filter(pl.col("event_type").is_in(types))).height:
        return inside
    negative = (
        outside["event_type"]
        .is_in([event_type for event_type in types if "negative" in histories.roles[event_type]])
        .to_numpy()
    )
    sign = np.where(negative, -1.0, 1.0)
    others = Sales(
        _numbers(outside["user"], histories.users["user"]).astype(np.int64),
        (_numbers(outside["item"], histories.items["item"]) + 1).astype(np.int32),
        outside["time"].to_numpy(),
        sign * outside["quantity"].fill_null(1).to_numpy(),
        sign * outside["value"].fill_null(np.nan).to_numpy(),
    )
    return Sales(*map(np.concatenate, zip(inside, others, strict=True)))


def _numbers(ids: pl.Series, known: pl.Series) -> np.ndarray:
    """The row of each id among the known ones, -1 where it is not."""
    rows = pl.DataFrame({"id": known}).with_row_index("row")
    joined = pl.DataFrame({"id": ids}).join(rows, on="id", how="left", maintain_order="left")
    return joined["row"].cast(pl.Int64).fill_null(-1).to_numpy()


def sale_shares(histories: Histories) -> np.ndarray:
    """Share of the target events of each item that are sales, drawn to that of all where few, float64 [V + 1]."""
    known = (histories.target_item > 0) & (histories.item <= histories.num_items)
    item, width = histories.item[known], histories.num_items + 1
    sale = pieces_sold(histories)[known] > 0
    return (np.bincount(item, sale, width) + USUAL * sale.mean()) / (np.bincount(item, minlength=width) + USUAL)


def has_values(histories: Histories) -> bool:
    """Whether the log states what sales are worth."""
    return bool(np.isfinite(sales(histories).value).any())


def net_sales(histories: Histories, by_value: bool, until: int | None = None) -> np.ndarray:
    """What each event of the histories sold and was not given back, float64 [E], in value or in pieces.

    Of the user's sales of the item a return takes back the last first, and no more than they were; returns from `until`
    (unix seconds) on are not known yet. Of no value where none is stated; a return is then worth what the item usually
    is.
    """
    sold_or_returned = sales(histories)
    at = np.flatnonzero(histories.has_role("sale"))
    amount = sold_or_returned.value if by_value else sold_or_returned.quantity
    back = sold_or_returned.quantity < 0
    own = np.zeros(histories.num_events)
    own[at] = np.where(back[: len(at)], 0, np.nan_to_num(amount[: len(at)])).clip(min=0)
    known = (
        back
        & (sold_or_returned.user >= 0)
        & (sold_or_returned.item > 0)
        & (True if until is None else sold_or_returned.time < until)
    )
    if not known.any():
        return own
    taken = np.abs(amount[known])
    if by_value:
        usual = _usual_values(sold_or_returned, len(histories.items) + 1)[sold_or_returned.item[known]]
        taken = np.where(np.isfinite(taken), taken, -sold_or_returned.quantity[known] * usual)
    pair = sold_or_returned.user * np.int64(len(histories.items) + 1) + sold_or_returned.item
    pairs, number = np.unique(pair[known], return_inverse=True)
    given_back = np.bincount(number, taken)
    group = np.minimum(np.searchsorted(pairs, pair[: len(at)]), len(pairs) - 1)
    matches = (pairs[group] == pair[: len(at)]) & (True if until is None else histories.time[at] < until)
    group, at = group[matches][::-1], at[matches][::-1]
    order = np.argsort(group, kind="stable")  # the last sale of each user and item first
    group, at = group[order], at[order]
    so_far = np.cumsum(own[at]) - own[at]
    first = np.append(True, group[1:] != group[:-1])[: len(group)]
    so_far -= np.repeat(so_far[first], np.diff(np.append(np.flatnonzero(first), len(group))))
    own[at] -= np.clip(given_back[group] - so_far, 0, own[at])
    return own


def _usual_values(found: Sales, items: int) -> np.ndarray:
    """Value of a piece of each item, float64 [items]; 0 where no sale of it states one."""
    stated = np.isfinite(found.value) & (found.quantity > 0)
    total, pieces = (np.bincount(found.item[stated], column[stated], items) for column in (found.value, found.quantity))
    return total / np.maximum(pieces, 1e-12)
