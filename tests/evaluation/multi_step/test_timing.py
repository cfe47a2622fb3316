"""Waiting times: what is observed, and floors whose intervals hold on gaps made up to follow them."""

from __future__ import annotations

import numpy as np
import pytest

from tests.builders import make_histories
from trajectory.data.pipeline.splits import split
from trajectory.evaluation.multi_step.timing import GapBaseline, evaluate_times
from trajectory.metrics.waiting_time import Times, observed_waits
from trajectory.schema import Queries
from trajectory.settings import base

DAY = 86_400


def log_of_gaps(gaps):
    """One history per list of gaps in days."""
    histories = make_histories([[1] * (len(g) + 1) for g in gaps], num_items=1)
    start = np.repeat(histories.time[histories.offsets[:-1]], [len(g) + 1 for g in gaps])
    days = np.concatenate([np.concatenate([[0.0], np.cumsum(g)]) for g in gaps])
    histories.time[:] = start + (days * DAY).round().astype(np.int64)
    config = base()
    config.split.kind, config.split.steps = "leave_last", 2
    return *split(histories, config.split), config


def test_waits_count_from_the_newest_event():
    histories = make_histories([[1, 2, 3, 4, 5]], num_items=5, gap=DAY // 2)
    found = observed_waits(histories, Queries(*np.array([[0], [0], [2], [4]])), 3)
    np.testing.assert_allclose(found, [[0.5, 1.0, np.nan]])


def test_own_gaps_foretell_users_that_differ_and_typical_gaps_do_not():
    rng = np.random.default_rng(0)
    gaps = [pace * rng.lognormal(0, 0.3, 14) for pace in np.exp(rng.normal(0, 2, 300))]
    histories, parts, _config = log_of_gaps(gaps)
    observed = observed_waits(histories, parts.test, 2)
    error = {}
    for personal in (True, False):
        floor = GapBaseline("", personal).fit(histories, parts.validation, 2)
        found = floor.times(parts.test, observed)
        assert found.days.shape == (300, 2, 3)
        inside = (found.days[:, :, 0] <= observed) & (observed <= found.days[:, :, 2])
        assert inside.mean() == pytest.approx(0.8, abs=0.06)
        assert (np.diff(found.days, axis=2) >= 0).all()
        error[personal] = np.median(np.abs(np.log(found.days[:, :, 1] / observed)))
    assert error[True] < 0.35
    assert error[False] > 1


def test_likelihood_of_a_floor_is_a_density_beside_a_chance_of_no_time():
    gaps = np.random.default_rng(1).lognormal(0, 1, (200, 9))
    gaps[:, ::3] = 0
    histories, parts, _config = log_of_gaps(gaps)
    floor = GapBaseline("", False).fit(histories, parts.validation, 2)
    one = Queries(*(column[:1] for column in parts.test))
    days = np.exp(np.linspace(-8, 8, 4001))
    density = np.exp([floor.times(one, np.full((1, 2), d)).log_likelihood[0, 0] for d in days])
    at_once = np.exp(floor.times(one, np.zeros((1, 2))).log_likelihood[0, 0])
    assert np.trapezoid(density, days) + at_once == pytest.approx(1, abs=1e-3)


class Oracle:
    """Knows what will come, and is off by one day."""

    name = "oracle"

    def times(self, queries, observed):
        days = np.stack([observed, observed + 1, observed + 2], axis=-1)
        return Times(days, np.full(observed.shape, -0.5))


def test_measures_are_means_over_users_by_step():
    histories, parts, config = log_of_gaps(np.random.default_rng(2).lognormal(0, 1, (30, 9)))
    found = evaluate_times(Oracle(), histories, parts, config, ("test",))
    own = found["oracle"]["test"]
    np.testing.assert_allclose(own["mean_error_days"], [1, 1], atol=1e-9)
    np.testing.assert_allclose(own["log_loss"], [0.5, 0.5])
    np.testing.assert_allclose(own["coverage_80"], [1, 1])
    assert set(found) == {"oracle", "typical_gap", "own_gap"}
