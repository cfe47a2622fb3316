"""Times that are foretold too late or too surely are put right."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from trajectory.calibration.waiting_time import TimeCalibration, fit_silent_times, fit_times
from trajectory.metrics.waiting_time import LEVELS, quantiles
from trajectory.models.time_head import Wait, chance_within, quantile


def foretold(n, centre=0.0, scale=1.0, zero=-8.0):
    one = jnp.ones((n, 1))
    return Wait(zero * one[:, 0], 0 * one, centre * one, scale * one)


def test_late_and_too_sure_times_are_put_right():
    rng = np.random.default_rng(0)
    days = rng.lognormal(1.0, 1.5, 4000)
    days[:1000] = 0
    fitted = fit_times(foretold(4000, centre=2.0, scale=0.5), days)
    right = jax.tree.map(lambda x: x[0], fitted.apply(foretold(1, centre=2.0, scale=0.5)))
    for level in (0.0, 0.5, 3.0, 20.0):
        assert float(chance_within(right, jnp.float32(level))) == pytest.approx(np.mean(days <= level), abs=0.02)


def test_components_that_lie_apart_for_nothing_are_put_together():
    days = np.random.default_rng(2).exponential(6.0, 2000)
    centre = jnp.linspace(jnp.log(1e-4), jnp.log(300.0), 8) * jnp.ones((2000, 1))
    hardly_learned = Wait(jnp.full(2000, -8.0), jnp.full((2000, 8), -jnp.log(8.0)), centre, jnp.ones((2000, 8)))
    fitted = fit_times(hardly_learned, days).apply(hardly_learned)
    low, high = (np.asarray(quantile(fitted, jnp.float32(share))) for share in (0.1, 0.9))
    assert ((low <= days) & (days <= high)).mean() == pytest.approx(
        0.8, abs=0.06
    )  # an exponential time is no log-normal
    before = np.asarray(quantile(hardly_learned, jnp.float32(0.1)))
    assert (days >= before).mean() > 0.95


def test_what_was_not_observed_plays_no_part_and_nothing_changes_nothing():
    rng = np.random.default_rng(1)
    days = rng.lognormal(0.0, 1.0, 3000)
    missing = np.where(np.arange(3000) % 2, np.nan, days)
    half = fit_times(jax.tree.map(lambda x: x[::2], foretold(3000)), days[::2])
    assert fit_times(foretold(3000), missing) == half
    assert fit_times(foretold(2), np.full(2, np.nan)) == TimeCalibration()


def test_it_comes_back_from_plain_values():
    fitted = TimeCalibration(0.1, -0.2, 0.3)
    assert TimeCalibration.from_dict(fitted.to_dict()) == fitted


def visits(rng, n):
    """Waits of seconds or minutes within a visit, and of 6 days on average between visits."""
    within = rng.lognormal(np.log(np.where(rng.random(n) < 0.6, 2e-4, 1e-2)), 0.8)
    return np.where(rng.random(n) < 0.9, within, rng.exponential(6.0, n))


def test_waits_that_go_on_are_put_right_by_themselves():
    """A head whose tail is eight times too long, of which a fit to all waits, mostly of seconds, learns nothing."""
    rng = np.random.default_rng(0)
    days, n = visits(rng, 3000), 3000
    one = jnp.ones((n, 1))
    weight, centre = jnp.log(jnp.array([0.54, 0.36, 0.1])), jnp.log(jnp.array([2e-4, 1e-2, 40.0]))
    head = Wait(-12 * one[:, 0], weight * one, centre * one, jnp.array([0.8, 0.8, 1.6]) * one)
    at_once = fit_times(head, days)
    fitted = fit_silent_times(at_once.apply(head), days)
    later = visits(rng, 200_000)
    for silent in (1.0, 6.0, 15.0):
        left = later[later > silent] - silent
        truth = np.quantile(left, LEVELS)
        told, before = (
            quantiles(jax.tree.map(lambda x: x[:1, None], wait), np.array([silent]))[0, 0]
            for wait in (fitted.apply(at_once.apply(head)), at_once.apply(head))
        )
        assert told[1] == pytest.approx(truth[1], rel=0.25)
        assert np.mean((left >= told[0]) & (left <= told[2])) == pytest.approx(0.8, abs=0.1)
        assert before[1] > 2 * truth[1]


def test_of_too_few_waits_no_silence_is_learned():
    days = np.array([30.0, *[1e-4] * 500])
    assert fit_silent_times(foretold(501), days) is None
    assert fit_silent_times(foretold(501), np.full(501, np.nan)) is None
    assert fit_silent_times(foretold(500), np.full(500, 2.0)) is not None
