"""Sessions, interest states and learned interests on logs small enough to reckon by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from tests.builders import make_histories
from trajectory.migrations.clusters import learned_interests
from trajectory.migrations.season import multipliers
from trajectory.migrations.sessions import sessions_of
from trajectory.migrations.states import SMOOTHING, divergence, interest_states
from trajectory.schema import UserError

DAY = 24 * 3600


def test_steps_close_in_time_are_one_session():
    histories = make_histories([[1, 1, 2, 3], [3]])
    time = histories.time[0] + np.array([0, 1799, 3599, DAY, 0])  # a gap of 30 minutes ends a session
    units = sessions_of(replace(histories, time=time), power=0.0)
    np.testing.assert_array_equal(units.offsets, [0, 3, 4])
    np.testing.assert_allclose(units.moment, [0, 3599 / DAY, 1, 0])
    np.testing.assert_array_equal(units.mass.toarray(), [[2, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 1]])
    np.testing.assert_array_equal(units.user, [0, 0, 0, 1])


def test_a_session_weighs_as_its_power_says():
    histories = make_histories([[1, 1, 2, 2, 3]], steps=[[0, 0, 0, 0, 1]])
    np.testing.assert_allclose(sessions_of(histories, power=1.0).mass.toarray(), [[0.5, 0.5, 0], [0, 0, 1]])
    np.testing.assert_allclose(sessions_of(histories, power=0.5).mass.sum(1), [2, 1])


def test_items_without_an_interest_are_left_out():
    histories = make_histories([[1, 2, 1], [2]])
    none = replace(histories, item_interest=np.array([0, 1, 0], np.int32), interests=("c1",))
    units = sessions_of(none)
    np.testing.assert_array_equal(units.offsets, [0, 2, 2])
    assert interest_states(units, np.array([1]), 1.0).sum() == 0


def test_states_are_shares_smoothed_towards_the_own_mix():
    units = sessions_of(make_histories([[1, 1, 2, 2]], gap=DAY, interests=2))
    states = interest_states(units, np.array([0]), 2.0)
    near, far = (2 + SMOOTHING / 2) / (2 + SMOOTHING), (SMOOTHING / 2) / (2 + SMOOTHING)
    np.testing.assert_allclose(states[0], [[near, far], [far, near]])


def test_a_window_without_sessions_is_the_own_mix():
    histories = make_histories([[1, 2, 1, 1]], gap=10 * DAY, interests=2)
    np.testing.assert_allclose(interest_states(sessions_of(histories), np.array([0]), 5.0)[0, 1], [0.75, 0.25])


def test_divergence_is_in_bits():
    assert divergence(np.array([1.0, 0]), np.array([0, 1.0])) == pytest.approx(1)
    assert divergence(np.array([0.3, 0.7]), np.array([0.3, 0.7])) == pytest.approx(0)
    assert divergence(np.array([1.0, 0]), np.array([0.5, 0.5])) == pytest.approx(0.311278, abs=1e-6)


def test_other_users_in_a_window_are_no_season():
    one, other = [1] * 40 + [2] * 20, [3] * 30  # a mix of users changes, nobody's own does
    lists = [one for _ in range(20)] + [other for _ in range(20)]
    histories = make_histories(lists, gap=DAY, num_items=3)
    rng = np.random.default_rng(0)
    item = np.concatenate([rng.permutation(part) for part in lists])
    season = multipliers(sessions_of(replace(histories, item=item)), 30.0)
    assert season.shape == (2, 3)
    np.testing.assert_allclose(season, 1, atol=0.1)


def blobs():
    """Twelve items around each of five directions, and a log in which the first of each is bought most."""
    rng = np.random.default_rng(0)
    centres = np.eye(5, 8).repeat(12, axis=0)
    histories = make_histories([[12 * k + 1 for k in range(5)] + list(range(1, 61))], num_items=60)
    titles = [f"item {k} of {group}" for group in "abcde" for k in range(12)]
    histories = replace(histories, items=histories.items.with_columns(title=pl.Series(titles)))
    return histories, 3.0 * centres + 0.1 * rng.normal(size=centres.shape)


def test_interests_are_learned_from_vectors():
    histories, vectors = blobs()
    learned = learned_interests(replace(histories, interests=(), item_interest=np.zeros(61, np.int32)), vectors)
    assert len(learned.interests) == 5
    groups = learned.item_interest[1:].reshape(5, 12)
    assert (groups == groups[:, :1]).all()
    assert len(set(groups[:, 0])) == 5
    assert learned.item_interest[0] == 0
    names = {learned.interests[group - 1].partition(": ")[2].split(" / ")[0] for group in groups[:, 0]}
    assert names == {f"item 0 of {group}" for group in "abcde"}
    assert learned.items["interest"].to_list() == [learned.interests[k - 1] for k in learned.item_interest[1:]]
    assert len(learned_interests(histories, vectors, count=3).interests) == 3


def test_vectors_of_another_catalogue_are_explained():
    histories, vectors = blobs()
    with pytest.raises(UserError, match="60 items, got an array of shape"):
        learned_interests(histories, vectors[:-1])
    with pytest.raises(UserError, match="1 to 59 interests"):
        learned_interests(histories, vectors, count=60)
