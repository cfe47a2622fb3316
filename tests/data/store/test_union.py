"""Several domains as one log: nobody's events, items or interests are taken for another's."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from ml_collections import ConfigDict

from tests.builders import make_histories
from trajectory.data.pipeline.splits import split, training_events
from trajectory.data.store.sales import sales
from trajectory.data.store.union import DOMAIN, item_and_user_domains, of_domain, union
from trajectory.schema import UserError

SHOP = replace(make_histories([[1, 2, 3, 1], [3, 3, 2]], num_items=3, interests=2), name="shop")
BOOKS = replace(
    make_histories([[2, 1, 0, 4, 2]], num_items=4, interests=1),
    name="books",
    event_types=("click", "purchase"),
    fingerprint="1",
)
BOTH = union([SHOP, BOOKS])


def test_items_and_interests_are_numbered_domain_after_domain() -> None:
    assert BOTH.offsets.tolist() == [0, 4, 7, 12]
    assert BOTH.item.tolist() == [1, 2, 3, 1, 3, 3, 2, 5, 4, 0, 7, 5]  # what is unknown stays so
    assert BOTH.num_items == 7
    assert BOTH.items["item"].to_list() == [
        "shop/i1",
        "shop/i2",
        "shop/i3",
        "books/i1",
        "books/i2",
        "books/i3",
        "books/i4",
    ]
    assert BOTH.items[DOMAIN].to_list() == ["shop"] * 3 + ["books"] * 4
    assert BOTH.interests == ("shop: c1", "shop: c2", "books: c1")
    assert BOTH.item_interest.tolist() == [0, 1, 2, 1, 3, 3, 3, 3]
    assert BOTH.users["user"].to_list() == ["shop/u0", "shop/u1", "books/u0"]


def test_event_types_are_matched_by_name() -> None:
    assert BOTH.event_types == ("view", "purchase", "click")
    assert BOTH.event_type.tolist() == [1] * 7 + [3] * 5


def test_events_keep_their_times_and_the_log_its_identity() -> None:
    np.testing.assert_array_equal(BOTH.time, np.concatenate([SHOP.time, BOOKS.time]))
    assert BOTH.name == "shop+books"
    assert len({BOTH.fingerprint, SHOP.fingerprint, BOOKS.fingerprint, union([BOOKS, SHOP]).fingerprint}) == 4
    assert not BOTH.baskets
    assert union([SHOP, replace(BOOKS, baskets=True)]).baskets


def test_sales_that_are_not_read_stay_with_their_domain() -> None:
    row = {"user": ["u0"], "item": ["i2"], "event_type": ["return"], "time": [5], "quantity": [2.0], "value": [None]}
    outside = pl.DataFrame(row, schema_overrides={"value": pl.Float64})
    found = sales(union([SHOP, replace(BOOKS, outside=outside)]))
    assert [column.tolist()[-1] for column in found[:4]] == [2, 5, 5, -2.0]


def test_of_one_domain_nobody_else_trains_or_is_asked() -> None:
    _, parts = split(BOTH, ConfigDict({"kind": "leave_one_out"}))
    alone = of_domain(BOTH, parts)
    assert list(alone) == ["shop", "books"]
    assert np.flatnonzero(training_events(BOTH, alone["shop"])).tolist() == [0, 1, 4]
    assert np.flatnonzero(training_events(BOTH, alone["books"])).tolist() == [7, 8, 9]
    assert alone["shop"].test.user.tolist() == [0, 1]
    assert alone["books"].validation.user.tolist() == [2]


@pytest.mark.parametrize("domains", [[], [SHOP, SHOP]])
def test_mistakes(domains: list) -> None:
    with pytest.raises(UserError, match="each once"):
        union(domains)


def test_columns_that_one_domain_lacks_are_unknown_there() -> None:
    priced = replace(BOOKS, items=BOOKS.items.with_columns(price=pl.lit(2.5)))
    assert union([SHOP, priced]).items["price"].to_list() == [None] * 3 + [2.5] * 4


def test_whose_items_and_users_are_is_told_by_number() -> None:
    of_item, of_user = item_and_user_domains(BOTH)
    assert of_item.tolist() == [0, 1, 1, 1, 2, 2, 2, 2]
    assert of_user.tolist() == [1, 1, 2]
    assert item_and_user_domains(SHOP) is None
