"""Which source domain helps which target: a model of each domain, experiment in all of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import polars as pl

from trajectory.evaluation import transfer
from trajectory.settings.flags import read
from trajectory.training import parallel
from trajectory.tuning import sweep
from trajectory.tuning.members import Member, Sweep
from trajectory.writing import write_csv, write_text


class Transfer(NamedTuple):
    """What is compared: domains by name or path, each as source and as target."""

    domains: Sequence[str]
    model: str = "gru"  # backbone
    seed: int = 0
    settings: Sequence[str] = ()  # fields of all runs, "train.epochs=2"


def compare(experiment: Transfer, out: Path, workers: int = 1) -> str:
    """Trains what is missing, measures, and writes transfer.csv, transfer.md (also returned) and transfer.png."""
    names = [Path(domain).name.partition(".")[0] for domain in experiment.domains]  # of files too
    arguments = [f"sources={domain},model={experiment.model}" for domain in experiment.domains]
    members = {name: Member({}, argument) for name, argument in zip(names, arguments, strict=True)}
    runs = sweep.plan("pretrain", Sweep(names[0], members), [experiment.seed], experiment.settings, out)
    sweep.make_all(runs, workers)
    parallel.start()
    sources, rows = {run.member: run.folder for run in runs}, []
    for target in experiment.domains:  # by the rules of a start without learning; which run it names does not matter
        flags = (
            f"--config=finetune:target={target},model={experiment.model},start=zero_shot,init={runs[0].folder}",
            *(f"--config.{setting}" for setting in experiment.settings),
        )
        rows += transfer.measure(read(flags), sources)
    table = pl.DataFrame(rows)
    write_csv(table, out / "transfer.csv")
    transfer.draw(table, out / "transfer.png")
    text = "\n\n".join([transfer.markdown(table), *transfer.advice(table)])
    write_text(f"{text}\n", out / "transfer.md")
    return text
