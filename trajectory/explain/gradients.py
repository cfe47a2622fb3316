"""Attribution by gradients: what each input of each past event adds to a forecast, in nats."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from trajectory.explain.attribution import Attribution, end, ends, of_inputs
from trajectory.explain.batching import some
from trajectory.explain.integration_path import Values, at_place, summed, values, values_on_way, way
from trajectory.explain.target_function import Base, Function, Inputs

NOISE = 0.15  # standard deviation of SmoothGrad's noise, of that of the vectors' numbers


def gradient_times_input(function: Function, inputs: Inputs, base: Base) -> Attribution:
    """The gradient where the events are, times what sets them apart from the baseline (Shrikumar et al. 2016)."""
    one = np.ones(len(inputs.there))
    sums = _summed(values_on_way, function, inputs, base, 1, one)
    return of_inputs(inputs, *ends(function, inputs, base)).put(sums).added_up(1)


def smooth_gradients(function: Function, inputs: Inputs, base: Base, samples: int, seed: int = 0) -> Attribution:
    """Gradient times input, the gradient a mean over noisy vectors (SmoothGrad, Smilkov et al. 2017)."""
    keys = jax.random.split(jax.random.key(seed), len(inputs.there) * samples)
    sums = _summed(_noisy, function, inputs, base, samples, np.asarray(jax.random.key_data(keys)))
    return of_inputs(inputs, *ends(function, inputs, base)).put(sums).added_up(samples)


def expected_gradients(
    function: Function, inputs: Inputs, background: Inputs, samples: int, seed: int = 0
) -> Attribution:
    """Integrated gradients whose baseline is drawn from real histories (Erion et al. 2021), newest beside newest event.

    A background history that is shorter has no events there.
    """
    rng, count = np.random.default_rng(seed), len(inputs.there)
    drawn = rng.integers(len(background.there), size=count * samples)
    node = ((np.arange(samples) + rng.random((count, samples))) / samples).ravel()  # one in each stratum
    sums = _summed(_between, function, inputs, background, samples, (drawn, node))
    return of_inputs(inputs, sums.pop("start"), end(function, inputs)).put(sums).added_up(samples)


def saliency(function: Function, inputs: Inputs) -> np.ndarray:
    """Length of the gradient by each event's vector (Simonyan et al. 2013), [B, L]: how much it matters, unsigned."""
    return np.asarray(_steepness(function, inputs))


def _summed(
    step: Callable[..., Values],
    function: Function,
    inputs: Inputs,
    base: Base | Inputs,
    samples: int,
    of: Any,
) -> dict[str, np.ndarray]:
    """Means of each row over so many units."""
    rows = np.repeat(np.arange(len(inputs.there)), samples)
    return summed(step, function, inputs, base, rows, of, np.full(len(rows), 1 / samples), rows)


@jax.jit
def _noisy(function: Function, inputs: Inputs, base: Base, row: jax.Array, key: jax.Array) -> Values:
    inputs = some(inputs, row)
    whole, there = way(inputs, some(base, row)), inputs.there[..., None]
    spread = NOISE * jnp.std(inputs.x, where=there, axis=(1, 2), keepdims=True)
    noise = jax.vmap(lambda k: jax.random.normal(jax.random.wrap_key_data(k), inputs.x.shape[1:]))(key)
    return values(function, inputs, inputs.x + spread * noise, jnp.ones(there.shape[:2]), whole)


@jax.jit
def _between(function: Function, inputs: Inputs, background: Inputs, row: jax.Array, of: tuple) -> Values:
    (drawn, at), inputs = of, some(inputs, row)
    back = inputs.asked.place[:, None] - jnp.arange(inputs.there.shape[1])  # how long ago, in events
    column = jnp.asarray(background.asked.place)[drawn][:, None] - back
    there = (column >= 0) & (back >= 0)
    column = drawn[:, None], column.clip(0)
    there = (there & background.there[column])[..., None]
    shares = {name: jnp.where(there, share[column], 0.0) for name, share in background.shares.items()}
    base = Base(shares, jnp.zeros(back.shape))
    whole = way(inputs, base)
    found = values(function, inputs, *at_place(inputs, whole, at), whole)
    return found | {"start": function(inputs.x - whole[1], base.known, inputs, inputs.x)}


@jax.jit
def _steepness(function: Function, inputs: Inputs) -> jax.Array:
    by_x, _ = function.gradient(inputs.x, jnp.ones(inputs.there.shape), inputs)
    return jnp.sqrt(jnp.square(by_x).sum(-1)) * inputs.there
