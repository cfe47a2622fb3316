"""Several steps made honest: an overconfident forecaster is corrected at each step, and what is measured says so."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from ml_collections import ConfigDict

from tests.builders import make_histories
from trajectory.baselines.user_item_frequency import overall_rates
from trajectory.calibration.binary import BinaryCalibration
from trajectory.calibration.categorical import Calibration
from trajectory.calibration.per_step import CalibratedForecast, StepCalibration, fit_steps
from trajectory.calibration.waiting_time import TimeCalibration
from trajectory.data.pipeline.splits import split, training_events
from trajectory.evaluation.multi_step.reliability import reliability, table
from trajectory.metrics.by_interest import by_interest
from trajectory.metrics.step_targets import read_steps, read_within
from trajectory.metrics.waiting_time import waits
from trajectory.models.time_head import Wait
from trajectory.schema import UserError

USERS, ITEMS, STEPS = 1500, 6, 2
BASKETS = make_histories(
    [[1, 1, 2, 3, 4, 5], [2, 3, 4, 5, 1, 1]], steps=[[0, 0, 0, 1, 2, 3], [0, 1, 2, 3, 4, 4]], num_items=5
)


class Sharp:
    """Knows each user's habits, drawn for it, but says them with their logarithms times `sharpness`."""

    name, batch, log_probabilities = "sharp", 400, True

    def __init__(self, habits, sharpness):
        self.log = np.log(habits) * sharpness
        self.log -= np.log(np.exp(self.log).sum(1, keepdims=True))

    def ahead(self, queries):
        log = np.pad(self.log[queries.user], ((0, 0), (1, 0)), constant_values=-np.inf)
        return np.repeat(log[:, None], STEPS, axis=1)

    def waits(self, queries):
        """Steps an hour apart are foretold four hours apart, and too surely."""
        one = np.ones((len(queries.user), STEPS, 1))
        centre = np.log(4 / 24 * np.arange(1, STEPS + 1))[:, None] * one
        return Wait(-5 * one[..., 0], 0 * one, centre, 0.2 * one)

    def within(self, queries, ahead):
        return 1 - np.cumprod(1 - np.exp(ahead), axis=1)

    interests_within = within


class First(Sharp):
    """Says the first step only."""

    def waits(self, queries):
        return Wait(*(part[:, :1] for part in super().waits(queries)))


@pytest.fixture(scope="module")
def world():
    """Histories of independent draws from habits, leave_last of two steps, and what each user's habits are."""
    rng = np.random.default_rng(0)
    habits = rng.dirichlet(np.full(ITEMS, 0.5), USERS)
    habits = 0.95 * habits + 0.05 / ITEMS
    lists = [(rng.choice(ITEMS, 6, p=p) + 1).tolist() for p in habits]
    histories, parts = split(make_histories(lists, num_items=ITEMS), ConfigDict({"kind": "leave_last", "steps": STEPS}))
    return histories, parts, habits, overall_rates(histories, training_events(histories, parts))


def test_an_overconfident_forecast_is_made_honest_at_each_step(world, tmp_path):
    histories, parts, habits, overall = world
    sharp = Sharp(habits, 2.0)
    fitted = fit_steps(sharp, histories, parts.validation, STEPS, overall, 0)
    honest = CalibratedForecast(sharp, fitted, histories)
    truth = np.pad(habits, ((0, 0), (1, 0)))
    for h in range(STEPS):
        found = np.exp(honest.ahead(parts.test))[:, h]
        plain = np.exp(sharp.ahead(parts.test))[:, h]
        assert np.abs(found - truth).mean() < 0.2 * np.abs(plain - truth).mean()
    within = honest.within(parts.test, honest.ahead(parts.test))[:, :, 1:]
    np.testing.assert_allclose(within[:, 1], 1 - (1 - habits) ** 2, atol=0.08)
    assert (within[:, 1] >= within[:, 0]).all()
    found = reliability(sharp, fitted, histories, parts.test, STEPS, tmp_path / "picture.png")
    assert (tmp_path / "picture.png").stat().st_size > 10_000
    for h in range(STEPS):
        assert not found["plain_top"][h]["inside"]
        for kind in ("top", "items", "interests", "within", "interests_within"):
            assert found[kind][h]["ece"] < 1.3 * found[kind][h]["high"], kind
        assert found["top"][h]["nll"] < found["plain_top"][h]["nll"]
        sets = found["sets"][h]
        assert sets["all"]["coverage"] == pytest.approx(0.9, abs=0.03)
        assert set(sets) == {"all", "0 to 19 events"}
    text = table(found, [{"coverage": 0.875, "low": 0.8, "high": 0.95, "mean_size": 123.4}] * STEPS, "event")
    assert "| sets of the best floor: mean size | 123.4 | 123.4 |" in text
    assert "likeliest item, not calibrated" in text
    assert text.count("*") >= STEPS


