"""Gradients of forecasts on the way from a baseline to the events, and their sums."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from trajectory.explain.batching import some, units
from trajectory.explain.target_function import Base, Function, Inputs
from trajectory.models.forecast_function import ITEM

Values = dict[str, jax.Array]
Way = tuple[Values, jax.Array, jax.Array]


def summed(
    step: Callable[..., Values],
    function: Function,
    inputs: Inputs,
    base: Base | Inputs,
    rows: np.ndarray,
    of: Any,
    weight: np.ndarray,
    into: np.ndarray,
) -> dict[str, np.ndarray]:
    """What `step` gives for units (see `units`), times their weights [U], summed into places `into` [U], [n, ...]."""
    out: dict[str, np.ndarray] = {}
    for unit, found in units(step, function, inputs, base, rows, of):
        for name, value in found.items():
            sums = out.setdefault(name, np.zeros((into.max() + 1, *value.shape[1:]), np.float32))
            np.add.at(sums, into[unit], weight[unit].astype(np.float32).reshape(-1, *[1] * (value.ndim - 1)) * value)
    return out


def way(inputs: Inputs, base: Base) -> Way:
    """How the shares, their sum, and how far events are known differ from the baseline."""
    shares = {name: share - base.shares[name] for name, share in inputs.shares.items()}
    return shares, sum(shares.values(), jnp.zeros_like(inputs.constant)), 1 - base.known


def values(function: Function, inputs: Inputs, x: jax.Array, known: jax.Array, way: Way) -> Values:
    """{input: [B, L]}: gradients at a place, times the way that is put down to each input."""
    shares, _, learned = way
    by_x, by_known = function.gradient(x, known, inputs)
    found = {name: jnp.einsum("bld,bld->bl", share, by_x) for name, share in shares.items()}
    found[ITEM] = found.get(ITEM, 0.0) + learned * by_known
    return {name: value * inputs.there for name, value in found.items()}


def at_place(inputs: Inputs, way: Way, at: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Event vectors and how far events are known, at places [B] of the way from 0 (the baseline) to 1."""
    left = (1 - at)[:, None]
    return inputs.x - left[..., None] * way[1], 1 - left * way[2]


@jax.jit
def values_on_way(function: Function, inputs: Inputs, base: Base, row: jax.Array, at: jax.Array) -> Values:
    """A step of `units`: `values` of rows at places of the way."""
    inputs = some(inputs, row)
    whole = way(inputs, some(base, row))
    return values(function, inputs, *at_place(inputs, whole, at), whole)


@jax.jit
def forecast_on_way(function: Function, inputs: Inputs, base: Base, row: jax.Array, at: jax.Array) -> jax.Array:
    """A step of `units`: forecasts of rows at places of the way."""
    inputs = some(inputs, row)
    return function(*at_place(inputs, way(inputs, some(base, row)), at), inputs, inputs.x)
