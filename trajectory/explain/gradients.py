"""Attribution by gradients: what each input of each past event adds to a forecast, in nats."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from trajectory.explain.attribution import Attribution, empty, end, ends
from trajectory.explain.function import Base, Function, Inputs
from trajectory.explain.units import some, units
from trajectory.models.explained import ITEM

FEWEST, MOST = 8, 512  # points of a quadrature
NOISE = 0.15  # standard deviation of SmoothGrad's noise, of that of the vectors' numbers


def integrated_gradients(function: Function, inputs: Inputs, base: Base, gap: float = 0.01) -> Attribution:
    """Integrated gradients (Sundararajan et al. 2017) by Gauss-Legendre quadrature, whose points are doubled for the
    rows whose completeness gap is not below `gap`, up to MOST.
    """
    todo, points, found = np.arange(len(inputs.there)), FEWEST, _empty(inputs, *ends(function, inputs, base))
    while len(todo):
        node, weight = np.polynomial.legendre.leggauss(points)
        looks = np.repeat(todo, points), np.tile((node + 1) / 2, len(todo)), np.tile(weight / 2, len(todo))
        found = _put(found, todo, _sum(_on_way, function, inputs, base, *looks), points)
        todo = todo[found.gap[todo] >= gap] if points < MOST else todo[:0]
        points *= 2
    return found


def gradient_times_input(function: Function, inputs: Inputs, base: Base) -> Attribution:
    """The gradient where the events are, times what sets them apart from the baseline (Shrikumar et al. 2016)."""
    every, found = np.arange(len(inputs.there)), _empty(inputs, *ends(function, inputs, base))
    one = np.ones(len(every))
    return _put(found, every, _sum(_on_way, function, inputs, base, every, one, one), 1)


def smooth_gradients(function: Function, inputs: Inputs, base: Base, samples: int, seed: int = 0) -> Attribution:
    """Gradient times input, the gradient a mean over noisy vectors (SmoothGrad, Smilkov et al. 2017)."""
    every, found = np.arange(len(inputs.there)), _empty(inputs, *ends(function, inputs, base))
    rows = np.repeat(every, samples)
    key = np.asarray(jax.random.key_data(jax.random.split(jax.random.key(seed), len(rows))))
    return _put(found, every, _sum(_noisy, function, inputs, base, rows, key, np.full(len(rows), 1 / samples)), samples)


def expected_gradients(
    function: Function, inputs: Inputs, background: Inputs, samples: int, seed: int = 0
) -> Attribution:
    """Integrated gradients whose baseline is drawn from real histories (Erion et al. 2021), newest beside newest event.

    A background history that is shorter has no events there.
    """
    rng, every = np.random.default_rng(seed), np.arange(len(inputs.there))
    rows, drawn = np.repeat(every, samples), rng.integers(len(background.there), size=len(every) * samples)
    node = ((np.arange(samples) + rng.random((len(every), samples))) / samples).ravel()  # one in each stratum
    values = _sum(_between, function, inputs, background, rows, (drawn, node), np.full(len(rows), 1 / samples))
    return _put(_empty(inputs, values.pop("start"), end(function, inputs)), every, values, samples)


def saliency(function: Function, inputs: Inputs) -> np.ndarray:
    """Length of the gradient by each event's vector (Simonyan et al. 2013), [B, L]: how much it matters, unsigned."""
    return np.asarray(_steepness(function, inputs))


def _empty(inputs: Inputs, start: Any, value: Any) -> Attribution:
    return empty(inputs, tuple(dict.fromkeys((*inputs.shares, ITEM))), start, value)


def _put(found: Attribution, rows: np.ndarray, new: dict[str, np.ndarray], looks: int) -> Attribution:
    """With new values in some rows, and how well they add up."""
    for name, values in found.values.items():
        values[rows] = new[name][rows]
    return found.added_up(looks, rows)


