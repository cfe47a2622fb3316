"""Sessions with a view, and what followed in them, counted by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.insights.funnel.cases import START, log
from trajectory.insights.funnel.views import views
from trajectory.reports.words import only_dates_note
from trajectory.schema import UserError

EVENTS = [
    ("ann", 0, 1, "view"),
    ("ann", 1, 1, "view"),  # the same session: once
    ("ann", 2, 1, "cart"),
    ("ann", 3, 3, "view"),  # of the same interest
    ("ann", 4, 2, "cart"),  # never viewed in this session
    ("ann", 31, 1, "purchase"),  # 27 minutes later: still the session
    ("ann", 61, 1, "view"),  # 30 minutes later: a new one
    ("bob", 0, 1, "purchase"),  # before its view
    ("bob", 1, 1, "view"),
    ("bob", 90, 1, "purchase"),  # in another session
]


def told(found):
    return [tuple(column.tolist()) for column in found]


def test_each_session_counts_once_and_only_what_follows_in_it():
    histories = log(EVENTS)
    user, item, time, cart, purchase = told(views(histories, histories.item))
    assert list(zip(user, item, cart, purchase, strict=True)) == [
        (0, 1, True, True),
        (0, 3, False, False),
        (0, 1, False, False),
        (1, 1, False, False),
    ]
    assert time == (START, START + 180, START + 61 * 60, START + 60)


def test_of_dates_without_a_clock_what_is_bought_on_the_day_of_a_view_follows_it():
    day = 24 * 60
    first = [("ann", 0, 1, "purchase"), ("ann", 0, 1, "view")]
    histories = log([*first, ("ann", day, 2, "view"), ("ann", 2 * day, 2, "purchase")])
    *_, purchase = told(views(histories, histories.item))
    assert purchase == (True, False)
    dated = replace(histories, time=histories.time // 86_400 * 86_400)
    assert only_dates_note(dated).startswith("The log has dates without a clock")
    assert not only_dates_note(replace(histories, time=dated.time + np.arange(4)))


def test_an_interest_is_viewed_with_any_of_its_items():
    histories = log(EVENTS)
    user, interest, _, cart, purchase = told(views(histories, histories.item_interest[histories.item]))
    assert list(zip(user, interest, cart, purchase, strict=True)) == [
        (0, 1, True, True),
        (0, 1, False, False),
        (1, 1, False, False),
    ]


def test_what_the_idle_time_says_is_a_session():
    histories = log(EVENTS)
    assert len(views(histories, histories.item, session_timeout=100 * 60).user) == 3, "ann comes once, bob once"


@pytest.mark.parametrize(
    ("kept", "words"),
    [
        ("purchase", r"no views among the types .*\(purchase\).*data\.event_type_map.*view"),
        ("view", r"no purchases among the types .*\(view\).*data\.event_type_map.*purchase"),
    ],
)
def test_a_log_of_one_type_is_told_what_is_missing(kept, words):
    histories = replace(log([("ann", 0, 1, "view"), ("ann", 1, 1, "view")]), event_types=(kept,))
    with pytest.raises(UserError, match=words):
        views(histories, histories.item)


def test_a_log_without_times_has_no_sessions():
    histories = replace(log(EVENTS), has_time=False)
    with pytest.raises(UserError, match="needs times"):
        views(histories, histories.item)
