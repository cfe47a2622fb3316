"""Sales of small logs, reckoned by hand."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from tests.builders import make_histories
from trajectory.data.store.sales import has_values, net_sales, sales, selling_event_types
from trajectory.schema import EVENT_TYPES, Histories


@pytest.fixture
def log() -> Histories:
    """u0 views item 1, buys it three times (2, 1 and 4 pieces, worth 10, 5 and 20) and item 2 once; u1 buys item 1."""
    histories = make_histories([[1, 1, 1, 1, 2], [1]], event_types=[[1, 2, 2, 2, 2], [2]], gap=1)
    back = {"user": ["u0", "u0", "u1", "u9"], "item": ["i1", "i1", "i2", "i1"], "quantity": [5.0, 1.0, 1.0, 1.0]}
    back |= {"value": [22.0, None, 3.0, 1.0], "time": [int(histories.time[4]) + 1, int(histories.time[4]) + 9, 5, 6]}
    return replace(
        histories,
        value=np.array([99, 10, 5, 20, 7, 5], np.float32),
        quantity=np.array([np.nan, 2, 1, 4, np.nan, 1], np.float32),
        roles=EVENT_TYPES,
        outside=pl.DataFrame(back).with_columns(event_type=pl.lit("return")),
    )


def test_returns_are_sales_below_nothing(log: Histories) -> None:
    found = sales(log)
    assert found.quantity.tolist() == [2, 1, 4, 1, 1, -5, -1, -1, -1]
    np.testing.assert_array_equal(found.value, [10, 5, 20, 7, 5, -22, np.nan, -3, -1])
    assert found.user.tolist() == [0, 0, 0, 0, 1, 0, 0, 1, -1]
    assert found.item.tolist() == [1, 1, 1, 2, 1, 1, 1, 2, 1]
    assert has_values(log)
    assert selling_event_types(log) == ("purchase",)


def test_a_return_takes_back_the_last_sales_of_the_item_first(log: Histories) -> None:
    assert net_sales(log, by_value=False).tolist() == [0, 1, 0, 0, 1, 1]  # 6 of u0's 7 pieces; nobody else's
    np.testing.assert_allclose(net_sales(log, by_value=True), [0, 8, 0, 0, 7, 5])  # 22, and a piece at what it is worth


def test_what_comes_back_later_is_not_known(log: Histories) -> None:
    first = int(log.time[4]) + 2
    assert net_sales(log, by_value=False, until=first).tolist() == [0, 2, 0, 0, 1, 1]
    assert net_sales(log, by_value=False, until=int(log.time[4])).tolist() == [0, 2, 1, 4, 1, 1]


def test_what_came_back_before_it_was_sold_is_no_sale_less(log: Histories) -> None:
    early = log.outside.with_columns(time=pl.lit(int(log.time[1])))
    assert net_sales(replace(log, outside=early), by_value=False, until=int(log.time[2])).tolist() == [0, 0, 1, 4, 1, 1]
