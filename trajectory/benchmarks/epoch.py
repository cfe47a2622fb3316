"""Whole epochs of a transformer as the published ones are set up: width 64, 2 layers, 2 heads, length 50."""

import subprocess
import time
from functools import partial
from pathlib import Path
from statistics import median

import jax

from trajectory.benchmarks.softmax import FLOP, asked, bare
from trajectory.benchmarks.timing import least, torch_python
from trajectory.data.ingest.source.domains import locate
from trajectory.settings import base
from trajectory.training import experiment, optimizer, parallel
from trajectory.training import train_step as train_step_
from trajectory.training.losses import Objective

EPOCHS = 3
RECTOOLS_STEPS = 10
# Of 50 events, so that a batch holds 256 histories: packed ones of Beauty, windows that fill a row of MovieLens.
ROWS = {"amazon_beauty": 36, "movielens_100k": 256}


def epoch() -> None:
    """Seconds of the fastest of some epochs, and of the bare products of as many targets, taken in turn."""
    print(f"epoch                    | bare products | epoch  | ratio  ({FLOP}; targets with padding)")
    for name, rows in ROWS.items():
        built = _experiment(name, rows)
        run = _Epochs(built)
        part, table = asked(rows * 50, built.histories.num_items, built.config.model.width)
        sizes = [rows * 50 // parts for parts in (1, 2, 4, 8, 16, 32) if rows * 50 % parts == 0]
        ways = [partial(jax.jit(partial(bare, rows=size)), part.vectors, table) for size in sizes]
        plain, ours = float("inf"), float("inf")
        for _ in range(EPOCHS):
            plain = min(plain, *(run.batches * seconds for seconds in least(ways, rounds=6)))
            ours = min(ours, run.seconds())
        print(f"{name:24s} | {plain:11.2f} s | {ours:4.2f} s | {ours / plain:.2f}")


def against_rectools() -> None:
    """Seconds of an epoch of Amazon Beauty here, before and after some steps of RecTools' SASRec, and by those."""
    python = torch_python()
    run = _Epochs(_experiment("amazon_beauty", ROWS["amazon_beauty"]))
    ours = [run.seconds() for _ in range(2)]
    program, log = Path(__file__).with_name("rectools_epoch.py"), locate("amazon_beauty") / "interactions.parquet"
    command = [python, str(program), str(log), str(RECTOOLS_STEPS)]
    printed = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.split()
    batches, *seconds = map(float, printed[-RECTOOLS_STEPS - 1 :])
    ours += [run.seconds() for _ in range(2)]
    theirs = batches * median(seconds)
    print(
        f"rectools: {batches:.0f} steps of {median(seconds):.2f} s = {theirs:.0f} s, "
        f"ours {min(ours):.1f} to {max(ours):.1f} s an epoch: {theirs / max(ours):.0f} times"
    )


def _experiment(name: str, rows: int) -> experiment.Experiment:
    c = base("transformer")
    c.name = c.data.source = name
    c.batch.rows, c.batch.length, c.batch.targets = rows, 50, 50
    c.model.inputs = ("item",)
    return experiment.build(c)


class _Epochs:
    """Training without validation and checkpoints, batches prepared in a thread as always."""

    def __init__(self, built: experiment.Experiment) -> None:
        c, data = built.config, built.training_data()
        plan, tx = data.plan(0), optimizer.optimiser(c.optim, 1000)
        train_step = train_step_.TrainStep(built.model, tx, Objective.of(c, built.item_interest))
        self.parallel = parallel.Parallel(train_step, c.train.strategy, parallel.devices(0, c.batch.rows))
        self.state = self.parallel.place(train_step_.initial_state(built.model, tx, plan.batch(0), 0))
        self.batches, self.data = plan.num_batches, iter(data.dataset())
        self.state, _ = self.parallel.step(self.state, next(self.data))  # compiles

    def seconds(self) -> float:
        """Of as many steps as an epoch has."""
        began = time.perf_counter()
        for _ in range(self.batches):
            self.state, metrics = self.parallel.step(self.state, next(self.data))
        jax.block_until_ready(metrics)
        return time.perf_counter() - began
