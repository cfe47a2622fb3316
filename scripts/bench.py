"""Where the time goes, as ratios taken side by side in one run: python scripts/bench.py [--only=prepare,step,input]

prepare  10 million events of a synthetic log: read, clean, store, flat arrays (goal: 2 minutes, 4 GiB)
step     one training step of each backbone on Complete Journey: pmap over all devices against one device
input    share of a step that waits for batches (goal: under 5 %), and padding
"""

import resource
import tempfile
import time

from trajectory import cli
from trajectory.training import parallel

ONLY = cli.flags.DEFINE_list("only", ["input", "step", "prepare"], "which benchmarks")
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
    for name in ONLY.value:
        if name not in ("prepare", "step", "input"):
            raise cli.UserError(f"--only={name}: expected prepare, step or input")
        {"prepare": prepare, "step": step, "input": pipeline}[name]()


if __name__ == "__main__":
    cli.run(main)
