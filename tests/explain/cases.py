"""Small models with histories, ready to be explained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any, cast

import jax
import numpy as np
from ml_collections import ConfigDict

from tests.builders import NO_FEATURES, initialise, make_model, random_histories
from trajectory.data.pipeline import splits
from trajectory.data.pipeline.featurize import Windows, last_rows, read_rows
from trajectory.explain.target_function import Inputs, TargetFunction
from trajectory.models.forecast_function import ForecastTarget
from trajectory.run import Run
from trajectory.schema import Histories
from trajectory.settings import base
from trajectory.training.experiment import Experiment

USERS, ITEMS, LONGEST, LENGTH = 5, 6, 7, 8
LOG = random_histories(USERS, ITEMS, LONGEST, seed=1)
HISTORIES = replace(LOG, event_type=np.random.default_rng(2).integers(1, 3, LOG.num_events).astype(np.int8))
BACKBONES = ("gru", "transformer")


@cache
def made(backbone: str, target: str = "item", kept: int = 0, repeat: bool = True) -> tuple[TargetFunction, Inputs]:
    """A function of random parameters, and the whole histories: item or interest 2, step 2."""
    model = make_model(backbone, items=ITEMS, horizon=2, frozen=kept, repeat=repeat)
    events = last_rows(HISTORIES, NO_FEATURES, HISTORIES.offsets[:-1], HISTORIES.offsets[1:], LENGTH)
    function = TargetFunction.create(model, initialise(model, events), target, HISTORIES.item_interest)
    return function, function.inputs(events, targets_at(np.diff(HISTORIES.offsets) - 1))


def targets_at(position: np.ndarray) -> ForecastTarget:
    """Item or interest 2 (instead of interest 1) two steps after these columns."""
    n = len(position)
    return ForecastTarget(
        position.astype(np.int32), np.full(n, 2, np.int32), np.full(n, 1, np.int32), np.full(n, 2, np.int32)
    )


@jax.jit
def value(function: TargetFunction, x: jax.Array, known: jax.Array, inputs: Inputs) -> jax.Array:
    """The function's forecasts [B]; one program instead of hundreds of operations."""
    return function(x, known, inputs)


def applied(function: TargetFunction, method: str) -> Callable[..., Any]:
    """A method of the function's model, jitted."""
    params = {"params": function.variables["params"]["model"]}
    return partial(jax.jit(partial(cast(Any, function.model.apply), method=method)), params)


def packed(histories: Histories = HISTORIES) -> Windows:
    """The first two histories in one row."""
    start, stop = histories.offsets[:2], histories.offsets[1:3]
    zero, length = np.zeros(2, np.int64), stop - start
    return Windows(start, length, start, zero, np.array([0, length[0]]), zero)


def packed_inputs(function: TargetFunction) -> Inputs:
    """One row of two histories, asked after the second."""
    windows = packed()
    length = int(windows.length.sum())
    events = read_rows(HISTORIES, NO_FEATURES, windows, 1, length + 2)
    return function.inputs(events, targets_at(np.array([length - 1])))


def run_of(workdir: Path, backbone: str = "gru", histories: Histories = HISTORIES, **explain) -> Run:
    """A run of random parameters as if it had been trained."""
    config = base(backbone)
    config.batch.length = LENGTH
    config.name = "made up"
    config.explain.update(explain)
    model = make_model(backbone, items=histories.num_items, horizon=2)
    _, split = splits.split(histories, ConfigDict({"kind": "leave_one_out"}))
    events = last_rows(histories, NO_FEATURES, histories.offsets[:-1], histories.offsets[1:], LENGTH)
    return Run.from_experiment(
        workdir, Experiment(config, histories, split, NO_FEATURES, model), initialise(model, events), 0
    )
