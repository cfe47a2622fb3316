"""Preparation of a large log, and batches beside the step they feed."""

import tempfile
import time

from trajectory.benchmarks.step import journey, step_seconds
from trajectory.benchmarks.timing import peak_gib
from trajectory.data.simulate import synthetic
from trajectory.data.store import builder
from trajectory.settings import base

EVENTS_OF_A_USER = 180  # on average, in the synthetic log
BATCHES = 12


def prepare(events: int) -> None:
    """Seconds and peak memory of preparing a log of this size."""
    with tempfile.TemporaryDirectory() as folder:
        users = round(events / EVENTS_OF_A_USER)
        synthetic.generate(synthetic.Synthetic(users=users)).events.write_parquet(f"{folder}/interactions.parquet")
        data = base().data
        data.source, data.prepared_dir, data.baskets = f"{folder}/interactions.parquet", f"{folder}/prepared", True
        began = time.perf_counter()
        histories = builder.prepare(data)
        seconds = time.perf_counter() - began
    peak = peak_gib()
    print(f"prepare: {histories.num_events:,} events in {seconds:.0f} s; peak {peak:.1f} GiB, generation included")


def batches() -> None:
    """Milliseconds of a batch, its share of the step that it feeds, and the padding of an epoch."""
    plan = journey("gru").training_data().plan(0)
    began = time.perf_counter()
    for index in range(BATCHES):
        plan.batch(index)
    made = (time.perf_counter() - began) / BATCHES
    taken = step_seconds("gru")
    print(f"input: a batch in {1e3 * made:.1f} ms, {made / taken:.1%} of a step; padding {plan.padding:.1%}")
