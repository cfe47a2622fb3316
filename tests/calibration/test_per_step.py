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
from trajectory.calibration.per_step import CalibratedForecaster, StepCalibration, fit_steps
from trajectory.calibration.waiting_time import TimeCalibration
from trajectory.data.pipeline.splits import split, training_events
from trajectory.evaluation.multi_step.reliability import reliability, table
from trajectory.metrics.by_interest import by_interest
from trajectory.metrics.step_targets import read_steps, read_within
from trajectory.metrics.waiting_time import observed_waits, timing
from trajectory.models.time_head import Wait
from trajectory.protocols import UncalibratedForecast
from trajectory.schema import UserError

pytestmark = pytest.mark.compiled_quickly

USERS, ITEMS, STEPS = 1500, 6, 2
BASKETS = make_histories(
    [[1, 1, 2, 3, 4, 5], [2, 3, 4, 5, 1, 1]], steps=[[0, 0, 0, 1, 2, 3], [0, 1, 2, 3, 4, 4]], num_items=5
)


class SharpForecast(UncalibratedForecast):
    """Knows each user's habits, drawn for it, but says them with their logarithms times `sharpness`."""

    def __init__(self, log_probability):
        self._log_probability = np.repeat(log_probability[:, None], STEPS, axis=1)

    @property
    def log_probability(self):
        return self._log_probability

    @property
    def wait(self):
        """Steps an hour apart are foretold four hours apart, and too surely."""
        one = np.ones((*self.log_probability.shape[:2], 1))
        centre = np.log(4 / 24 * np.arange(1, STEPS + 1))[:, None] * one
        return Wait(-5 * one[..., 0], 0 * one, centre, 0.2 * one)

    @property
    def within(self):
        return self.within_given(self.log_probability)

    def within_given(self, log_probability):
        return 1 - np.cumprod(1 - np.exp(log_probability), axis=1)

    interests_within_given = within_given


class Sharp:
    """A forecaster of such forecasts."""

    name, batch = "sharp", 400

    def __init__(self, habits, sharpness, timed=False, kind=SharpForecast):
        self.log = np.log(habits) * sharpness
        self.log -= np.log(np.exp(self.log).sum(1, keepdims=True))
        self.timed, self.kind = timed, kind

    def forecast(self, queries):
        return self.kind(np.pad(self.log[queries.user], ((0, 0), (1, 0)), constant_values=-np.inf))


class FirstStep(SharpForecast):
    """Says when the first step comes only."""

    @property
    def wait(self):
        return Wait(*(part[:, :1] for part in super().wait))


@pytest.fixture(scope="module")
def world():
    """Histories of independent draws from habits, leave_last of two steps, and what each user's habits are."""
    rng = np.random.default_rng(0)
    habits = rng.dirichlet(np.full(ITEMS, 0.5), USERS)
    habits = 0.95 * habits + 0.05 / ITEMS
    lists = [(rng.choice(ITEMS, 6, p=p) + 1).tolist() for p in habits]
    histories, parts = split(make_histories(lists, num_items=ITEMS), ConfigDict({"kind": "leave_last", "steps": STEPS}))
    return histories, parts, habits, overall_rates(histories, training_events(histories, parts))


def fitted_on(forecaster, histories, parts, overall):
    """The forecaster calibrated on validation."""
    fitted = fit_steps(forecaster, histories, parts.validation, STEPS, overall, 0)
    return CalibratedForecaster(forecaster, fitted, histories)


