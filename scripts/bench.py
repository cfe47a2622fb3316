"""Where the time goes, as ratios taken side by side in one run: python scripts/bench.py [--only=prepare,step,input]

prepare  10 million events of a synthetic log: read, clean, store, flat arrays (goal: 2 minutes, 4 GiB)
step     one training step of each backbone on Complete Journey: pmap over all devices against one device
input    share of a step that waits for batches (goal: under 5 %), and padding
softmax  cross-entropy with its gradient over 12,101 items against its three bare products (goal: 1.2 times)
ranking  users a second in full-catalogue ranking of Amazon Beauty by a transformer of width 64 (goal: 30,000)
million  one step of softmax and Adam at 1,000,000 items, 1,600 targets (goal: 6 s, 2 GiB); alone: --only=million
"""

import resource
import tempfile
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from trajectory import cli
from trajectory.training import parallel

ONLY = cli.flags.DEFINE_list("only", ["softmax", "ranking", "input", "step", "prepare"], "which benchmarks")
EVENTS = cli.flags.DEFINE_integer("events", 10_000_000, "size of the log of `prepare`")
STEPS = 12


def prepare() -> None:
    """Seconds and peak memory of preparing a log of this size."""
    from configs.common import base
    from trajectory.data import builder, synthetic

    with tempfile.TemporaryDirectory() as folder:
        users = round(EVENTS.value / 180)
        synthetic.generate(synthetic.Synthetic(users=users)).events.write_parquet(f"{folder}/interactions.parquet")
        data = base().data
        data.source, data.prepared_dir, data.baskets = f"{folder}/interactions.parquet", f"{folder}/prepared", True
        began = time.perf_counter()
        histories = builder.prepare(data)
        seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"prepare: {histories.num_events:,} events in {seconds:.0f} s; peak {peak:.1f} GiB, generation included")


def step() -> None:
    """Milliseconds of a step by backbone, on all devices and on one."""
    print("step (Complete Journey)  | all devices, pmap | one device | ratio")
    for model in ("lstm", "gru", "transformer"):
        many, one = (_step_seconds(model, devices) for devices in (0, 1))
        print(f"{model:24s} | {1e3 * many:14.0f} ms | {1e3 * one:7.0f} ms | {one / many:.2f}")


def pipeline() -> None:
    """Batches a second against the step they feed, and padding of an epoch."""
    data = _task("gru").training_data()
    plan = data.plan(0)
    began = time.perf_counter()
    for index in range(STEPS):
        plan.batch(index)
    made = (time.perf_counter() - began) / STEPS
    taken = _step_seconds("gru", 0)
    print(f"input: a batch in {1e3 * made:.1f} ms, {made / taken:.1%} of a step; padding {plan.padding:.1%}")


def softmax() -> None:
    """The loss and its gradient against forward product, and products towards states and table, 512 rows at a time."""
    import jax
    import jax.numpy as jnp

    from trajectory.training.item_loss import item_loss

    def bare(states, table):
        def chunk(total, part):
            logits = part @ table.T
            return total + logits.T @ part, logits @ table

        return jax.lax.scan(chunk, jnp.zeros_like(table), states.reshape(-1, 512, states.shape[1]))

    print("softmax (2,048 targets)  | bare products | loss and gradient | ratio  (6 x targets x items x width FLOP)")
    for width in (64, 128):
        asked, table = _asked(2048, 12_102, width)
        ways = (
            jax.jit(lambda a, t: bare(a.vectors, t)),
            jax.jit(lambda a, t: jax.value_and_grad(lambda v, t: item_loss(a._replace(vectors=v), t), (0, 1))(a[0], t)),
        )
        plain, ours = _least([partial(way, asked, table) for way in ways])
        rate = 6 * 2048 * 12_101 * width / plain / 1e9
        print(
            f"width {width:18d} | {1e3 * plain:10.1f} ms | {1e3 * ours:14.1f} ms | {ours / plain:.2f}  ({rate:.0f}e9/s)"
        )


