"""The straight-line integration path from a reference to the events, and sums of gradients along it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from trajectory.explain.batching import batched, take_rows
from trajectory.explain.target_function import Inputs, Problem, Reference, TargetFunction
from trajectory.models.forecast_function import ITEM

Values = dict[str, jax.Array]


class Difference(NamedTuple):
    """Inputs less their reference."""

    components: Values  # input -> [B, L, D]
    vectors: jax.Array  # [B, L, D], their sum
    known: jax.Array  # [B, L]


def weighted_sums(
    step: Callable[..., Values],
    problem: Problem,
    rows: np.ndarray,
    arguments: Any,
    weight: np.ndarray,
    into: np.ndarray,
) -> dict[str, np.ndarray]:
    """Results of `step` for U evaluations (see `batched`), times their weights [U], summed at `into` [U], [n, ...]."""
    sums: dict[str, np.ndarray] = {}
    for index, results in batched(step, problem, rows, arguments):
        for name, values in results.items():
            total = sums.setdefault(name, np.zeros((into.max() + 1, *values.shape[1:]), np.float32))
            factor = weight[index].astype(np.float32).reshape(-1, *[1] * (values.ndim - 1))
            np.add.at(total, into[index], factor * values)
    return sums


def difference(inputs: Inputs, reference: Reference) -> Difference:
    """How components, vectors, and how far items are known differ from the reference."""
    components = {name: component - reference.components[name] for name, component in inputs.components.items()}
    return Difference(components, sum(components.values(), jnp.zeros_like(inputs.constant)), 1 - reference.known)


def gradient_values(
    function: TargetFunction, inputs: Inputs, x: jax.Array, known: jax.Array, difference: Difference
) -> Values:
    """{input: [B, L]}: the gradient at a point times each input's part of the difference."""
    by_x, by_known = function.gradient(x, known, inputs)
    values = {name: jnp.einsum("bld,bld->bl", part, by_x) for name, part in difference.components.items()}
    values[ITEM] = values.get(ITEM, 0.0) + difference.known * by_known
    return {name: value * inputs.mask for name, value in values.items()}


def path_point(inputs: Inputs, difference: Difference, position: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Event vectors and how far items are known, at positions [B] of the path from 0 (the reference) to 1."""
    left = (1 - position)[:, None]
    return inputs.vectors - left[..., None] * difference.vectors, 1 - left * difference.known


@jax.jit
def values_on_path(problem: Problem, rows: jax.Array, position: jax.Array) -> Values:
    """A step of `batched`: `gradient_values` of rows at positions of the path."""
    inputs, reference = take_rows(problem[1:], rows)
    whole = difference(inputs, reference)
    return gradient_values(problem.function, inputs, *path_point(inputs, whole, position), whole)


@jax.jit
def forecast_on_path(problem: Problem, rows: jax.Array, position: jax.Array) -> jax.Array:
    """A step of `batched`: forecasts of rows at positions of the path."""
    inputs, reference = take_rows(problem[1:], rows)
    point = path_point(inputs, difference(inputs, reference), position)
    return problem.function(*point, inputs, inputs.vectors)
