"""How the rates held on later sessions, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from trajectory.insights.funnel.evaluate import ALL, COUNTING, OURS, measure
from trajectory.insights.funnel.views import Views

INTEREST = np.array([0, 1, 1, 2])  # of items 0 to 3


def made(rows):
    """Views of (user, item, time, cart, purchase)."""
    return Views(*(np.array(column) for column in zip(*rows, strict=True)))


PAST = [(0, 1, 0, True, False), (0, 1, 1, False, False), (1, 2, 2, True, True), (1, 3, 3, False, False)]
HELD = [(0, 1, 10, False, False), (1, 2, 11, True, True), (1, 3, 12, False, False)]


def test_losses_of_counting_are_as_by_hand():
    found = measure(made(PAST + HELD), INTEREST, 10, 50, 0)
    assert found.keys() == {"cart", "purchase"}
    purchase = found["purchase"]
    assert (purchase["views"], purchase["users"], purchase["happened"]) == (3, 2, 1)
    # counted one hit and one miss more: item 1: 1/4, item 2: 2/3, item 3: 1/3; all: 2/6
    counting = purchase["methods"][COUNTING]
    assert counting["log_loss"]["value"] == pytest.approx(-np.log([3 / 4, 2 / 3, 2 / 3]).mean())
    assert counting["brier"]["value"] == pytest.approx((1 / 16 + 1 / 9 + 1 / 9) / 3)
    of_all = purchase["methods"][ALL]
    assert of_all["log_loss"]["value"] == pytest.approx(-np.log([2 / 3, 1 / 3, 2 / 3]).mean())
    # interest 1: (1 + 1) / (3 + 2), interest 2: (0 + 1) / (1 + 2)
    of_interest = purchase["methods"]["rate of its interest"]
    assert of_interest["log_loss"]["value"] == pytest.approx(-np.log([3 / 5, 2 / 5, 2 / 3]).mean())
    ours = purchase["methods"][OURS]["log_loss"]["value"]
    assert purchase["less"][ALL]["log_loss"]["value"] == pytest.approx(ours - of_all["log_loss"]["value"])
    assert OURS not in purchase["less"]


def test_intervals_are_of_users():
    """Of two users each is drawn twice in a quarter of the resamples: the ends are what one of them alone has."""
    of_all = measure(made(PAST + HELD), INTEREST, 10, 2_000, 0)["purchase"]["methods"][ALL]["log_loss"]
    alone = -np.log(2 / 3), -np.log([1 / 3, 2 / 3]).mean()
    assert (of_all["low"], of_all["high"]) == pytest.approx(alone)


def test_later_sessions_do_not_tell_the_rates():
    other = [(0, 1, 10, True, True), *HELD[1:]]
    first, second = (measure(made(PAST + held), INTEREST, 10, 50, 0)["purchase"] for held in (HELD, other))
    change = second["methods"][COUNTING]["log_loss"]["value"] - first["methods"][COUNTING]["log_loss"]["value"]
    assert change == pytest.approx((-np.log(1 / 4) + np.log(3 / 4)) / 3), "the same rates, another outcome"


@pytest.mark.parametrize("rows", [PAST, HELD])
def test_nothing_is_measured_where_a_side_is_empty(rows):
    assert measure(made(rows), INTEREST, 10, 50, 0) == {}
