"""Windows of steps, counted back by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tests.builders import make_histories
from trajectory.migrations.states import SMOOTHING
from trajectory.migrations.step_windows import cut_back, interest_mass, shares
from trajectory.schema import EVENT_TYPES, Queries


def whole(histories):
    return Queries(np.arange(histories.num_users), histories.offsets[:-1], histories.offsets[1:], histories.offsets[1:])


def test_windows_are_counted_back_from_the_end():
    histories = make_histories([[1, 2, 3, 3, 1], [2]])
    windows = cut_back(histories, whole(histories), 2)
    np.testing.assert_array_equal(windows.offsets, [0, 3, 4])
    np.testing.assert_array_equal(windows.mass.toarray(), [[1, 0, 1], [0, 1, 1], [1, 0, 0], [0, 1, 0]])
    np.testing.assert_array_equal(windows.steps, [5, 1])
    np.testing.assert_array_equal(windows.last(), [[1, 0, 1], [0, 1, 0]])
    np.testing.assert_array_equal(windows.last(1), [[0, 1, 1], [0, 0, 0]])
    np.testing.assert_array_equal(windows.past(), [[2, 1, 2], [0, 1, 0]])


def test_only_the_history_counts_not_what_is_asked_for():
    histories = make_histories([[1, 1, 2, 3, 3]])
    asked = Queries(np.array([0]), np.array([1]), np.array([3]), np.array([5]))
    np.testing.assert_array_equal(cut_back(histories, asked, 2).mass.toarray(), [[1, 1, 0]])


def test_a_basket_is_one_step_and_weighs_by_its_root():
    histories = make_histories([[1, 1, 2, 2, 3]], steps=[[0, 0, 0, 0, 1]])
    windows = cut_back(histories, whole(histories), 1)
    np.testing.assert_allclose(windows.mass.toarray(), [[0, 0, 1], [1, 1, 0]])  # four lines weigh 2 together
    np.testing.assert_allclose(
        interest_mass(histories, np.array([0]), np.array([5]), histories.item).toarray(), [[1, 1, 1]]
    )


def test_events_without_an_interest_do_not_weigh():
    histories = make_histories([[1, 2, 2, 2]], steps=[[0, 0, 0, 0]])
    known = replace(histories, item_interest=np.array([0, 1, 0], np.int32), interests=("c1",))
    np.testing.assert_allclose(interest_mass(known, np.array([0]), np.array([4]), known.item).toarray(), [[1]])


def test_where_purchases_alone_are_predicted_states_are_of_purchases():
    histories = make_histories([[1, 2, 3, 3, 1, 2], [1, 1]])
    types = np.array([1, 2, 2, 1, 2, 1, 1, 1], np.int8)  # purchases are events 1, 2 and 4 of the first user
    read = replace(
        histories, event_type=types, roles=EVENT_TYPES | {"view": ("input",), "purchase": ("input", "target")}
    )
    windows = cut_back(read, whole(read), 2)
    np.testing.assert_array_equal(windows.offsets, [0, 2, 2])
    np.testing.assert_array_equal(windows.mass.toarray(), [[1, 0, 1], [0, 1, 0]])
    np.testing.assert_array_equal(windows.steps, [3, 0])
    until = Queries(np.array([0]), np.array([0]), np.array([4]), np.array([6]))
    np.testing.assert_array_equal(cut_back(read, until, 2).mass.toarray(), [[0, 1, 1]])


def test_the_same_history_may_be_asked_for_twice():
    histories = make_histories([[1, 1, 2, 2]], steps=[[0, 0, 0, 0]])
    mass = interest_mass(histories, np.array([0, 0]), np.array([4, 4]), histories.item).toarray()
    np.testing.assert_allclose(mass, [[1, 1, 0], [1, 1, 0]])


def test_drift_is_between_the_last_two_windows():
    histories = make_histories([[3] * 8 + [1, 1, 2, 2], [1, 2, 1, 2], [1, 1]], interests=3)
    drift = cut_back(histories, whole(histories), 2).drift()
    usual = np.array([2, 2, 8]) / 12 * SMOOTHING
    before, after = ((np.array(mass) + usual) / (2 + SMOOTHING) for mass in ([2, 0, 0], [0, 2, 0]))
    middle = (before + after) / 2
    expected = sum((p * np.log2(p / middle)).sum() for p in (before, after)) / 2
    assert np.isclose(drift[0], expected)
    assert np.isclose(drift[1], 0)
    assert np.isnan(drift[2])  # one window only


def test_shares_of_nothing_are_zero():
    np.testing.assert_array_equal(shares(np.array([[1.0, 3.0], [0.0, 0.0]])), [[0.25, 0.75], [0, 0]])
