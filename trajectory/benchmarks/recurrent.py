"""LSTM and GRU without the softmax: against torch on the same padded rows, and packed against padded rows."""

import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import cycle
from pathlib import Path
from statistics import median
from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np
import optax

from trajectory.benchmarks.timing import torch_python
from trajectory.data.pipeline.batches import TrainingData
from trajectory.data.pipeline.featurize import last_rows
from trajectory.models.apply import apply
from trajectory.models.interest_model import InterestModel
from trajectory.models.recurrent import GATES
from trajectory.presets import amazon_beauty
from trajectory.schema import Events
from trajectory.settings import base
from trajectory.training import experiment, optimizer, parallel

ROWS, LENGTH, ITEMS = 256, 50, 12_101
ROUNDS = 20
Seconds = Callable[[], float]  # does one step and returns what it took


def against_torch() -> None:
    """Steps of ours and of torch's, in turn, on rows of one history each, LENGTH events long."""
    python = torch_python()
    zero = np.zeros((ROWS, LENGTH), np.int32)
    item = np.random.default_rng(0).integers(1, ITEMS + 1, zero.shape, np.int32)
    events = Events(item, zero, zero, zero[..., None], zero, zero, zero, zero, zero[..., None], zero + 1, zero)
    for cell in GATES:
        command = [python, str(Path(__file__).with_name("torch_step.py")), cell, *map(str, (ITEMS, ROWS, LENGTH))]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as torch:
            ways = {"ours": _body(cell, [events]), "torch": _answer(torch)}
            _in_turn(f"recurrent: {cell}, {ROWS} rows of {LENGTH}", ways)


def packed_against_padded() -> None:
    """A history of Amazon Beauty in packed rows against one in a row of its own."""
    config = amazon_beauty.get_config()
    config.batch.rows, config.batch.length, config.batch.targets = 32, LENGTH, LENGTH
    beauty = experiment.build(config)
    data = beauty.training_data()
    assert isinstance(data, TrainingData)
    plan, used = data.plan(0), np.flatnonzero(data.length)
    packed = [plan.batch(index).events for index in range(4)]
    alone = [(data.first[u], data.first[u] + data.length[u]) for u in np.split(used[: 4 * ROWS], 4)]
    padded = [last_rows(beauty.histories, beauty.feature_scale, start, stop, LENGTH) for start, stop in alone]
    share = {"packed": plan.num_batches / len(used), "padded": 1 / ROWS}  # of a batch that is one history's
    for cell in GATES:
        what = f"packed: {cell}, a history of Beauty ({plan.padding:.1%} padding if packed)"
        _in_turn(what, {"packed": _body(cell, packed), "padded": _body(cell, padded)}, share)


def _body(cell: str, batches: Sequence[Events]) -> Seconds:
    """A training step over all devices: item vectors of 64, one layer of 128, mean square of 64 outputs."""
    c = base(cell)
    c.batch.length = LENGTH
    c.model.inputs, c.model.layers, c.model.dropout = ("item",), (128,), 0.0
    model = InterestModel(experiment.model_spec(c, ITEMS, 0, 1))
    tx = optimizer.optimiser(c.optim, 1000)
    params = model.init(jax.random.key(0), batches[0], method="encode")

    def loss(params, events):
        return jnp.square(apply(model, params, events, method="encode").vector).mean()

    def descend(state, events, axis=None):
        params, opt_state = state
        value, gradient = jax.value_and_grad(loss)(params, events)
        value, gradient = jax.lax.pmean((value, gradient), axis) if axis else (value, gradient)
        updates, opt_state = tx.update(gradient, opt_state, params)
        return (optax.apply_updates(params, updates), opt_state), value

    over: Any = parallel.Parallel(cast(Any, descend), "pmap", parallel.devices(0, len(batches[0].item)))
    state, feed = over.place((params, tx.init(params))), cycle(batches)

    def seconds() -> float:
        nonlocal state
        began = time.perf_counter()
        state, _ = jax.block_until_ready(over.step(state, next(feed)))
        return time.perf_counter() - began

    return seconds


def _answer(process: Any) -> Seconds:
    def seconds() -> float:
        print(file=process.stdin, flush=True)
        return float(process.stdout.readline())

    return seconds


def _in_turn(what: str, steps: Mapping[str, Seconds], share: Mapping[str, float] | None = None) -> None:
    """Prints milliseconds of the two ways; `share` is the part of a step that counts, all of it by default."""
    taken: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(ROUNDS):
        for name, seconds in steps.items():
            # The first steps after the other's are not counted: its threads still spin, and caches are cold.
            taken[name] += [seconds() for _ in range(5)][2:]
    scaled = {name: [1e3 * (share or {}).get(name, 1.0) * t for t in times] for name, times in taken.items()}
    (one, ours), (other, theirs) = scaled.items()
    print(
        f"{what} | {one} {min(ours):.3g} ms | {other} {min(theirs):.3g} ms | "
        f"ratio {min(theirs) / min(ours):.2f}, of medians {median(theirs) / median(ours):.2f}",
        flush=True,
    )
