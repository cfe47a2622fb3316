"""Forecasts from some of the past events: the others are hidden from the model, or removed from the history."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import polars as pl

from trajectory.data.pipeline.featurize import FeatureScale, last_rows
from trajectory.explain.attribution import input_forecast
from trajectory.explain.batching import batched, batches, take_rows
from trajectory.explain.target_function import Inputs, Problem, TargetFunction
from trajectory.schema import Histories

MASKINGS = ("hidden", "removed")


class EventSource(NamedTuple):
    """Where the events of B rows were read from, to read them anew."""

    histories: Histories
    scale: FeatureScale
    first: np.ndarray  # int64 [B], flat index of each row's first event


def forecasts_with_events_hidden(problem: Problem, rows: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """Forecasts [U] of rows [U] whose events outside `kept` (bool [U, L]) are those of the reference."""
    forecasts = np.zeros(len(rows), np.float32)
    for index, values in batched(_hidden, problem, rows, kept):
        forecasts[index] = values
    return forecasts


def forecasts_with_events_removed(
    problem: Problem, rows: np.ndarray, kept: np.ndarray, source: EventSource
) -> np.ndarray:
    """Forecasts [U] of rows [U] read anew without the events outside `kept` (bool [U, L]), as if they had not happened.

    A row without any event is that of the reference.
    """
    left = np.flatnonzero(kept.any(axis=1))
    none = np.flatnonzero(~kept.any(axis=1))
    forecasts = np.zeros(len(rows), np.float32)
    forecasts[none] = forecasts_with_events_hidden(problem, rows[none], kept[none])
    function, inputs, _ = problem
    for index, padded in batches(len(left), inputs, function):
        chosen = left[padded]
        values = input_forecast(function, inputs_without(function, inputs, rows[chosen], kept[chosen], source))
        forecasts[left[index]] = values[: len(index)]
    return forecasts


def inputs_without(
    function: TargetFunction, inputs: Inputs, rows: np.ndarray, kept: np.ndarray, source: EventSource
) -> Inputs:
    """Rows [U] read anew without the events outside `kept` (bool [U, L], at least one in each)."""
    row, column = np.nonzero(kept)
    histories, scale, first = source
    shorter = _of_events(histories, first[rows[row]] + column, kept.sum(axis=1))
    events = last_rows(shorter, scale, shorter.offsets[:-1], shorter.offsets[1:], inputs.mask.shape[1])
    targets = jax.tree.map(lambda x: np.asarray(x)[rows], inputs.targets)
    return function.inputs(events, targets._replace(position=(np.diff(shorter.offsets) - 1).astype(np.int32)))


def _of_events(histories: Histories, event: np.ndarray, count: np.ndarray) -> Histories:
    """Histories of `count` [n] of these events each, flat indices in order."""
    return replace(
        histories,
        offsets=np.append(0, np.cumsum(count)).astype(np.int64),
        item=histories.item[event],
        time=histories.time[event],
        event_type=histories.event_type[event],
        value=histories.value[event],
        quantity=histories.quantity[event],
        label=histories.label[event],
        step=histories.step[event],
        features=histories.features[event],
        users=pl.DataFrame({"user": np.arange(len(count))}),
    )


@jax.jit
def _hidden(problem: Problem, rows: jax.Array, kept: jax.Array) -> jax.Array:
    inputs, reference = take_rows(problem[1:], rows)
    x = jnp.where(kept[..., None], inputs.vectors, inputs.vectors_of(reference))
    return problem.function(x, jnp.where(kept, 1.0, reference.known), inputs)