def test_an_overconfident_forecast_is_made_honest_at_each_step(world, tmp_path):
    histories, parts, habits, overall = world
    sharp = Sharp(habits, 2.0)
    fitted = fit_steps(sharp, histories, parts.validation, STEPS, overall, 0)
    honest, plain_forecast = (
        CalibratedForecaster(sharp, fitted, histories).forecast(parts.test),
        sharp.forecast(parts.test),
    )
    assert (honest.calibrated, plain_forecast.calibrated) == (True, False)
    truth = np.pad(habits, ((0, 0), (1, 0)))
    for h in range(STEPS):
        found, plain = honest.probability[:, h], plain_forecast.probability[:, h]
        assert np.abs(found - truth).mean() < 0.2 * np.abs(plain - truth).mean()
    within = honest.within[:, :, 1:]
    np.testing.assert_allclose(within[:, 1], 1 - (1 - habits) ** 2, atol=0.08)
    assert (within[:, 1] >= within[:, 0]).all()
    own = np.arange(len(parts.test.user)), 0, histories.item[parts.test.stop]
    assert honest.in_sets[own].mean() == pytest.approx(0.9, abs=0.03), "the sets that a forecast delivers cover"
    assert plain_forecast.in_sets is None
    found = reliability(sharp, fitted, histories, parts.test, STEPS, tmp_path / "picture.png")
    assert (tmp_path / "picture.png").stat().st_size > 10_000
    for h in range(STEPS):
        assert not found["uncalibrated_top"][h]["within_sampling_error"]
        for kind in ("top", "items", "interests", "within", "interests_within"):
            assert found[kind][h]["ece"] < 1.3 * found[kind][h]["high"], kind
        assert found["top"][h]["log_loss"] < found["uncalibrated_top"][h]["log_loss"]
        sets = found["sets"][h]
        assert sets["all"]["coverage"] == pytest.approx(0.9, abs=0.03)
        assert honest.in_sets[:, h, 1:].sum(axis=1).mean() == pytest.approx(sets["all"]["mean_size"], rel=1e-6)
        assert set(sets) == {"all", "0 to 19 events"}
    text = table(found, [{"coverage": 0.875, "low": 0.8, "high": 0.95, "mean_size": 123.4}] * STEPS, "event")
    assert "| sets of the best baseline: mean size | 123.4 | 123.4 |" in text
    assert "most likely item, not calibrated" in text
    assert text.count("*") >= STEPS
    sharp_row = next(line for line in text.splitlines() if "not calibrated" in line)
    assert sharp_row.count("* >") == STEPS, "more is promised on average than comes"


def test_interests_have_calibrations_of_their_own(world):
    histories, parts, habits, overall = world
    truth = by_interest(histories, np.pad(habits, ((0, 0), (1, 0))))
    said = habits * truth[:, histories.item_interest[1:]]  # twice as sure of interests as of items within one
    sharp = Sharp(said / said.sum(1, keepdims=True), 1.0)
    honest = fitted_on(sharp, histories, parts, overall).forecast(parts.test)
    summed = by_interest(histories, honest.probability)
    assert np.abs(honest.interests - truth[:, None]).mean() < 0.5 * np.abs(summed - truth[:, None]).mean()
    within = honest.interests_within[:, :, 1:]
    np.testing.assert_allclose(within[:, 1], 1 - (1 - truth[:, 1:]) ** 2, atol=0.1)
    assert (within[:, 1] >= within[:, 0]).all()


def test_within_steps_and_at_them_do_not_contradict(world):
    """Whatever was fitted for either: the first step is the first step, and more steps are no less and no more."""
    histories, parts, habits, overall = world
    sharp = Sharp(habits, 1.0)
    fitted = fit_steps(sharp, histories, parts.validation, STEPS, overall, 0)
    odd = (BinaryCalibration(c=-1.0), BinaryCalibration(c=2.0))
    forecaster = CalibratedForecaster(sharp, replace(fitted, within=odd, interests_within=odd), histories)
    made = forecaster.forecast(parts.test)
    for at, within in ((made.probability, made.within), (made.interests, made.interests_within)):
        np.testing.assert_allclose(within[:, 0], at[:, 0])
        assert (within >= np.maximum.accumulate(at, axis=1) - 1e-12).all()
        assert (within <= np.cumsum(at, axis=1) + 1e-12).all()
    made = CalibratedForecaster(sharp, forecaster.calibration, replace(histories, baskets=True)).forecast(parts.test)
    assert (made.within >= np.maximum.accumulate(made.probability, axis=1)).all()
    assert (made.within[:, 1] > made.probability.sum(axis=1)).any(), "a basket has more than one line"


def test_a_forecast_that_knows_no_user_learns_of_each_one_s_own_rates(world):
    histories, parts, habits, overall = world
    blind = Sharp(habits, 0.0)
    honest = fitted_on(blind, histories, parts, overall).forecast(parts.test)
    said = honest.probability[:, 0, 1:], honest.within[:, 1, 1:]
    for found, truth in zip(said, (habits, 1 - (1 - habits) ** 2), strict=True):
        assert np.corrcoef(found.ravel(), truth.ravel())[0, 1] > 0.6