def test_interests_have_calibrations_of_their_own(world):
    histories, parts, habits, overall = world
    truth = by_interest(histories, np.pad(habits, ((0, 0), (1, 0))))
    said = habits * truth[:, histories.item_interest[1:]]  # twice as sure of interests as of items within one
    sharp = Sharp(said / said.sum(1, keepdims=True), 1.0)
    honest = CalibratedForecast(sharp, fit_steps(sharp, histories, parts.validation, STEPS, overall, 0), histories)
    ahead = honest.ahead(parts.test)
    shares = honest.interests(parts.test, ahead)
    summed = by_interest(histories, np.exp(ahead))
    assert np.abs(np.exp(shares) - truth[:, None]).mean() < 0.5 * np.abs(summed - truth[:, None]).mean()
    within = honest.interests_within(parts.test, shares)[:, :, 1:]
    np.testing.assert_allclose(within[:, 1], 1 - (1 - truth[:, 1:]) ** 2, atol=0.1)
    assert (within[:, 1] >= within[:, 0]).all()


def test_a_forecast_that_knows_no_user_learns_of_each_one_s_own_rates(world):
    histories, parts, habits, overall = world
    blind = Sharp(habits, 0.0)
    honest = CalibratedForecast(blind, fit_steps(blind, histories, parts.validation, STEPS, overall, 0), histories)
    ahead = honest.ahead(parts.test)
    within = honest.within(parts.test, ahead)
    for found, truth in ((np.exp(ahead[:, 0, 1:]), habits), (within[:, 1, 1:], 1 - (1 - habits) ** 2)):
        assert np.corrcoef(found.ravel(), truth.ravel())[0, 1] > 0.6


def test_what_comes_within_steps_is_learned_of_own_rates_too(world):
    histories, parts, habits, overall = world

    class Blind(Sharp):
        def within(self, queries, ahead):
            return np.full(ahead.shape, 0.2)

    blind = Blind(habits, 1.0)
    honest = CalibratedForecast(blind, fit_steps(blind, histories, parts.validation, STEPS, overall, 0), histories)
    within = honest.within(parts.test, honest.ahead(parts.test))[:, 1, 1:]
    assert np.corrcoef(within.ravel(), (1 - (1 - habits) ** 2).ravel())[0, 1] > 0.6


def test_times_are_fitted_where_the_forecaster_has_them(world):
    histories, parts, habits, overall = world
    sharp = Sharp(habits, 1.0)
    assert not fit_steps(sharp, histories, parts.validation, STEPS, overall, 0).times
    fitted = fit_steps(sharp, histories, parts.validation, STEPS, overall, 0, timed=True)
    observed = waits(histories, parts.test, STEPS)
    found = CalibratedForecast(sharp, fitted, histories).times(parts.test, observed)
    np.testing.assert_allclose(found.days[:, :, 1], observed, rtol=0.05)
    unfitted = replace(fitted, times=(TimeCalibration(),) * STEPS)
    before = CalibratedForecast(sharp, unfitted, histories).times(parts.test, observed)
    assert (found.log_likelihood > before.log_likelihood).all()
    one = CalibratedForecast(First(habits, 1.0), fitted, histories).times(parts.test, observed[:, :1])
    np.testing.assert_allclose(one.days, found.days[:, :1])  # fewer steps than were fitted


