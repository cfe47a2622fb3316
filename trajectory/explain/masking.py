"""What is forecast when only some of the past events are there: hidden from the model, or taken out of the history."""

from __future__ import annotations

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import polars as pl

from trajectory.data.pipeline.featurize import FeatureScale, last_rows
from trajectory.explain.attribution import end
from trajectory.explain.batching import pieces, some, units
from trajectory.explain.target_function import Base, Function, Inputs
from trajectory.schema import Histories

WAYS = ("hidden", "removed")


def hidden(function: Function, inputs: Inputs, base: Base, rows: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """Forecasts [U] of rows [U] whose events outside `kept` (bool [U, L]) are those of the baseline."""
    found = np.zeros(len(rows), np.float32)
    for unit, value in units(_hidden, function, inputs, base, rows, kept):
        found[unit] = value
    return found


def removed(
    function: Function,
    inputs: Inputs,
    base: Base,
    rows: np.ndarray,
    kept: np.ndarray,
    histories: Histories,
    scale: FeatureScale,
    first: np.ndarray,
) -> np.ndarray:
    """Forecasts [U] of rows [U] read anew without the events outside `kept` (bool [U, L]), as if they had not happened.

    `first` int64 [B] is the flat index of each row's first event. A row without any event is that of the baseline.
    """
    left = np.flatnonzero(kept.any(axis=1))
    none = np.flatnonzero(~kept.any(axis=1))
    found = np.zeros(len(rows), np.float32)
    found[none] = hidden(function, inputs, base, rows[none], kept[none])
    for unit, full in pieces(len(left), inputs, function):
        at = left[full]
        anew = end(function, without(function, inputs, rows[at], kept[at], histories, scale, first))
        found[left[unit]] = anew[: len(unit)]
    return found


def without(
    function: Function,
    inputs: Inputs,
    rows: np.ndarray,
    kept: np.ndarray,
    histories: Histories,
    scale: FeatureScale,
    first: np.ndarray,
) -> Inputs:
    """Rows [U] as they are without the events outside `kept` (bool [U, L], at least one in each); see `removed`."""
    unit, column = np.nonzero(kept)
    shorter = _of_events(histories, first[rows[unit]] + column, kept.sum(axis=1))
    events = last_rows(shorter, scale, shorter.offsets[:-1], shorter.offsets[1:], inputs.there.shape[1])
    asked = jax.tree.map(lambda x: np.asarray(x)[rows], inputs.asked)
    return function.inputs(events, asked._replace(place=(np.diff(shorter.offsets) - 1).astype(np.int32)))


def _of_events(histories: Histories, event: np.ndarray, count: np.ndarray) -> Histories:
    """Histories of `count` [n] of these events each, flat indices in order."""
    return replace(
        histories,
        offsets=np.append(0, np.cumsum(count)).astype(np.int64),
        item=histories.item[event],
        time=histories.time[event],
        kind=histories.kind[event],
        value=histories.value[event],
        quantity=histories.quantity[event],
        label=histories.label[event],
        step=histories.step[event],
        features=histories.features[event],
        users=pl.DataFrame({"user": np.arange(len(count))}),
    )


@jax.jit
def _hidden(function: Function, inputs: Inputs, base: Base, row: jax.Array, kept: jax.Array) -> jax.Array:
    inputs, base = some((inputs, base), row)
    x0 = inputs.compared(base)
    return function(jnp.where(kept[..., None], inputs.x, x0), jnp.where(kept, 1.0, base.known), inputs)