def million() -> None:
    """Seconds and peak memory of a step whose catalogue is gone through in blocks."""
    import jax
    import optax

    from trajectory.training.item_loss import item_loss

    asked, table = _asked(1600, 1_000_001, 64)
    tx = optax.adam(1e-3)

    def step(table, state):
        loss, gradient = jax.value_and_grad(lambda t: item_loss(asked, t))(table)
        updates, state = tx.update(gradient, state)
        return optax.apply_updates(table, updates), state, loss

    train = jax.jit(step, donate_argnums=(0, 1))
    held: list[Any] = [table, jax.jit(tx.init)(table)]
    del table  # the first step takes its memory over

    def once():
        held[0], held[1], loss = train(*held)
        return loss

    (seconds,) = _least([once], rounds=3)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"million: a step in {seconds:.1f} s; peak {peak:.2f} GiB of the whole process")


def ranking() -> None:
    """An untrained model ranks as fast as a trained one."""
    from configs import common
    from trajectory.evaluation.ranking import evaluate_scorer
    from trajectory.evaluation.scorer import ModelScorer
    from trajectory.training import optim, steps, task

    c = common.base("transformer")
    c.name = c.data.source = "amazon_beauty"
    c.batch.length = c.batch.targets = 50
    c.model.inputs = ("item",)
    built = task.build(c)
    first = built.training_data().plan(0).batch(0)
    params = steps.initial_state(built.model, optim.optimiser(c.optim, 1), first, 0).params
    scorer = ModelScorer(built.model, params, built.histories, built.scale, c.batch.length)
    queries = built.split.test
    (seconds,) = _least(
        [lambda: evaluate_scorer(scorer, built.histories, queries, c.evaluation, coverage=False)], rounds=4
    )
    users, candidates = len(queries.user), built.histories.num_items
    print(f"ranking: {users:,} users, {candidates:,} candidates: {users / seconds:,.0f} users/s")


def _asked(rows: int, table_rows: int, width: int):
    import jax.numpy as jnp

    from trajectory.training.item_loss import Asked

    rng = np.random.default_rng(0)
    vectors, table = (jnp.asarray(rng.standard_normal((n, width), np.float32) * 0.1) for n in (rows, table_rows))
    target = jnp.asarray(rng.integers(1, table_rows, (rows, 1), np.int32))
    return Asked(vectors, jnp.zeros(rows), jnp.zeros((rows, 1)), target, jnp.ones((rows, 1))), table


def _least(ways: list[Callable], rounds: int = 12) -> list[float]:
    """Least seconds of each way, in turn; the first round compiles."""
    import jax

    seconds: list[list[float]] = [[] for _ in ways]
    for _ in range(rounds):
        for way, taken in zip(ways, seconds, strict=True):
            began = time.perf_counter()
            jax.block_until_ready(way())
            taken.append(time.perf_counter() - began)
    return [min(taken[1:]) for taken in seconds]


def _task(model: str):
    from configs import complete_journey
    from trajectory.training import task

    return task.build(complete_journey.get_config(f"model={model}"))


def _step_seconds(model: str, devices: int) -> float:
    import jax

    from trajectory.training import optim, steps

    task = _task(model)
    c, plan = task.config, task.training_data().plan(0)
    tx = optim.optimiser(c.optim, 1000)
    train_step = steps.TrainStep(task.model, tx, c.heads, task.item_interest, dropout=True)
    over = parallel.Parallel(train_step, c.train.strategy, parallel.local_devices(devices, c.batch.rows))
    state = over.place(steps.initial_state(task.model, tx, plan.batch(0), 0))
    seconds = []
    for index in range(STEPS):
        batch = plan.batch(index)
        began = time.perf_counter()
        state, _ = jax.block_until_ready(over.step(state, batch))
        seconds.append(time.perf_counter() - began)
    return min(seconds[2:])


def main() -> None:
    """Runs the chosen benchmarks."""
    parallel.start()
    known = {
        "prepare": prepare,
        "step": step,
        "input": pipeline,
        "softmax": softmax,
        "ranking": ranking,
        "million": million,
    }
    for name in ONLY.value:
        if name not in known:
            raise cli.UserError(f"--only={name}: expected one of {', '.join(known)}")
        known[name]()


if __name__ == "__main__":
    cli.run(main)
