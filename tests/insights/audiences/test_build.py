"""What audiences say of runs and logs that cannot have them."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from tests.builders import fake_run, make_histories
from trajectory.inference.new_users import histories_before
from trajectory.insights.audiences.audience import horizon
from trajectory.insights.audiences.audience_targets import items
from trajectory.insights.audiences.expected_purchases import expected_purchases
from trajectory.schema import Split, UserError

DAY = 86_400


def run_of(histories, cut, time=True):
    queries = histories_before(histories, int(histories.time.max()))
    split = Split("temporal" if cut else "leave_last", histories.offsets[:-1], queries, queries, "", cut)
    model = SimpleNamespace(spec=SimpleNamespace(heads=SimpleNamespace(time=time)))
    return fake_run(histories=histories, split=split, model=model, config=None)


def test_days_are_as_many_as_both_windows_hold():
    histories = make_histories([[1] * 100], gap=DAY)  # from 2024-01-01 on
    cut = {"validation": "2024-02-01T00:00:00+00:00", "test": "2024-02-21T00:00:00+00:00"}
    assert horizon(run_of(histories, cut)) == 20
    assert horizon(run_of(histories, cut | {"test": "2024-04-01T00:00:00+00:00"})) == 8
    assert horizon(run_of(histories, cut | {"test": "2024-03-08T00:00:00+00:00"})) == 28


def test_a_split_that_is_not_by_time_is_named():
    with pytest.raises(UserError, match="leave_last"):
        horizon(run_of(make_histories([[1, 2, 3]]), {}))


def test_a_run_without_times_is_told_what_to_do():
    run = run_of(make_histories([[1, 2, 3]]), {}, time=False)
    with pytest.raises(UserError, match=r"heads\.time"):
        expected_purchases(run, run.experiment.split.test, np.zeros(1), np.ones(1), [])


def test_items_are_named_by_their_ids_where_they_have_no_title():
    assert items(make_histories([[1, 2]])).names == ("i1", "i2")
