"""How time and memory grow with the catalogue, the length of histories and the size of the log."""

import subprocess
import sys
import time

import jax
import jax.numpy as jnp
import numpy as np

from trajectory.benchmarks.timing import peak_gib
from trajectory.models.interest_model import InterestModel
from trajectory.schema import Batch, Events, Targets
from trajectory.settings import base
from trajectory.training import optimizer, parallel
from trajectory.training import train_step as train_step_
from trajectory.training.experiment import model_spec
from trajectory.training.losses import Objective

EVENTS = 2000  # of a batch
CATALOGUES = (10_000, 100_000, 1_000_000)
LENGTHS = (50, 200, 1000)
LOGS = (200_000, 2_000_000, 10_000_000)
WIDTH, LAYERS, STEPS = 64, 2, 4

# Each cell in a process of its own: the peak of memory is that of the whole process.
CELL = "from trajectory import memory; memory.keep(); from trajectory.benchmarks import {module}; {module}.{call}"


def scaling() -> None:
    """Microseconds an event of a training step of a transformer, against its work, and peaks of memory."""
    print("scaling: catalogue, length | us an event | MFLOP an event | GFLOP/s | peak GiB")
    cells = [(items, LENGTHS[0]) for items in CATALOGUES] + [(CATALOGUES[0], length) for length in LENGTHS[1:]]
    for items, length in cells:
        seconds, peak = map(float, _run("scaling", f"cell({items}, {length})").split()[-2:])
        # Three products with the catalogue; forward and twice backward through the layers' matrices and the attention.
        work = 6 * WIDTH * items + 3 * LAYERS * (24 * WIDTH**2 + 4 * WIDTH * length)
        each = seconds / EVENTS
        size, rate = f"{items:17,d}, {length:6d}", work / each / 1e9
        print(f"{size} | {1e6 * each:11.0f} | {work / 1e6:14.1f} | {rate:7.1f} | {peak:.2f}")
    for events in LOGS:
        print("scaling: " + _run("data", f"prepare({events})").strip().splitlines()[-1])


def cell(items: int, length: int) -> None:
    """Prints least seconds of a step on a batch of random events, and the peak of memory in GiB."""
    parallel.start()
    c, rows = base(), EVENTS // length
    c.batch.length = length
    c.model.inputs, c.model.width, c.model.layers = ("item",), WIDTH, (WIDTH,) * LAYERS
    model, tx = InterestModel(model_spec(c, items, 0, 1)), optimizer.optimiser(c.optim, 1000)
    train_step = train_step_.TrainStep(model, tx, Objective.of(c, jnp.zeros(items + 1, jnp.int32)))
    over = parallel.Parallel(train_step, "pmap", parallel.devices(0, rows))
    batch = _random_batch(items, rows, length)
    state = over.place(train_step_.initial_state(model, tx, batch, 0))
    seconds = []
    for _ in range(STEPS):
        began = time.perf_counter()
        state, _ = jax.block_until_ready(over.step(state, batch))
        seconds.append(time.perf_counter() - began)
    print(min(seconds[1:]), peak_gib())


def _random_batch(items: int, rows: int, length: int) -> Batch:
    """One history a row, every place a target."""
    rng, zero = np.random.default_rng(0), np.zeros((rows, length), np.int32)
    none, place = zero[..., None].astype(np.float32), zero + np.arange(length, dtype=np.int32)
    item, target = (rng.integers(1, items + 1, zero.shape, np.int32) for _ in range(2))
    events = Events(item, zero, zero, none, none[..., 0], none[..., 0], zero, zero, none[..., :0], zero + 1, place)
    return Batch(
        events, Targets(place, zero + 1, target[..., None], none + 1, none[..., 0] - 1, zero.astype(np.int8) - 1)
    )


def _run(module: str, call: str) -> str:
    code = CELL.format(module=module, call=call)
    return subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.PIPE, text=True).stdout
