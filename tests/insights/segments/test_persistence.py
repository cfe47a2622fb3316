"""How much of a low or high spell goes on is learned from the weeks held out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.builders import make_histories
from trajectory.data.times import WEEK
from trajectory.insights.segments.persistence import HALF, persistence
from trajectory.schema import Split

WEEKS, USERS = 40, 80
CUT = {"validation": "2024-07-08T00:00:00+00:00", "test": "2024-09-02T00:00:00+00:00"}  # weeks 27 and 35


def bought(rates):
    """Users who spend by Poisson draws about `rates` [USERS, WEEKS]."""
    histories = make_histories([[1] * WEEKS] * USERS, gap=WEEK)
    value = np.random.default_rng(0).poisson(rates).ravel().astype(np.float32)
    return replace(histories, value=value)


def split(kind, cut):
    return Split(kind, np.zeros(USERS, np.int64), None, None, "", cut)


def test_spells_of_chance_do_not_go_on_and_changes_do():
    chance = bought(np.full((USERS, WEEKS), 1.0))
    assert persistence(chance, split("temporal", CUT)) < 0.25
    changed = np.full((USERS, WEEKS), 20.0)
    changed[: USERS // 2, 19:] = 4
    assert persistence(bought(changed), split("temporal", CUT)) > 0.8


def test_without_differences_half_is_taken_and_without_weeks_held_out_nothing():
    assert persistence(bought(np.full((USERS, WEEKS), 1e6)), split("temporal", CUT)) == pytest.approx(HALF, abs=0.02)
    assert persistence(bought(np.ones((USERS, WEEKS))), split("leave_last", {})) is None
