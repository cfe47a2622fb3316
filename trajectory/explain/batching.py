"""Evaluations of few rows at many points, in batches of one shape: compiled once, and within a bound of memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from trajectory.explain.target_function import Inputs, Problem, TargetFunction

EVENTS = 2**13  # of a batch, at most
PROBABILITIES = 2**20  # of a batch, at most: more leave a core's cache


def batched(
    step: Callable[..., Any], problem: Problem, rows: np.ndarray, arguments: Any
) -> Iterator[tuple[np.ndarray, Any]]:
    """Yields (indices, results) of batches of U evaluations, each of a row (`rows` [U]) with its arguments [U, ...].

    `step(problem, rows, arguments)` takes as many as `batches` gives.
    """
    for index, padded in batches(len(rows), problem.inputs, problem.function):
        results = step(problem, rows[padded], jax.tree.map(lambda x, padded=padded: x[padded], arguments))
        yield index, jax.tree.map(lambda x, index=index: x[: len(index)], jax.device_get(results))


def batches(count: int, inputs: Inputs, function: TargetFunction) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Indices 0 .. count - 1 in batches of as many rows of `inputs` as EVENTS and PROBABILITIES allow, and the same
    padded to one size by repeating the last.
    """
    size = max(min(EVENTS // inputs.mask.shape[1], PROBABILITIES // len(function.item_interest)), 1)
    for begin in range(0, count, size):
        index = np.arange(begin, min(begin + size, count))
        yield index, np.pad(index, (0, size - len(index)), mode="edge")


def take_rows(tree: Any, rows: jax.Array | np.ndarray) -> Any:
    """These rows of every array in a tree."""
    return jax.tree.map(lambda x: jnp.asarray(x)[rows], tree)
