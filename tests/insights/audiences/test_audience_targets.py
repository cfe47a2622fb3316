"""Counts before a moment and purchases after it, on a log small enough to reckon by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.builders import make_histories
from trajectory.inference.new_users import histories_before
from trajectory.insights.audiences import audience_targets
from trajectory.insights.audiences.audience_targets import bought, interests, items, sum_by_target, targets_by_kind
from trajectory.insights.audiences.counts import NEVER, count, hand_made
from trajectory.schema import EVENT_TYPES

DAY = 86_400


@pytest.fixture
def log():
    """Two users; interests: item 1 -> 1, 2 -> 2, 3 -> 3. Days: 0, 50, 100, 101 and 99, 100."""
    histories = make_histories([[1, 2, 2, 1], [3, 3]], interests=3, num_items=3, event_types=[[2] * 4, [2] * 2])
    days = np.array([0, 50, 100, 101, 99, 100])
    return replace(histories, time=histories.time[0] + days * DAY), int(histories.time[0])


def test_a_query_ends_before_the_moment(log):
    histories, zero = log
    queries = histories_before(histories, zero + 100 * DAY)
    np.testing.assert_array_equal(queries.stop, [2, 5])
    np.testing.assert_array_equal(histories_before(histories, zero + 99 * DAY).user, [0])


def test_nothing_at_or_after_the_moment_is_counted(log):
    histories, zero = log
    queries = histories_before(histories, zero + 100 * DAY)
    counts = count(histories, interests(histories), queries, zero + 100 * DAY)
    np.testing.assert_array_equal(counts.ever, [[1, 1, 0], [0, 0, 1]])
    np.testing.assert_array_equal(counts.season, [[0, 1, 0], [0, 0, 1]])
    np.testing.assert_array_equal(counts.month, [[0, 0, 0], [0, 0, 1]])
    np.testing.assert_array_equal(counts.since, [[100, 50, NEVER], [NEVER, NEVER, 1]])
    np.testing.assert_array_equal(counts.steps, [[0, 1, 2], [1, 1, 1]])
    np.testing.assert_array_equal(counts.idle, [50, 1])
    np.testing.assert_array_equal(counts.lapsed, [[True, False, True], [True, True, False]])
    later = replace(histories, item=np.array([1, 2, 3, 3, 3, 1], np.int32))
    for name, values in count(later, interests(later), queries, zero + 100 * DAY)._asdict().items():
        np.testing.assert_array_equal(values, getattr(counts, name), err_msg=name)
    assert hand_made(counts, np.array([0, 2])).shape == (2, 2, 13)


def test_what_is_bought_counts_from_the_query_on_and_before_the_end(log):
    histories, zero = log
    queries, goods = histories_before(histories, zero + 100 * DAY), interests(histories)
    one_day = bought(histories, goods, queries, zero + 101 * DAY)
    np.testing.assert_array_equal(one_day, [[False, True, False], [False, False, True]])
    np.testing.assert_array_equal(bought(histories, goods, queries, zero + 102 * DAY)[0], [True, True, False])


def test_only_purchases_are_bought_where_the_log_states_event_types():
    histories = make_histories([[1, 1, 2]], interests=2, num_items=2, event_types=[[2, 1, 2]], gap=DAY)
    histories = replace(histories, roles=EVENT_TYPES)  # the second event is a view
    queries = histories_before(histories, int(histories.time[1]))
    np.testing.assert_array_equal(bought(histories, interests(histories), queries, 2**40), [[False, True]])
    counts = count(histories, interests(histories), histories_before(histories, None), histories.now)
    np.testing.assert_array_equal(counts.ever, [[1, 1]])
    np.testing.assert_array_equal(counts.looked, [[1, 0]])
    assert hand_made(counts, np.array([0])).shape == (1, 1, 14)


def test_steps_of_several_lines_count_once():
    histories = make_histories([[1, 1, 2, 1]], steps=[[0, 0, 0, 1]], interests=2, num_items=2, gap=DAY)
    moment = int(histories.time.max()) + 1
    counts = count(histories, interests(histories), histories_before(histories, moment), moment)
    np.testing.assert_array_equal(counts.ever, [[3, 1]])
    np.testing.assert_array_equal(counts.often, [[2, 1]])


def test_what_is_foretold_of_items_adds_up_to_their_groups():
    histories = make_histories([[1, 2, 3, 4]], interests=2, num_items=4)
    lines = np.array([[9, 1, 2, 3, 4]], np.float32)
    np.testing.assert_array_equal(sum_by_target(interests(histories), lines), [[4, 6]])
    np.testing.assert_array_equal(sum_by_target(items(histories), lines), [[1, 2, 3, 4]])


def test_of_very_many_groups_those_with_most_events_are_kept(log, monkeypatch):
    histories, zero = log
    monkeypatch.setattr(audience_targets, "MOST", 2)
    for made in targets_by_kind(
        histories, zero + 100 * DAY
    ):  # three events of item 2 and interest 2, one of each other until then
        assert len(made.names) == 2
        np.testing.assert_array_equal(made.of_item, [0, 1, 2, 0])
    np.testing.assert_array_equal(items(histories).of_item, [0, 1, 2, 0])
    assert [one.kind for one in targets_by_kind(histories)] == ["interest", "item"]
    monkeypatch.setattr(audience_targets, "CELLS", 2)  # two users
    assert items(histories, zero + 101 * DAY).names == ("i2",)
