"""Sequences of the next days: units, what counts as come, and a forecaster that is right beside baselines."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from ml_collections import ConfigDict

from tests.builders import make_histories
from trajectory.data.pipeline.splits import split
from trajectory.evaluation.event_sequences import evaluate_sequences

DAY = 86_400


class Told:
    """Says which item comes at each step, surely, and when."""

    name, batch, timed = "told", 2, True

    def __init__(self, items, days, labels):
        self.items, self.days, self.labels = np.asarray(items), np.asarray(days, float), labels

    def forecast(self, queries):
        probability = np.full((len(queries.user), self.items.shape[1], self.labels + 1), 1e-9)
        np.put_along_axis(probability, self.items[queries.user][..., None], 1.0, axis=2)
        days = np.repeat(self.days[queries.user][..., None], 3, axis=2)
        return SimpleNamespace(log_probability=np.log(probability), days=lambda silent: days - silent[:, None, None])


def asked(lists, told, steps=2, **options):
    histories = make_histories(lists, gap=2 * DAY, **options)
    histories, parts = split(histories, ConfigDict({"kind": "leave_last", "steps": steps}))
    forecaster = Told(*told, histories.num_items)
    return evaluate_sequences(forecaster, [], histories, parts, "test", steps, 20, 0)


LISTS = [[1, 2, 1, 2, 1, 2, 3, 4], [3, 4, 3, 4, 3, 4, 3, 4], [1, 1, 1, 1, 1, 1, 1, 2]]


def test_the_truth_costs_nothing_and_finds_everything():
    found = asked(LISTS, ([[3, 4], [3, 4], [1, 2]], [[2, 4]] * 3))
    assert found["unit_days"] == pytest.approx(2)
    assert found["horizon_days"] == pytest.approx(10)
    assert found["cut"] == 1, "the two held-out events are 2 and 4 days ahead"
    told = found["rows"]["told"]
    assert told["otd"] == pytest.approx(0)
    assert told["t_map"] == told["t_map_weighted"] == pytest.approx(1)


def test_late_and_wrong_events_cost_in_units():
    late = asked(LISTS, ([[3, 4], [3, 4], [1, 2]], [[3, 4]] * 3))["rows"]["told"]
    assert late["otd"] == pytest.approx(0.5), "one day of a unit of two"
    wrong = asked(LISTS, ([[3, 3], [3, 3], [1, 1]], [[2, 4]] * 3))["rows"]["told"]
    assert wrong["otd"] == pytest.approx(2), "one event too many, one too few"
    beyond = asked(LISTS, ([[3, 4], [3, 4], [1, 2]], [[2, 11]] * 3))["rows"]["told"]
    assert beyond["otd"] == pytest.approx(1), "what is forecast after the horizon is not of the sequence"


def test_history_again_is_right_where_history_repeats_itself():
    found = asked(LISTS, ([[3, 4], [3, 4], [1, 2]], [[2, 4]] * 3))["rows"]["history_again"]
    # The forecast of user 0 is 1, 2 for 3, 4 (four events too many or few), of user 1 right, of user 2 1, 1 for 1, 2.
    assert found["otd"] == pytest.approx((4 + 0 + 2) / 3)


def test_lines_of_a_basket_are_labels_once_a_step():
    lists = [[1, 2, 1, 1, 2, 1, 2, 3, 3, 1], [1, 2, 1, 2, 1, 2, 1, 2, 3, 1]]
    steps = [[0, 0, 1, 2, 2, 3, 3, 4, 4, 5], [0, 0, 1, 1, 2, 2, 3, 3, 4, 5]]
    histories = make_histories(lists, steps=steps, num_items=3, gap=2 * DAY)
    histories, parts = split(histories, ConfigDict({"kind": "leave_last", "steps": 2}))
    found = evaluate_sequences(Told([[3, 1], [3, 1]], [[2, 4]] * 2, 3), [], histories, parts, "test", 2, 20, 0)
    assert found["rows"]["told"]["otd"] == pytest.approx(0), "two lines of 3 are one label of the basket"
