"""Days of next visits are told only where they held, and contradict no chance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from tests.builders import make_histories
from trajectory.inference.new_users import histories_before
from trajectory.insights.audiences.next_visit import check_next_visit, in_words, with_days_that_hold
from trajectory.schema import EVENT_TYPES

DAY = 86_400
ROWS = pl.DataFrame({"days": [10.0, 35.0, 35.0], "probability": [0.76, 0.76, 0.2]})


def test_who_came_by_the_day_named_is_counted_of_those_whose_day_has_passed():
    histories = make_histories([[1] * 10] * 4, gap=DAY)
    moment = int(histories.time[5])
    queries = histories_before(histories, moment)  # all come at that moment, after five days
    found = check_next_visit(histories, queries, np.array([1.0, 2.0, -0.5, 90.0]), moment)
    assert found == {"came": pytest.approx(2 / 3), "due": 3, "thirds": [1, 1, 0]}


def test_where_purchases_alone_are_predicted_a_view_is_not_what_was_awaited():
    histories = make_histories([[1] * 10] * 2, gap=DAY, event_types=[[2] * 5 + [1] * 4 + [2]] * 2)
    histories = replace(histories, roles=EVENT_TYPES | {"view": ("input",), "purchase": ("input", "target", "sale")})
    moment = int(histories.time[5])
    queries = histories_before(histories, moment)  # views come at once, the purchase after four days
    assert check_next_visit(histories, queries, np.array([3.0, 3.5]), moment)["came"] == 0
    later = make_histories([[1] * 12] * 2, gap=DAY, event_types=[[2] * 5 + [1] * 4 + [2, 1, 1]] * 2)
    later = replace(later, roles=histories.roles)
    assert check_next_visit(later, histories_before(later, moment), np.array([3.5, 4.5]), moment)["came"] == 0.5


@pytest.mark.parametrize(
    ("check", "days"),
    [
        ({"came": 0.52, "due": 80, "thirds": [0.4, 0.6, 0.56]}, [10.0, None, 35.0]),
        ({"came": 0.52, "due": 80, "thirds": [0.2, 0.5, 0.86]}, [None] * 3),  # too early for some, too late for others
        ({"came": 0.82, "due": 80, "thirds": [0.7, 0.7, 0.7]}, [None] * 3),
        ({"came": 0.5, "due": 20, "thirds": [0.5, 0.5, 0.5]}, [None] * 3),
        ({"came": float("nan"), "due": 0, "thirds": [float("nan")] * 3}, [None] * 3),
    ],
)
def test_days_that_did_not_hold_or_contradict_the_chance_are_left_out(check, days):
    assert with_days_that_hold(ROWS, 27, check)["days"].to_list() == days
    said = in_words(check, "visit")
    assert ("no days are named" in said or "are not named" in said) == (days == [None] * 3)