def _sum(
    step: Callable[..., dict[str, jax.Array]],
    function: Function,
    inputs: Inputs,
    base: Base | Inputs,
    rows: np.ndarray,
    of: Any,
    weight: np.ndarray,
) -> dict[str, np.ndarray]:
    """What `step` gives for units, times their weights, summed by row, [B, ...]."""
    out: dict[str, np.ndarray] = {}
    for unit, found in units(step, function, inputs, base, rows, of):
        for name, value in found.items():
            into = out.setdefault(name, np.zeros((len(inputs.there), *value.shape[1:]), np.float32))
            np.add.at(into, rows[unit], weight[unit].astype(np.float32).reshape(-1, *[1] * (value.ndim - 1)) * value)
    return out


def _way(inputs: Inputs, base: Base) -> tuple[dict[str, jax.Array], jax.Array, jax.Array]:
    """How the shares, their sum, and how far events are known differ from the baseline."""
    shares = {name: share - base.shares[name] for name, share in inputs.shares.items()}
    return shares, sum(shares.values(), jnp.zeros_like(inputs.constant)), 1 - base.known


def _values(function: Function, inputs: Inputs, x: jax.Array, known: jax.Array, way: tuple) -> dict[str, jax.Array]:
    """{input: [B, L]}: gradients at a place, times the way that is put down to each input."""
    shares, _, learned = way
    by_x, by_known = function.gradient(x, known, inputs)
    found = {name: jnp.einsum("bld,bld->bl", share, by_x) for name, share in shares.items()}
    found[ITEM] = found.get(ITEM, 0.0) + learned * by_known
    return {name: value * inputs.there for name, value in found.items()}


@jax.jit
def _on_way(function: Function, inputs: Inputs, base: Base, row: jax.Array, at: jax.Array) -> dict[str, jax.Array]:
    inputs = some(inputs, row)
    _, far, learned = way = _way(inputs, some(base, row))
    left = (1 - at)[:, None]
    return _values(function, inputs, inputs.x - left[..., None] * far, 1 - left * learned, way)


@jax.jit
def _noisy(function: Function, inputs: Inputs, base: Base, row: jax.Array, key: jax.Array) -> dict[str, jax.Array]:
    inputs = some(inputs, row)
    way, there = _way(inputs, some(base, row)), inputs.there[..., None]
    spread = NOISE * jnp.std(inputs.x, where=there, axis=(1, 2), keepdims=True)
    noise = jax.vmap(lambda k: jax.random.normal(jax.random.wrap_key_data(k), inputs.x.shape[1:]))(key)
    return _values(function, inputs, inputs.x + spread * noise, jnp.ones(there.shape[:2]), way)


@jax.jit
def _between(function: Function, inputs: Inputs, background: Inputs, row: jax.Array, of: tuple) -> dict[str, jax.Array]:
    (drawn, at), inputs = of, some(inputs, row)
    back = inputs.asked.place[:, None] - jnp.arange(inputs.there.shape[1])  # how long ago, in events
    column = jnp.asarray(background.asked.place)[drawn][:, None] - back
    there = (column >= 0) & (back >= 0)
    column = drawn[:, None], column.clip(0)
    there = (there & background.there[column])[..., None]
    shares = {name: jnp.where(there, share[column], 0.0) for name, share in background.shares.items()}
    base = Base(shares, jnp.zeros(back.shape))
    way, left = _way(inputs, base), (1 - at)[:, None]
    found = _values(function, inputs, inputs.x - left[..., None] * way[1], 1 - left * way[2], way)
    return found | {"start": function(inputs.x - way[1], base.known, inputs, inputs.x)}


@jax.jit
def _steepness(function: Function, inputs: Inputs) -> jax.Array:
    by_x, _ = function.gradient(inputs.x, jnp.ones(inputs.there.shape), inputs)
    return jnp.sqrt(jnp.square(by_x).sum(-1)) * inputs.there
