"""Lines of sales and returns, those that the model does not read too, each with the order that it is of."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from trajectory.data.store.sales import sales, selling_event_types
from trajectory.schema import Histories


class SaleLines(NamedTuple):
    """S lines; of a log without sales, all its events."""

    user: np.ndarray  # int64 [S]
    item: np.ndarray  # int64 [S]
    order: np.ndarray  # int64 [S], number of the step
    time: np.ndarray
    pieces: np.ndarray  # float64 [S], below 0 of returns
    value: np.ndarray  # float64 [S], likewise; 0 where unknown


def sale_lines(histories: Histories) -> SaleLines:
    """Sales and returns of a log; a sale outside the histories is an order with those of the same user and time."""
    user = np.repeat(np.arange(histories.num_users), np.diff(histories.offsets))
    order = np.cumsum(np.append(True, (user[1:] != user[:-1]) | (histories.step[1:] != histories.step[:-1])))
    if not selling_event_types(histories):
        one = np.ones(histories.num_events)
        return SaleLines(user, histories.item.astype(np.int64), order, histories.time, one, np.zeros_like(one))
    sold = sales(histories)
    inside = histories.has_role("sale")
    place = np.stack([sold.user[inside.sum() :], sold.time[inside.sum() :]], 1)
    number = np.unique(place, axis=0, return_inverse=True)[1].ravel() + len(order) + 1
    return SaleLines(
        np.where(sold.user < 0, histories.num_users, sold.user),
        sold.item.astype(np.int64),
        np.concatenate([order[inside], number]),
        sold.time,
        sold.quantity,
        np.nan_to_num(sold.value),
    )
