"""Waits that go on: what is known of a step that has not come yet."""

import jax.numpy as jnp
import numpy as np
import pytest

from trajectory.metrics.waiting_time import LEVELS, first_wait, quantiles
from trajectory.models.time_head import Wait

# Seconds within a visit, mostly, and days between visits: no one log-normal laid between quantiles holds both.
VISITS = Wait(
    jnp.full((1, 1), -30.0), jnp.log(jnp.array([[[0.95, 0.05]]])), jnp.array([[[-8.0, 2.0]]]), jnp.ones((1, 1, 2))
)


@pytest.mark.parametrize("silent", [0.0, 0.5, 10.0])
def test_silence_leaves_the_waits_that_are_longer(silent: float) -> None:
    rng = np.random.default_rng(0)
    drawn = np.exp(np.where(rng.random(2_000_000) < 0.95, -8.0, 2.0) + rng.normal(size=2_000_000))
    left = drawn[drawn > silent] - silent
    np.testing.assert_allclose(quantiles(VISITS, np.array([silent]))[0, 0], np.quantile(left, LEVELS), rtol=0.04)


def test_the_first_wait_is_the_median_of_all() -> None:
    for silent in (0.0, 0.5, 10.0):
        (found,) = first_wait(VISITS, np.array([silent]))
        assert found == pytest.approx(quantiles(VISITS, np.array([silent]))[0, 0, 1])


def test_later_steps_follow_the_first_as_far_as_before() -> None:
    two = Wait(*(jnp.concatenate([part, part], 1) for part in VISITS))
    two = two._replace(centre=two.centre + jnp.array([[[0.0], [1.0]]]))
    now, later = (quantiles(two, np.array([silent])) for silent in (0.0, 10.0))
    np.testing.assert_allclose(later[:, 1] - later[:, 0], now[:, 1] - now[:, 0], rtol=1e-3)


def test_a_silence_longer_than_all_that_was_expected_is_no_error() -> None:
    found = quantiles(VISITS, np.array([1e6]))
    assert np.isfinite(found).all()
    assert (found >= 0).all()
