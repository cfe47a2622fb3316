"""Reasons of lists, recomputed from the events by plain polars."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from tests.builders import make_histories
from trajectory.data.store.arrays import events_table
from trajectory.data.times import DAY
from trajectory.insights.recommend.reasons import reasons
from trajectory.schema import EVENT_TYPES, Histories


def lists(histories: Histories, *pairs: tuple[int, int, bool]) -> pl.DataFrame:
    """Rows of users and items by number, and whether the user has had the item."""
    user, item, again = zip(*pairs, strict=True)
    return pl.DataFrame(
        {
            "user": histories.users["user"].gather(list(user)).cast(pl.String),
            "item": histories.items["item"].gather([one - 1 for one in item]).cast(pl.String),
            "again": again,
        }
    )


def because(histories: Histories, *pairs: tuple[int, int, bool]) -> list[str]:
    return reasons(histories, lists(histories, *pairs))["because"].to_list()


def test_what_a_user_bought_is_counted_in_visits_and_pieces_from_the_true_first_on():
    histories = make_histories([[1, 1, 2, 1], [2]], steps=[[0, 0, 0, 1], [0]], gap=DAY)
    histories = replace(histories, quantity=np.array([2, 1, 5, 1, 1], np.float32), event_type=np.full(5, 2, np.int8))
    rows = events_table(histories).filter(user=histories.users["user"][0], item=histories.items["item"][0])
    first, last = rows["time"].min(), rows["time"].max()
    assert because(histories, (0, 1, True), (0, 2, True), (1, 2, True)) == [
        f"Bought 2 times (4 pieces) since {first.day} {first:%B %Y}, last on {last.day} {last:%B %Y}",
        f"Bought once (5 pieces), on {first.day} {first:%B %Y}",
        f"Bought once, on {first.day} {first:%B %Y}",
    ]


def test_what_was_only_viewed_is_said_to_be_and_what_came_back_is_no_visit():
    histories = make_histories([[1, 1, 2, 2]], event_types=[[1, 1, 1, 2]], gap=DAY)
    histories = replace(histories, roles=EVENT_TYPES, has_time=False)
    assert because(histories, (0, 1, True), (0, 2, True)) == ["Viewed 2 times", "Bought once"]
    back = replace(histories, event_types=("purchase", "return"), event_type=np.array([1, 1, 1, 2], np.int8))
    back = replace(back, roles=EVENT_TYPES | {"return": ("input", "sale", "negative")})
    assert because(back, (0, 2, True)) == ["Bought once"]


@pytest.mark.parametrize("sold", [True, False])
def test_a_new_item_names_what_is_bought_by_those_who_bought_the_same(sold: bool):
    rng = np.random.default_rng(0)
    both = (
        [[1, 2]] * 30 + [[1]] * 20 + [[3]] * 45 + [[3, 2]] * 5
    )  # 60 % of those with 1 have 2 too, 10 % of those with 3
    told = [*both, [1, 3]]
    histories = make_histories([rng.permutation(items).tolist() for items in told], num_items=4)
    kind = "purchase" if sold else "view"
    histories = replace(
        histories, event_types=(kind,), event_type=np.ones_like(histories.event_type), roles=EVENT_TYPES
    )
    name = histories.items["item"][0]
    past = "bought" if sold else "looked at"
    assert because(histories, (100, 2, False), (100, 4, False)) == [
        f"Of 51 who {past} {name}, as this user did, 59% {past} this too; of everybody 35%",
        "",
    ]
    assert because(histories, (60, 2, False)) == [""], "those with 3 have it less often than everybody"


def test_empty_lists_need_no_reasons():
    histories = make_histories([[1, 2]])
    rows = lists(histories, (0, 1, True)).clear()
    assert reasons(histories, rows).schema == {**rows.schema, "because": pl.String}
