"""Whole epochs of a transformer as the published ones are set up: width 64, 2 layers, 2 heads, length 50."""

import time
from functools import partial

import jax

from benchmarks.softmax import FLOP, asked, bare
from benchmarks.timing import least
from configs import common
from trajectory.training import optim, parallel, steps, task

EPOCHS = 3
# Of 50 events, so that a batch holds 256 histories: packed ones of Beauty, windows that fill a row of MovieLens.
ROWS = {"amazon_beauty": 36, "movielens_100k": 256}


def epoch() -> None:
    """Seconds of the fastest of some epochs, and of the bare products of as many targets, taken in turn."""
    print(f"epoch                    | bare products | epoch  | ratio  ({FLOP}; targets with padding)")
    for name, rows in ROWS.items():
        c = common.base("transformer")
        c.name = c.data.source = name
        c.batch.rows, c.batch.length, c.batch.targets = rows, 50, 50
        c.model.inputs = ("item",)
        built = task.build(c)
        run = _Epochs(built)
        part, table = asked(rows * 50, built.histories.num_items, c.model.width)
        sizes = [rows * 50 // parts for parts in (1, 2, 4, 8, 16, 32) if rows * 50 % parts == 0]
        ways = [partial(jax.jit(partial(bare, rows=size)), part.vectors, table) for size in sizes]
        plain, ours = float("inf"), float("inf")
        for _ in range(EPOCHS):
            plain = min(plain, *(run.batches * seconds for seconds in least(ways, rounds=6)))
            ours = min(ours, run.seconds())
        print(f"{name:24s} | {plain:11.2f} s | {ours:4.2f} s | {ours / plain:.2f}")


class _Epochs:
    """Training without validation and checkpoints, batches prepared in a thread as always."""

    def __init__(self, built: task.Task) -> None:
        c, data = built.config, built.training_data()
        plan, tx = data.plan(0), optim.optimiser(c.optim, 1000)
        train_step = steps.TrainStep(built.model, tx, c.heads, built.item_interest, dropout=True)
        self.parallel = parallel.Parallel(train_step, c.train.strategy, parallel.devices(0, c.batch.rows))
        self.state = self.parallel.place(steps.initial_state(built.model, tx, plan.batch(0), 0))
        self.batches, self.data = plan.num_batches, iter(data.dataset())
        self.state, _ = self.parallel.step(self.state, next(self.data))  # compiles

    def seconds(self) -> float:
        """Of as many steps as an epoch has."""
        began = time.perf_counter()
        for _ in range(self.batches):
            self.state, metrics = self.parallel.step(self.state, next(self.data))
        jax.block_until_ready(metrics)
        return time.perf_counter() - began
