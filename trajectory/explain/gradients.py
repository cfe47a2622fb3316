"""Attribution by gradients: what each input of each past event adds to a forecast, in nats."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from trajectory.explain.attribution import Attribution, endpoint_forecasts, input_forecast, zeros_by_input
from trajectory.explain.batching import take_rows
from trajectory.explain.integration_path import (
    Values,
    difference,
    gradient_values,
    path_point,
    values_on_path,
    weighted_sums,
)
from trajectory.explain.target_function import Inputs, Problem, Reference, TargetFunction

NOISE = 0.15  # standard deviation of SmoothGrad's noise, relative to that of the vectors' numbers
REFERENCE_FORECAST = "reference_forecast"


def gradient_times_input(function: TargetFunction, inputs: Inputs, reference: Reference) -> Attribution:
    """Gradient at the events times their difference from the reference (Shrikumar et al. 2016)."""
    problem = Problem(function, inputs, reference)
    means = _means(values_on_path, problem, 1, np.ones(len(inputs.mask)))
    return zeros_by_input(inputs, *endpoint_forecasts(*problem)).with_values(means).measured(1)


def smooth_gradients(
    function: TargetFunction, inputs: Inputs, reference: Reference, samples: int, seed: int = 0
) -> Attribution:
    """SmoothGrad times input: the gradient is a mean over noisy vectors (Smilkov et al. 2017)."""
    problem = Problem(function, inputs, reference)
    keys = jax.random.split(jax.random.key(seed), len(inputs.mask) * samples)
    means = _means(_values_with_noise, problem, samples, np.asarray(jax.random.key_data(keys)))
    return zeros_by_input(inputs, *endpoint_forecasts(*problem)).with_values(means).measured(samples)


def expected_gradients(
    function: TargetFunction, inputs: Inputs, background: Inputs, samples: int, seed: int = 0
) -> Attribution:
    """Expected gradients: integrated gradients from references drawn from real histories (Erion et al. 2021).

    The newest events are aligned; where a background history is shorter, it has no events.
    """
    rng, count = np.random.default_rng(seed), len(inputs.mask)
    drawn = rng.integers(len(background.mask), size=count * samples)
    position = ((np.arange(samples) + rng.random((count, samples))) / samples).ravel()  # one in each stratum
    means = _means(_values_of_drawn, Problem(function, inputs, background), samples, (drawn, position))
    result = zeros_by_input(inputs, means.pop(REFERENCE_FORECAST), input_forecast(function, inputs))
    return result.with_values(means).measured(samples)


def saliency(function: TargetFunction, inputs: Inputs) -> np.ndarray:
    """Saliency (Simonyan et al. 2013): the norm of the gradient by each event's vector, [B, L], unsigned."""
    return np.asarray(_gradient_norm(function, inputs))


def _means(step: Callable[..., Values], problem: Problem, samples: int, arguments: Any) -> dict[str, np.ndarray]:
    """Means of each row over so many evaluations."""
    rows = np.repeat(np.arange(len(problem.inputs.mask)), samples)
    return weighted_sums(step, problem, rows, arguments, np.full(len(rows), 1 / samples), rows)


@jax.jit
def _values_with_noise(problem: Problem, rows: jax.Array, key: jax.Array) -> Values:
    inputs, reference = take_rows(problem[1:], rows)
    x, mask = inputs.vectors, inputs.mask[..., None]
    deviation = NOISE * jnp.std(x, where=mask, axis=(1, 2), keepdims=True)
    noise = jax.vmap(lambda k: jax.random.normal(jax.random.wrap_key_data(k), x.shape[1:]))(key)
    known = jnp.ones(mask.shape[:2])
    return gradient_values(problem.function, inputs, x + deviation * noise, known, difference(inputs, reference))


@jax.jit
def _values_of_drawn(problem: Problem, rows: jax.Array, arguments: tuple[jax.Array, jax.Array]) -> Values:
    function, inputs, background = problem.function, take_rows(problem.inputs, rows), problem.reference
    assert isinstance(background, Inputs)
    drawn, position = arguments
    age = inputs.targets.position[:, None] - jnp.arange(inputs.mask.shape[1])  # events since then
    column = jnp.asarray(background.targets.position)[drawn][:, None] - age
    mask = (column >= 0) & (age >= 0)
    column = drawn[:, None], column.clip(0)
    mask = (mask & background.mask[column])[..., None]
    components = {name: jnp.where(mask, component[column], 0.0) for name, component in background.components.items()}
    reference = Reference(components, jnp.zeros(age.shape))
    whole = difference(inputs, reference)
    values = gradient_values(function, inputs, *path_point(inputs, whole, position), whole)
    x = inputs.vectors
    return values | {REFERENCE_FORECAST: function(x - whole.vectors, reference.known, inputs, x)}


@jax.jit
def _gradient_norm(function: TargetFunction, inputs: Inputs) -> jax.Array:
    by_x, _ = function.gradient(inputs.vectors, jnp.ones(inputs.mask.shape), inputs)
    return jnp.sqrt(jnp.square(by_x).sum(-1)) * inputs.mask