def test_what_comes_within_steps_is_learned_of_own_rates_too(world):
    histories, parts, habits, overall = world

    class Blind(SharpForecast):
        def within_given(self, log_probability):
            return np.full(log_probability.shape, 0.2)

    honest = fitted_on(Sharp(habits, 1.0, kind=Blind), histories, parts, overall).forecast(parts.test)
    within = honest.within[:, 1, 1:]
    assert np.corrcoef(within.ravel(), (1 - (1 - habits) ** 2).ravel())[0, 1] > 0.6


def test_times_are_fitted_where_the_forecaster_has_them(world):
    histories, parts, habits, overall = world
    assert not fit_steps(Sharp(habits, 1.0), histories, parts.validation, STEPS, overall, 0).times
    sharp = Sharp(habits, 1.0, timed=True)
    honest = fitted_on(sharp, histories, parts, overall)
    observed = observed_waits(histories, parts.test, STEPS)
    found = honest.forecast(parts.test)
    now = np.zeros(len(observed))
    np.testing.assert_allclose(found.days(now)[:, :, 1], observed, rtol=0.05)
    unfitted = replace(honest.calibration, times=(TimeCalibration(),) * STEPS)
    before = CalibratedForecaster(sharp, unfitted, histories).forecast(parts.test)
    assert (timing(found.wait, observed).log_likelihood > timing(before.wait, observed).log_likelihood).all()
    first = Sharp(habits, 1.0, timed=True, kind=FirstStep)
    one = CalibratedForecaster(first, honest.calibration, histories).forecast(parts.test)
    np.testing.assert_allclose(one.days(now), found.days(now)[:, :1])  # fewer steps than were fitted
    assert found.days_calibrated(now + 1).all() == bool(honest.calibration.silent_times)
    without = replace(honest.calibration, silent_times=())
    found = CalibratedForecaster(sharp, without, histories).forecast(parts.test)
    assert found.days_calibrated(now).all()
    assert not found.days_calibrated(now + 1).any(), "of silences nothing was fitted"
    untimed = CalibratedForecaster(Sharp(habits, 1.0), honest.calibration, histories)
    assert not untimed.timed
    assert untimed.forecast(parts.test).days(now) is None


def test_what_was_fitted_comes_back_from_its_file(world, tmp_path):
    histories, parts, habits, overall = world
    sharp = Sharp(habits, 0.5, timed=True)
    fitted = fit_steps(sharp, histories, parts.validation, STEPS, overall, 0)
    fitted.write(tmp_path, "step 7")
    written = StepCalibration.find(tmp_path)
    assert written is not None
    again, checkpoint = written
    assert checkpoint == "step 7"
    one, other = (CalibratedForecaster(sharp, x, histories).forecast(parts.test) for x in (fitted, again))
    for part in ("log_probability", "within", "log_interests", "interests_within"):
        np.testing.assert_allclose(getattr(one, part), getattr(other, part), err_msg=part)
    for silent in (0.0, 2.0):
        now = np.full(len(parts.test.user), silent)
        np.testing.assert_allclose(one.days(now), other.days(now))
    assert fitted.silent_times
    assert (again.sets, again.times, again.silent_times) == (fitted.sets, fitted.times, fitted.silent_times)
    old = json.loads((tmp_path / "calibration.json").read_text())
    del old["silent_times"]
    (tmp_path / "calibration.json").write_text(json.dumps(old))
    assert StepCalibration.find(tmp_path)[0].silent_times == (), "as the release before wrote it"
    del old["interests"]
    (tmp_path / "calibration.json").write_text(json.dumps(old))
    with pytest.raises(UserError, match="older form, without interests: run evaluate"):
        StepCalibration.find(tmp_path)


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
    calibration = StepCalibration(unchanged, same, unchanged, same, (), (), (), np.full(5, 0.25))
    forecast = CalibratedForecaster(Sharp(np.full((1, 4), 0.25), 1.0), calibration, histories)
    found = [came for _, _, came in read_within(forecast, histories, parts.test, 2, "interest")]
    np.testing.assert_array_equal(found, [[[0, 1, 0]], [[0, 1, 1]]])


def test_targets_that_no_list_can_hold_are_nothing_to_calibrate_on(world):
    histories, parts, habits, overall = world

    class Nothing(SharpForecast):
        def __init__(self, log_probability):
            super().__init__(np.full(log_probability.shape, -np.inf))

    with pytest.raises(UserError, match=r"step 1: 0 of 1500 validation users .* evaluation.seen=keep"):
        fit_steps(Sharp(habits, 1.0, kind=Nothing), histories, parts.validation, STEPS, overall, 0)
