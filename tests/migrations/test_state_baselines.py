"""Baselines of the next window: each wins where its story is the true one, and all are distributions."""

from __future__ import annotations

import numpy as np
import pytest

from tests.builders import make_histories
from tests.migrations.test_step_windows import whole
from trajectory.migrations.state_baselines import MEMBERS, fit_baselines
from trajectory.migrations.step_windows import cut_back

USERS = 60


def fitted(lists, following, length=2):
    """Baselines fitted on histories and the interests (from 1) of the window after each."""
    histories = make_histories(lists, interests=3, num_items=3)
    windows = cut_back(histories, whole(histories), length)
    outcome = np.array([np.bincount(window, minlength=4)[1:] for window in following], np.float64)
    baselines = fit_baselines(windows, outcome)
    loss = {}
    for name in MEMBERS:
        state = baselines.states(windows, name)
        np.testing.assert_allclose(state.sum(1), 1)
        loss[name] = -(outcome * np.log(state)).sum() / outcome.sum()
    return baselines, loss


def test_who_goes_round_is_foretold_by_markov():
    turns = [[(start + k // 2) % 3 + 1 for k in range(12)] for start in np.arange(USERS) % 3]
    baselines, loss = fitted(turns, [[(start + 6) % 3 + 1] * 2 for start in np.arange(USERS) % 3])
    np.testing.assert_allclose(baselines.transition.toarray(), [[0, 1, 0], [0, 0, 1], [1, 0, 0]])
    assert loss["Markov"] == pytest.approx(0, abs=1e-3)
    assert loss["Markov"] < loss["history density"]
    assert loss["all of these"] <= min(loss.values()) + 1e-3


def test_who_stays_is_foretold_by_the_last_window():
    rng = np.random.default_rng(0)
    last = rng.integers(1, 4, USERS)
    baselines, loss = fitted([[*rng.integers(1, 4, 20), mine, mine] for mine in last], [[mine] * 2 for mine in last])
    assert baselines.weights["persistence"][0] > 0.9
    assert loss["persistence"] < 0.5 * min(loss["history density"], loss["Markov"])


def test_who_keeps_to_a_mix_is_foretold_by_the_whole_history():
    rng = np.random.default_rng(0)
    mixes = rng.dirichlet(np.ones(3) * 0.5, USERS)
    lists = [rng.choice(3, 60, p=mix) + 1 for mix in mixes]
    baselines, loss = fitted(lists, [rng.choice(3, 20, p=mix) + 1 for mix in mixes])
    assert baselines.weights["history density"][0] > 0.8
    assert loss["history density"] < loss["Markov"]


def test_a_history_that_says_nothing_is_everybodys():
    histories = make_histories([[1, 2, 3, 1], [1, 1]], interests=3)
    windows = cut_back(histories, whole(histories), 2)
    baselines = fit_baselines(windows, np.array([[1.0, 0, 0], [1.0, 0, 0]]))
    nothing = make_histories([[1]], interests=3, num_items=3)
    asked = whole(nothing)._replace(stop=np.array([0]))
    state = baselines.states(cut_back(nothing, asked, 2), "all of these")
    np.testing.assert_allclose(state, [baselines.popularity])
    np.testing.assert_allclose(baselines.popularity, np.array([5, 2, 2]) / 9)
