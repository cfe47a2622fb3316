"""Accuracy of migration forecasts: who knows the future wins everywhere, who guesses loses, and the slope shows it."""

from __future__ import annotations

import numpy as np
import pytest

from tests.builders import make_histories
from trajectory.migrations.state_baselines import MEMBERS, fit_baselines
from trajectory.migrations.state_forecast import StateForecast, StepStates
from trajectory.migrations.step_windows import cut_back, interest_mass, shares
from trajectory.migrations.transitions import FORECAST, check_transitions, table
from trajectory.schema import Queries

USERS, PAST, STEPS = 200, 20, 5


@pytest.fixture(scope="module")
def world():
    """Users with a mix of three interests of their own, and another one in the window that is held out."""
    rng = np.random.default_rng(0)
    before, after = rng.dirichlet(np.ones(3), (2, USERS))
    lists = [
        [*(rng.choice(3, PAST, p=one) + 1), *(rng.choice(3, STEPS, p=other) + 1)]
        for one, other in zip(before, after, strict=True)
    ]
    histories = make_histories(lists, interests=3)
    start = histories.offsets[:-1]
    return histories, Queries(np.arange(USERS), start, start + PAST, histories.offsets[1:]), after


def check(world, following):
    histories, queries, _ = world
    windows = cut_back(histories, queries, STEPS)
    baselines = fit_baselines(
        windows, interest_mass(histories, queries.stop, queries.end, histories.target_item).toarray()
    )
    steps = StepStates(np.repeat(following[:, None], STEPS, axis=1), None)
    now, last = baselines.states(windows, "persistence"), shares(windows.last())
    forecast = StateForecast(queries, now, following, steps, last, np.ones(USERS, bool))
    return check_transitions(forecast, baselines, histories, 200, 0)


def test_who_knows_the_future_wins_in_every_group(world):
    accuracy = check(world, world[2])
    assert accuracy["users"] == {"all": 200} | dict.fromkeys(list(accuracy["users"])[1:], 50)
    assert len(accuracy["users"]) == 5
    assert accuracy["bounds"] == sorted(accuracy["bounds"])
    for group, by_baseline in accuracy["differences"].items():
        for name in MEMBERS:
            assert by_baseline[name]["high"] < 0
            assert by_baseline[name]["p_value"] < 0.2  # 20 tests of 200 resamples
            lead = accuracy["log_loss"][FORECAST][group] - accuracy["log_loss"][name][group]
            assert by_baseline[name]["difference"] == pytest.approx(lead)
    assert accuracy["slope"]["value"] == pytest.approx(1, abs=0.1)
    assert accuracy["slope"]["low"] < accuracy["slope"]["value"] < accuracy["slope"]["high"]


def test_who_guesses_loses_and_its_changes_do_not_come(world):
    accuracy = check(world, np.random.default_rng(1).dirichlet(np.ones(3), USERS))
    assert accuracy["differences"]["all"]["persistence"]["low"] > 0
    assert abs(accuracy["slope"]["value"]) < 0.6
    assert accuracy["slope"]["high"] < 1


def test_log_loss_is_of_the_observed_shares(world):
    histories, queries, after = world
    share = interest_mass(histories, queries.stop, queries.end, histories.target_item).toarray() / STEPS
    loss = -(share * np.log(after)).sum(1)
    assert check(world, after)["log_loss"][FORECAST]["all"] == pytest.approx(loss.mean())


def test_flows_are_observed_as_forecast_where_the_future_is_known(world):
    accuracy = check(world, world[2])
    assert len(accuracy["flows"]) == 6
    for flow in accuracy["flows"]:
        assert flow["from"] != flow["to"]
        assert abs(flow["observed"] - flow["forecast"]) < 4 * flow["error"]
        assert flow["observed"] > 0.7 * flow["forecast"]
    net = {row["interest"]: row for row in accuracy["interests"]}
    histories, queries, after = world
    last = np.stack([histories.item[queries.stop - back] == 1 for back in range(1, STEPS + 1)]).mean(0)
    assert net["c1"]["forecast"] == pytest.approx((after[:, 0] - last).mean()), "from the last window as it was"
    assert abs(net["c1"]["observed"] - net["c1"]["forecast"]) < 4 * net["c1"]["error"]


def test_a_flow_counts_what_the_source_lost_and_the_destination_won():
    histories = make_histories([[1, 1, 1, 1, 2, 2, 3, 3], [1, 1, 1, 1, 1, 1, 1, 1]], interests=3)
    queries = Queries(np.arange(2), np.array([0, 8]), np.array([4, 12]), np.array([8, 16]))
    windows = cut_back(histories, queries, 4)
    baselines = fit_baselines(
        windows, interest_mass(histories, queries.stop, queries.end, histories.target_item).toarray()
    )
    now = np.tile([0.7, 0.2, 0.1], (2, 1))
    following = np.array([[0.3, 0.5, 0.2], [0.6, 0.3, 0.1]])  # in truth (0, 1/2, 1/2) and (1, 0, 0)
    steps = StepStates(np.repeat(following[:, None], 4, axis=1), None)
    forecast = StateForecast(queries, now, following, steps, now, np.ones(2, bool))
    flows = {flow["to"]: flow for flow in check_transitions(forecast, baselines, histories, 20, 0)["flows"]}
    assert flows["c2"]["forecast"] == pytest.approx(0.3 + 0.1)
    assert flows["c2"]["observed"] == pytest.approx((0.7 * 3 / 4 + 0.3) / 2 + (-0.3 - 0.2) / 2)
    assert flows["c3"]["observed"] == pytest.approx((0.7 / 4 + 0.4) / 2)


def test_users_without_two_windows_are_in_no_quarter(world):
    histories, queries, after = world
    late = queries._replace(start=np.where(queries.user < 40, queries.stop - STEPS, queries.start))
    accuracy = check((histories, late, after), after)
    assert accuracy["users"]["all"] == 200
    assert sum(count for group, count in accuracy["users"].items() if group != "all") == 160


def test_the_table_says_what_was_found(world):
    found = check(world, world[2])
    text = table(found)
    assert "log-loss of the next 5 steps' interests" in text
    assert "| ... forecast less Markov | -" in text
    smallest = min(test["p_value"] for group in found["differences"].values() for test in group.values())
    assert smallest == pytest.approx(found["least_p_value"])
    assert f"none can be below {found['least_p_value']:.2g}" in text
    assert "slope 1.0" in text or "slope 0.9" in text
