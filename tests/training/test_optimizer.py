"""Learning rates and updates against numbers worked by hand."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import optax
import pytest

from trajectory.settings import base
from trajectory.training.optimizer import evaluation_params, optimiser, schedule


def _config(**changes):
    config = base().optim
    config.learning_rate, config.warmup_steps = 0.1, 4
    config.update(changes)
    return config


def _rates(config, total: int, steps) -> list[float]:
    rate = schedule(config, total)
    return [float(rate(step)) for step in steps]


def test_warm_up_is_linear_then_constant():
    rates = _rates(_config(), 100, [0, 1, 2, 3, 4, 5, 1000])
    np.testing.assert_allclose(rates, [0, 0.025, 0.05, 0.075, 0.1, 0.1, 0.1], rtol=1e-6)


def test_a_cosine_falls_to_zero_at_the_last_step():
    rates = _rates(_config(schedule="cosine"), 12, [2, 4, 6, 8, 10, 12, 20])
    half = 0.05 * np.sqrt(0.5)
    np.testing.assert_allclose(rates, [0.05, 0.1, 0.05 + half, 0.05, 0.05 - half, 0, 0], atol=1e-7)


def test_no_warm_up_and_runs_shorter_than_the_warm_up():
    np.testing.assert_allclose(_rates(_config(warmup_steps=0), 10, [0, 9]), [0.1, 0.1], rtol=1e-6)
    assert np.isfinite(_rates(_config(schedule="cosine"), 2, range(8))).all()


@pytest.mark.parametrize("kind", ["constant", "cosine"])
@pytest.mark.parametrize(("warmup", "total"), [(0, 9), (4, 12), (4, 4), (7, 3)])
def test_rates_are_those_of_the_formula(kind, warmup, total):
    steps = np.arange(20)
    done = np.clip((steps - warmup) / max(total - warmup, 1), 0, 1)
    after = 0.1 if kind == "constant" else 0.05 * (1 + np.cos(np.pi * done))
    expected = np.where(steps < warmup, 0.1 * steps / max(warmup, 1), after)
    np.testing.assert_allclose(_rates(_config(schedule=kind, warmup_steps=warmup), total, steps), expected, atol=1e-7)


PARAMS = {"matrix": jnp.full((2, 2), 2.0), "bias": jnp.full(2, 2.0)}
GRADIENT = {"matrix": jnp.full((2, 2), 3.0), "bias": jnp.asarray([4.0, -4.0])}


def _update(config, gradient=GRADIENT):
    tx = optimiser(config, 10)
    updates, state = tx.update(gradient, tx.init(PARAMS), PARAMS)
    return updates, state


def test_the_first_step_of_adam_is_the_learning_rate_and_decay_is_on_matrices_only():
    updates, _ = _update(_config(warmup_steps=0, weight_decay=0.5))
    # Adam's first step is the sign of the gradient; decay adds 0.5 of the parameter's value 2.
    np.testing.assert_allclose(updates["matrix"], -0.1 * (1 + 0.5 * 2), rtol=1e-5)
    np.testing.assert_allclose(updates["bias"], [-0.1, 0.1], rtol=1e-5)


@pytest.mark.parametrize(("clip", "scale"), [(1.0, 1 / np.sqrt(68)), (0.0, 1.0), (100.0, 1.0)])
def test_the_whole_gradient_is_clipped(clip, scale):
    # Its norm is sqrt(4 * 9 + 2 * 16) = sqrt(68); Adam's first moment is a tenth of what comes through.
    _, state = _update(_config(clip_norm=clip))
    mu = optax.tree.get(state, "mu")
    np.testing.assert_allclose(mu["matrix"], 0.1 * scale * GRADIENT["matrix"], rtol=1e-5)
    np.testing.assert_allclose(mu["bias"], 0.1 * scale * GRADIENT["bias"], rtol=1e-5)


def test_the_second_moment_uses_b2():
    _, state = _update(_config(clip_norm=0.0, b2=0.75))
    np.testing.assert_allclose(optax.tree.get(state, "nu")["bias"], 0.25 * 16, rtol=1e-6)


def test_the_average_follows_the_parameters_with_the_decay_it_was_given():
    tx = optimiser(_config(warmup_steps=0, average=0.15), 10)
    params, state = PARAMS, tx.init(PARAMS)
    seen = []
    for _ in range(3):
        updates, state = tx.update(GRADIENT, state, params)
        params = optax.apply_updates(params, updates)
        seen.append(float(params["bias"][0]))
    # Decays 1 / 10, then 2 / 11 and 3 / 12, which are above 0.15.
    average = 0.1 * 2.0 + 0.9 * seen[0]
    average = 0.15 * average + 0.85 * seen[1]
    average = 0.15 * average + 0.85 * seen[2]
    np.testing.assert_allclose(evaluation_params(params, state)["bias"][0], average, rtol=1e-6)


def test_the_average_is_that_of_optax():
    tx, average = optimiser(_config(warmup_steps=0, average=0.5), 10), PARAMS
    params, state = PARAMS, tx.init(PARAMS)
    for n in range(12):
        updates, state = tx.update(GRADIENT, state, params)
        params = optax.apply_updates(params, updates)
        average = optax.incremental_update(params, average, 1 - min(0.5, (1 + n) / (10 + n)))
    np.testing.assert_allclose(evaluation_params(params, state)["matrix"], average["matrix"], rtol=1e-6)


def test_the_average_changes_no_update_and_without_it_the_parameters_are_evaluated():
    plain, plain_state = _update(_config(warmup_steps=0))
    averaged, _ = _update(_config(warmup_steps=0, average=0.9))
    np.testing.assert_array_equal(plain["matrix"], averaged["matrix"])
    assert evaluation_params(PARAMS, plain_state) is PARAMS
