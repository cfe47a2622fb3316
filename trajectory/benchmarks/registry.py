"""The benchmarks by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from trajectory.benchmarks import (
    data,
    epoch,
    explain,
    forecast,
    layers,
    memory,
    migration,
    preparation,
    ranking,
    recurrent,
    scaling,
    softmax,
    step,
    text,
    threads,
)
from trajectory.schema import UserError


def run(names: Sequence[str], events: int) -> None:
    """Runs the named ones in order, `prepare` on so many events; what cannot be measured here says so and is left out.

    Raises UserError for a name that is unknown.
    """
    known: dict[str, Callable[[], None]] = {
        "prepare": partial(data.prepare, events),
        "preparation": preparation.preparation,
        "input": data.batches,
        "step": step.step,
        "memory": memory.memory,
        "epoch": epoch.epoch,
        "rectools": epoch.against_rectools,
        "dense": layers.dense,
        "dropout": layers.dropout,
        "scaling": scaling.scaling,
        "softmax": softmax.softmax,
        "million": softmax.million,
        "ranking": ranking.ranking,
        "forecast": forecast.forecast,
        "many": forecast.many,
        "recurrent": recurrent.against_torch,
        "packed": recurrent.packed_against_padded,
        "text": text.text,
        "threads": threads.threads,
        "explain": explain.explain,
        "explain_long": explain.explain_long,
        "migration": migration.migration,
    }
    for name in names:
        if name not in known:
            raise UserError(f"--only={name} is unknown; expected one of {', '.join(known)}")
    for name in names:
        try:
            known[name]()
        except UserError as error:
            print(f"{name}: skipped; {error}")
