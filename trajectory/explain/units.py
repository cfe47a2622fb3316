"""Many looks at few rows of events, in pieces of one shape: what is compiled once, and memory that nothing exceeds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from trajectory.explain.function import Base, Function, Inputs

CELLS = 2**13  # events that are read at once


def units(
    step: Callable[..., Any], function: Function, inputs: Inputs, base: Base | Inputs, rows: np.ndarray, of: Any
) -> Iterator[tuple[np.ndarray, Any]]:
    """Yields (numbers of units, what `step` gives for them): each of U units is a row [U] and something else [U, ...].

    `step(function, inputs, base, row, of)` takes as many as fit into CELLS.
    """
    size = max(CELLS // inputs.there.shape[1], 1)
    for at in range(0, len(rows), size):
        unit = np.arange(at, min(at + size, len(rows)))
        full = np.pad(unit, (0, size - len(unit)), mode="edge")
        found = step(function, inputs, base, rows[full], _take(of, full))
        yield unit, _take(jax.device_get(found), np.arange(len(unit)))


def some(tree: Any, rows: jax.Array) -> Any:
    """Some rows of everything in a tree."""
    return jax.tree.map(lambda x: jnp.asarray(x)[rows], tree)


def _take(tree: Any, at: np.ndarray) -> Any:
    return jax.tree.map(lambda x: x[at], tree)
