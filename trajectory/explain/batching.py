"""Many looks at few rows of events, in pieces of one shape: what is compiled once, and memory that nothing exceeds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from trajectory.explain.target_function import Base, Function, Inputs

CELLS = 2**13  # events that are read at once
CHANCES = 2**20  # probabilities that are foretold at once: more leave a core's cache


def units(
    step: Callable[..., Any], function: Function, inputs: Inputs, base: Base | Inputs, rows: np.ndarray, of: Any
) -> Iterator[tuple[np.ndarray, Any]]:
    """Yields (numbers of units, what `step` gives for them): each of U units is a row [U] and something else [U, ...].

    `step(function, inputs, base, row, of)` takes as many as `pieces` gives.
    """
    for unit, full in pieces(len(rows), inputs, function):
        found = step(function, inputs, base, rows[full], jax.tree.map(lambda x, full=full: x[full], of))
        yield unit, jax.tree.map(lambda x, unit=unit: x[: len(unit)], jax.device_get(found))


def pieces(count: int, inputs: Inputs, function: Function) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Numbers 0 .. count - 1 in pieces, of which as many rows of `inputs` fit into CELLS and CHANCES, and each piece
    filled up to one size by repeating its last.
    """
    size = max(min(CELLS // inputs.there.shape[1], CHANCES // len(function.item_interest)), 1)
    for at in range(0, count, size):
        unit = np.arange(at, min(at + size, count))
        yield unit, np.pad(unit, (0, size - len(unit)), mode="edge")


def some(tree: Any, rows: jax.Array | np.ndarray) -> Any:
    """Some rows of everything in a tree."""
    return jax.tree.map(lambda x: jnp.asarray(x)[rows], tree)
