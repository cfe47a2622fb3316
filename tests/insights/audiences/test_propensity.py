"""What goes together, times of steps, and chances learned on one window, on made-up users."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from tests.builders import make_histories
from trajectory.inference.new_users import histories_before
from trajectory.insights.audiences import propensity
from trajectory.insights.audiences.contact_timing import (
    check_contact_timing,
    contact_timing,
    usual_timing,
    with_moments_that_hold,
)
from trajectory.insights.audiences.counts import Counts
from trajectory.insights.audiences.cross_sell import cross_sell_affinity, recent_affinities
from trajectory.insights.audiences.expected_purchases import step_rate, step_times
from trajectory.insights.audiences.propensity import LEAST, choose_targets, fit

DAY = 86_400


@pytest.fixture
def fewer_trees(monkeypatch):
    """A quarter of the trees, each of which counts four times as much."""
    monkeypatch.setitem(propensity.TREES, "max_iter", 50)
    monkeypatch.setitem(propensity.TREES, "learning_rate", 0.12)


def counts_of(ever: np.ndarray, season: np.ndarray | None = None) -> Counts:
    n = len(ever)
    season = np.zeros_like(ever) if season is None else season
    some = np.ones(n, np.float32)
    since, steps, looked = np.full_like(ever, 90), np.ones((n, 3), np.float32), np.zeros((n, 0), np.float32)
    return Counts(season, season, ever, ever, since, steps, some, some, looked)


def test_what_is_bought_together_speaks_for_each_other_and_nothing_for_itself():
    rng = np.random.default_rng(0)
    phone = rng.random(600) < 0.5
    ever = np.stack([phone, phone & (rng.random(600) < 0.8), rng.random(600) < 0.5], 1).astype(np.float32)
    weight = cross_sell_affinity(ever)
    assert weight[0, 1] > 0.1 > abs(weight[2, 1])
    np.testing.assert_array_equal(np.diag(weight), 0)
    speaks = recent_affinities(np.array([[1, 0, 1.0]]), np.array([[1, 0, 0.0]]), weight[:, 1], top=2)
    np.testing.assert_array_equal(speaks, [[0, -1]])  # what was bought lately alone


def test_a_step_that_has_not_come_yet_is_known_not_to_have_come():
    quantiles = np.exp(np.array([-1.2815515655, 0, 1.2815515655]))[None, None]  # median 1 day, scale 1
    chance, median = step_times(quantiles, np.array([0.0]), np.array([1.0]))
    assert chance[0, 0] == pytest.approx(0.5, abs=1e-3)
    assert median[0, 0] == pytest.approx(1, abs=1e-2)
    chance, median = step_times(quantiles, np.array([1.0]), np.array([np.e - 1]))
    assert chance[0, 0] == pytest.approx((0.8413447 - 0.5) / 0.5, abs=1e-3)
    assert median[0, 0] == pytest.approx(np.exp(0.6744898) - 1, abs=1e-2)


def test_steps_are_counted_over_the_weeks_before():
    histories = make_histories([[1] * 5], gap=10 * DAY)
    moment = int(histories.time[3])
    rate = step_rate(histories, histories_before(histories, moment), np.array([moment]))
    np.testing.assert_allclose(rate, 3 / 30)  # the log is 30 days old then


def test_groups_that_few_newly_buy_have_no_audience():
    bought = np.zeros((200, 3), bool)
    bought[:LEAST, 0] = bought[: LEAST - 1, 1] = bought[:, 2] = True
    season = np.zeros((200, 3), np.float32)
    season[:, 2] = 1  # no news to anyone
    np.testing.assert_array_equal(choose_targets(counts_of(np.ones((200, 3), np.float32), season), bought), [0])


@pytest.mark.usefixtures("fewer_trees")
def test_who_is_foretold_to_buy_has_a_higher_chance_and_chances_are_true_on_average():
    rng = np.random.default_rng(1)
    lines = rng.gamma(0.5, 0.4, (3000, 2)).astype(np.float32)
    bought = rng.random((3000, 2)) < -np.expm1(-lines)
    counts = counts_of(np.ones((3000, 2), np.float32))
    model = fit(counts, lines, bought, np.array([0, 1]))
    chance = model.of(counts, lines)
    assert chance.mean() == pytest.approx(bought.mean(), abs=0.005)
    likely = lines > 0.5
    assert chance[likely].mean() == pytest.approx(bought[likely].mean(), abs=0.03)
    assert chance[~likely].mean() == pytest.approx(bought[~likely].mean(), abs=0.03)


@pytest.mark.usefixtures("fewer_trees")
def test_chances_bend_as_trees_do_and_differ_between_users_as_those_of_the_regression_do():
    rng = np.random.default_rng(2)
    lines = rng.uniform(0, 3, (4000, 1)).astype(np.float32)
    bought = rng.random((4000, 1)) < np.where(np.abs(lines - 1) < 0.3, 0.9, 0.1)
    model = fit(counts_of(np.ones((4000, 1), np.float32)), lines, bought, np.array([0]), ("forecast",))
    asked = np.linspace(0, 3, 301, dtype=np.float32)[:, None]
    chance = model.of(counts_of(np.ones((301, 1), np.float32)), asked)[:, 0]
    assert chance[100] > 0.2 + max(chance[50], chance[150])
    assert len(np.unique(chance)) == 301


def test_habits_do_not_know_what_comes():
    histories = make_histories([[1] * 5], gap=7 * DAY)
    time = histories.time + np.array([0, 0, 1, 1, 1]) * (DAY + 3600)  # Mondays, from then on Tuesdays at one
    named = contact_timing(
        replace(histories, time=time), queries := histories_before(histories, int(histories.time[2]))
    )
    np.testing.assert_array_equal(queries.stop, [2])
    np.testing.assert_array_equal([*named.weekday, *named.hour], [0, 0])


def test_habits_are_of_the_past_and_checked_on_what_came():
    histories = make_histories([[1] * 4, [1] * 3], gap=7 * DAY)  # from Monday, 2024-01-01, midnight
    queries = histories_before(histories, int(histories.time[2]))
    named = contact_timing(histories, queries)
    np.testing.assert_array_equal(named.weekday, [0, 0])
    np.testing.assert_array_equal(named.hour, [0, 0])
    assert check_contact_timing(histories, queries, named)["weekday"] == 1
    assert check_contact_timing(histories, queries, named)["usual_hour"] == 1
    wrong = named._replace(weekday=np.array([1, 0]), hour=np.array([23, 2]))
    found = check_contact_timing(histories, queries, wrong)
    assert found["weekday"] == pytest.approx(1 / 3)
    assert found["hour"] == pytest.approx(2 / 3)  # an hour before midnight is near it


def test_the_usual_hour_is_that_of_most_visits_of_all_users():
    at = [[1, 1, 20, 20, 20], [2, 2, 20, 19, 20], [3, 3, 20, 20, 20]]  # each user's own is another; of all it is 20
    histories = make_histories([[1] * 5] * 3, gap=7 * DAY)
    histories = replace(histories, time=histories.time // DAY * DAY + 3600 * np.ravel(at))
    queries = histories_before(histories, int(histories.time[0] // DAY * DAY + 3 * 7 * DAY))
    named = contact_timing(histories, queries)
    past, came = np.array(at)[:, :3].ravel(), np.array(at)[:, 3:].ravel()
    usual = max(range(24), key=lambda hour: (past == hour).sum())
    assert check_contact_timing(histories, queries, named)["usual_hour"] == (np.abs(came - usual) <= 1).mean()
    day, hour = usual_timing(histories, queries)
    assert hour == usual
    rows = pl.DataFrame({"weekday": ["Friday"] * 3, "hour": named.hour})
    shares = {"weekday": 0.3, "usual_weekday": 0.2, "hour": 0.3, "usual_hour": 0.4}
    shares |= {f"{name}_low": share - 0.05 for name, share in shares.items()}
    better = with_moments_that_hold(rows, shares, (day, hour))
    assert better["hour"].to_list() == [usual] * 3
    assert better["weekday"].to_list() == ["Friday"] * 3
    assert with_moments_that_hold(rows, shares | {"usual_hour": 0.3}, (day, hour)).equals(rows)
    chance = with_moments_that_hold(rows, shares | {"weekday_low": 0.14, "usual_hour_low": 0.12}, (day, hour))
    assert chance.select(pl.all().null_count()).row(0) == (3, 3), "what chance explains is not named"


def test_moments_are_of_visits_and_their_intervals_over_users():
    time = np.array([0, 60, 120, 7 * DAY, 7 * DAY + 86_400])  # three events of one visit, then a week and a day later
    histories = make_histories([[1] * 5, [1] * 5], gap=DAY)
    histories = replace(histories, time=np.tile(time, 2) + histories.time.min())
    queries = histories_before(histories, int(histories.time[3]))
    found = check_contact_timing(histories, queries, contact_timing(histories, queries))
    assert found["weekday"] == 0.5, "of two visits of each user one is on the weekday of the first"
    assert found["weekday_low"] == 0.5, "both users are alike"
