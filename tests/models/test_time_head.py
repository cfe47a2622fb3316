"""The time head's distribution: density, chances, quantiles and draws agree with each other and with SciPy."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import integrate, stats

from trajectory.models.time_head import COMPONENTS, TimeHead, Wait, chance_within, draw, log_likelihood, quantile

pytestmark = pytest.mark.compiled_quickly


def made(zero: float = -1.0) -> Wait:
    weight = np.log([0.3, 0.7])
    return Wait(*(jnp.asarray(x, jnp.float32) for x in (zero, weight, [-1.0, 2.0], [0.5, 1.0])))


def density(days: float) -> float:
    parts = stats.lognorm.pdf(days, s=[0.5, 1.0], scale=np.exp([-1.0, 2.0]))
    return (1 - 1 / (1 + np.exp(1.0))) * float(np.array([0.3, 0.7]) @ parts)


@pytest.mark.parametrize("days", [0.01, 0.4, 3.0, 40.0])
def test_likelihood_of_a_time_is_the_mixtures_density(days):
    assert float(log_likelihood(made(), jnp.float32(days))) == pytest.approx(np.log(density(days)), abs=1e-4)


def test_likelihood_of_no_time_is_a_probability_and_all_sums_to_one():
    at_once = float(jnp.exp(log_likelihood(made(), jnp.float32(0))))
    assert at_once == pytest.approx(1 / (1 + np.exp(1.0)), abs=1e-6)
    later, _ = integrate.quad(lambda u: density(np.exp(u)) * np.exp(u), -12, 12)
    assert at_once + later == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("days", [0.0, 0.2, 5.0])
def test_chance_within_is_the_integral_of_the_density(days):
    below, _ = integrate.quad(lambda u: density(np.exp(u)) * np.exp(u), -12, np.log(days)) if days else (0.0, 0)
    assert float(chance_within(made(), jnp.float32(days))) == pytest.approx(below + 1 / (1 + np.exp(1.0)), abs=1e-4)


def test_quantile_inverts_the_chance_and_is_zero_where_that_much_happens_at_once():
    shares = jnp.array([0.1, 0.26, 0.3, 0.5, 0.9, 0.999])
    wait = jax.tree.map(lambda x: jnp.broadcast_to(x, (6, *x.shape)), made())
    days = quantile(wait, shares)
    assert (np.asarray(days[:2]) == 0).all()
    np.testing.assert_allclose(chance_within(wait, days)[2:], shares[2:], atol=1e-4)


def test_draws_follow_the_distribution():
    n = 20_000
    one, two = jax.random.split(jax.random.key(0))
    wait = jax.tree.map(lambda x: jnp.broadcast_to(x, (n, *x.shape)), made())
    drawn = np.asarray(draw(wait, jax.random.gumbel(one, (n, 3)), jax.random.normal(two, (n,))))
    for days in (0.0, 0.3, 2.0, 20.0):
        expected = float(chance_within(made(), jnp.float32(days)))
        assert np.mean(drawn <= days) == pytest.approx(expected, abs=4.5 * np.sqrt(expected * (1 - expected) / n))


@pytest.mark.parametrize("silent", [1e-3, 0.5, 6.0, 60.0, 3000.0])
def test_what_is_known_not_to_have_come_is_left_out(silent):
    """Chances, quantiles and draws after a silence are those of the longer times alone, far in the tail, too."""

    def beyond(days: float) -> float:
        return float(np.array([0.3, 0.7]) @ stats.lognorm.sf(days, s=[0.5, 1.0], scale=np.exp([-1.0, 2.0])))

    n = 20_000
    one, two = jax.random.split(jax.random.key(1))
    wait = jax.tree.map(lambda x: jnp.broadcast_to(x, (n, *x.shape)), made())
    drawn = draw(wait, jax.random.gumbel(one, (n, 3)), jax.random.normal(two, (n,)), jnp.full(n, silent))
    assert (np.asarray(drawn) >= silent * (1 - 1e-5)).all()
    for share in (0.1, 0.5, 0.9):
        days = float(quantile(made(), jnp.float32(share), silent))
        assert beyond(days) / beyond(silent) == pytest.approx(1 - share, abs=2e-3)
        assert np.mean(np.asarray(drawn) <= days) == pytest.approx(share, abs=4.5 * 0.5 / np.sqrt(n))


def test_training_by_likelihood_finds_the_distribution():
    """Minutes between half of the events and a day or more between others: two humps that one normal could not hold."""
    rng = np.random.default_rng(0)
    days = np.where(rng.random(4000) < 0.5, rng.lognormal(-6, 0.4, 4000), rng.lognormal(1, 0.6, 4000))
    days[:1000] = 0
    head, state = TimeHead(), jnp.ones((4000, 4))
    params = head.init(jax.random.key(0), state[:1])

    def loss(params):
        return -log_likelihood(head.apply(params, state), jnp.asarray(days, jnp.float32)).mean()

    step = jax.jit(lambda p: jax.tree.map(lambda x, g: x - 0.05 * g, p, jax.grad(loss)(p)))
    for _ in range(600):
        params = step(params)
    wait = jax.tree.map(lambda x: x[0], head.apply(params, state[:1]))
    assert wait.centre.shape == (COMPONENTS,)
    for level in (0.0, 0.004, 0.1, 2.0, 6.0):
        assert float(chance_within(wait, jnp.float32(level))) == pytest.approx(np.mean(days <= level), abs=0.03)
