"""Segments of made-up users of whom it is known which belong together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import adjusted_rand_score

from tests.insights.segments.cases import LONG, NEW, planted
from trajectory.insights.customers.sums import Money
from trajectory.insights.segments.grouping import (
    AXES,
    LEAST,
    STABLE,
    WIDE,
    Grouping,
    choose_grouping,
    fit,
    k_means,
    principal_axes,
    stability,
)
from trajectory.insights.segments.names import names
from trajectory.insights.segments.segmentation import segmentation
from trajectory.insights.segments.tables import profiles_table
from trajectory.schema import UserError


def test_long_term_and_new_interests_are_different_segments():
    states, truth = planted()
    found = segmentation(states)
    assert adjusted_rand_score(truth, found.label) == 1
    assert found.stability.destinations == 3
    new = found.new_members[found.label]
    np.testing.assert_array_equal(new, truth % 2 == 1)


def test_names_tell_interest_and_newcomers_and_no_two_are_equal():
    states, truth = planted()
    found = segmentation(states)
    name = np.array(found.names)[found.label]
    assert set(name[truth == 0]) == {"c1, long-standing"}
    assert set(name[truth == 1]) == {"c1, moved here"}
    assert len(set(found.names)) == 6


def named(states, **changes):
    """The name of each segment of the planted users by what it is: 2 * interest + new."""
    states = replace(
        states, value=np.full(len(states.past), 10.0), value_ahead=np.full(len(states.past), 10.0), **changes
    )
    interests = len(states.fields)
    label = np.repeat(np.arange(2 * interests), [LONG, NEW] * interests)
    given = label, np.arange(2 * interests) // 2, np.arange(2 * interests) % 2 == 1, np.ones(interests, bool)
    return names(states, *given)


def test_a_new_segment_is_named_by_what_its_own_users_have_more_of():
    states, truth = planted()
    ahead = states.ahead.copy()
    ahead[truth == 0], ahead[truth == 1] = [6, 4, 0], [4, 0, 6]
    found = named(states, ahead=ahead)
    share, everybody = ahead[truth == 1].sum(0) / ahead[truth == 1].sum(), ahead.sum(0) / ahead.sum()
    lift = {f"c{at + 1}": value for at, value in enumerate(share / everybody)}
    assert found[1].split(",")[0] == " and ".join(
        sorted((one for one in lift if lift[one] >= 1.1), key=lambda one: -lift[one])
    )
    assert found[0].split(",")[0] != found[1].split(",")[0]


def test_nobody_turns_to_what_most_of_the_group_never_bought():
    states, truth = planted()
    ahead, past = states.ahead.copy(), states.past.copy()
    past[truth == 1], ahead[truth == 1] = [8, 2, 0], [7, 1, 2]
    new = np.flatnonzero(truth == 1)
    for bought, said in ((0.9, ", moved here: turning to c3"), (0.1, ", moved here")):
        past[new, 2] = np.arange(NEW) < bought * NEW
        assert named(states, past=past, ahead=ahead)[1] == f"c1{said}"


def test_nobody_turns_to_what_few_of_the_group_gain_of_or_what_stays_small():
    states, truth = planted()
    new = np.flatnonzero(truth == 1)
    ahead, past = states.ahead.copy(), states.past.copy()
    past[new], ahead[new] = [7, 2, 1], [7, 2, 1]
    ahead[new[: NEW // 3]] = [1, 2, 7]  # much, but a third of them alone
    assert named(states, past=past, ahead=ahead)[1].endswith(", moved here")
    past[new], ahead[new] = [7.5, 2.4, 0.1], [7.5, 2, 0.5]  # all of them, but to a twentieth of what they do
    assert named(states, past=past, ahead=ahead)[1].endswith(", moved here")


def test_nobody_turns_to_what_only_everybody_leaves():
    states, truth = planted()
    ahead, past = states.ahead.copy(), states.past.copy()
    past[:], ahead[:] = [4, 3.9, 2.1], [4.1, 4, 1.9]  # everybody leaves c3
    past[truth == 1] = ahead[truth == 1] = [6, 2, 2]  # these stay as they are
    assert "turning to" not in named(states, past=past, ahead=ahead)[1]


def test_a_name_tells_what_its_own_users_are_expected_to_buy():
    states, truth = planted()
    ahead = np.where(truth < 2, 80.0, 24) * np.where(truth % 2, 0.5, 1)
    found = segmentation(replace(states, value_ahead=ahead))
    for name, of in zip(
        found.names, profiles_table(found, Money(None, pl.Series([]), np.zeros(0)))["expected_a_week"], strict=True
    ):
        assert f", {of:.0f} a week" in name


def test_the_largest_stable_number_is_chosen():
    ahead = np.random.default_rng(0).normal(size=(500, 6))  # nobody belongs together: few groups stay the same
    ahead[:250] += 20
    _, chosen = choose_grouping(ahead, ahead)
    assert chosen.destinations == 2
    assert chosen.bootstrap == pytest.approx(1)
    assert chosen.seeds == pytest.approx(1)
    assert stability(ahead, ahead, 3).bootstrap < STABLE


def test_the_larger_of_two_stable_numbers_is_chosen():
    rng = np.random.default_rng(0)
    ahead = np.repeat([[0.0, 0], [0, 10], [99, 0], [99, 10]], 80, axis=0) + rng.normal(size=(320, 2))
    assert stability(ahead, ahead, 2).bootstrap >= STABLE
    assert choose_grouping(ahead, ahead)[1].destinations == 4


def test_a_destination_of_too_few_is_not_chosen():
    rng = np.random.default_rng(0)
    ahead = np.repeat([[0.0, 0], [0, 10], [999, 0]], [150, 149, 2], axis=0) + rng.normal(size=(301, 2))
    assert stability(ahead, ahead, 3).smallest < LEAST
    assert not stability(ahead, ahead, 3).enough


def test_a_user_is_new_where_its_past_is_nearer_to_another_group():
    grouping = Grouping(np.array([[0.0], [10.0]]), np.array([True, False]))
    past, ahead = np.array([[1.0], [9.0], [1.0]]), np.array([[2.0], [2.0], [9.0]])
    assert grouping.labels(past, ahead).tolist() == [0, 1, 2]  # new_members of the second group are not told apart


def test_few_newcomers_are_not_told_apart():
    ahead = np.repeat([[0.0], [10.0]], 200, axis=0) + np.linspace(0, 1, 400)[:, None]
    past = ahead.copy()
    past[0] = 10
    assert not fit(past, ahead, 2).divided.any()


def test_too_few_users_are_explained():
    with pytest.raises(UserError, match="at least 160 users"):
        choose_grouping(np.zeros((20, 2)), np.zeros((20, 2)))


def test_many_columns_are_grouped_by_their_principal_axes():
    rng = np.random.default_rng(0)
    truth = np.arange(400) % 4
    wide = np.eye(4)[truth].repeat(WIDE // 4 + 1, axis=1) + rng.normal(size=(400, WIDE + 4)) / 4
    short = principal_axes(wide)
    assert short.shape == (400, AXES)
    assert adjusted_rand_score(truth, k_means(short, 4, 0).labels_) == 1
    np.testing.assert_array_equal(principal_axes(wide[:, :WIDE]), wide[:, :WIDE])