def test_what_was_fitted_comes_back_from_its_file(world, tmp_path):
    histories, parts, habits, overall = world
    sharp = Sharp(habits, 0.5)
    fitted = fit_steps(sharp, histories, parts.validation, STEPS, overall, 0, timed=True)
    fitted.write(tmp_path / "calibration.json", "step 7")
    again, checkpoint = StepCalibration.read(tmp_path / "calibration.json")
    assert checkpoint == "step 7"
    one, other = CalibratedForecast(sharp, fitted, histories), CalibratedForecast(sharp, again, histories)
    ahead = one.ahead(parts.test)
    np.testing.assert_allclose(ahead, other.ahead(parts.test))
    np.testing.assert_allclose(one.within(parts.test, ahead), other.within(parts.test, ahead))
    shares = one.interests(parts.test, ahead)
    np.testing.assert_allclose(shares, other.interests(parts.test, ahead))
    np.testing.assert_allclose(one.interests_within(parts.test, shares), other.interests_within(parts.test, shares))
    assert (again.sets, again.times) == (fitted.sets, fitted.times)
    old = json.loads((tmp_path / "calibration.json").read_text())
    del old["interests"]
    (tmp_path / "calibration.json").write_text(json.dumps(old))
    with pytest.raises(UserError, match="older form, without interests: run evaluate"):
        StepCalibration.read(tmp_path / "calibration.json")


def test_targets_of_baskets_are_equal_shares_of_their_distinct_items():
    _, parts = split(BASKETS, ConfigDict({"kind": "leave_last", "steps": 1}))
    habits = np.full((2, 5), 0.2)
    forecast = Sharp(habits, 1.0)
    first = dict(read_steps(forecast, BASKETS, parts.test, 1))[0]
    np.testing.assert_array_equal(first.row, [0, 1])
    np.testing.assert_allclose(first.target, [[0, 0, 0, 0, 0, 1], [0, 1, 0, 0, 0, 0]])
    np.testing.assert_array_equal(first.lines, [1, 1])


def test_targets_that_cannot_come_are_left_out():
    histories = make_histories([[1, 2, 3, 1], [2, 3, 4, 5]], num_items=5)
    _, parts = split(histories, ConfigDict({"kind": "leave_last", "steps": 1}))
    habits = np.array([[0.0, 0.25, 0.25, 0.25, 0.25], [0.2, 0.2, 0.2, 0.2, 0.2]])
    with np.errstate(divide="ignore"):
        found = dict(read_steps(Sharp(habits, 1.0), histories, parts.test, 1))[0]
    np.testing.assert_array_equal(found.row, [1])
    np.testing.assert_array_equal(found.target, [5])


def test_what_came_within_steps_adds_up():
    histories = make_histories([[1, 1, 1, 1, 2, 3]], num_items=4)
    _, parts = split(histories, ConfigDict({"kind": "leave_last", "steps": 2}))
    found = [came for _, _, came in read_within(Sharp(np.full((1, 4), 0.25), 1.0), histories, parts.test, 2)]
    np.testing.assert_array_equal(found, [[[0, 1, 0, 0]], [[0, 1, 1, 0]]])
    unchanged, same = (Calibration("identity"),) * STEPS, (BinaryCalibration(),) * STEPS
    calibration = StepCalibration(unchanged, same, unchanged, same, (), (), np.full(5, 0.25))
    forecast = CalibratedForecast(Sharp(np.full((1, 4), 0.25), 1.0), calibration, histories)
    found = [came for _, _, came in read_within(forecast, histories, parts.test, 2, "interest")]
    np.testing.assert_array_equal(found, [[[0, 1, 0]], [[0, 1, 1]]])


def test_targets_that_no_list_can_hold_are_nothing_to_calibrate_on(world):
    histories, parts, habits, overall = world

    class Nothing(Sharp):
        def ahead(self, queries):
            return np.full((len(queries.user), STEPS, ITEMS + 1), -np.inf)

    with pytest.raises(UserError, match=r"step 1: 0 of 1500 validation users .* evaluation.seen=keep"):
        fit_steps(Nothing(habits, 1.0), histories, parts.validation, STEPS, overall, 0)
