"""A whole sweep in one call: plan, make what is missing, read all, compare and write."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from trajectory import hints
from trajectory.results import measured
from trajectory.tuning.members import Sweep
from trajectory.tuning.sweep import make, plan, read_sweep, versions
from trajectory.tuning.sweep_results import Outcome, read
from trajectory.tuning.sweep_table import write
from trajectory.tuning.workers import Workers


def run_sweep(
    config: str,
    sweep: Sweep | str,
    out: Path,
    seeds: Sequence[int],
    settings: Sequence[str],
    metrics: Sequence[str],
    workers: Workers,
) -> measured.Sweep:
    """Makes each member of a sweep (or one by its name) with each seed; writes sweep.csv, sweep.md and sweep.png.

    `settings` ("field=value") are those of all runs. What is finished is kept and what was cut goes on. Raises
    KeyboardInterrupt or SystemExit where a signal stopped the workers.
    """
    sweep = read_sweep(sweep) if isinstance(sweep, str) else sweep
    planned = plan(config, sweep, seeds, settings, out)
    with workers:
        failed = make(planned, workers)
    workers.leave_if_stopped()
    failures = pl.DataFrame([*failed.items()], schema={"run": pl.String, "lines": pl.String}, orient="row")
    outcomes: dict[str, list[Outcome]] = {name: [] for name in sweep.members}
    for run in planned:
        if run.folder.name not in failed:
            outcomes[run.member].append(read(run.folder))
    if not any(outcomes.values()):
        return measured.Sweep(pl.DataFrame(), {"failed": failures})
    notes = [f"{name} failed: {lines.splitlines()[-1]}" for name, lines in failed.items()]
    anew = f"a new {hints.argument('out')} makes it anew"
    notes += [
        f"{name} was made by several versions of the code ({', '.join(digests)}); {anew}"
        for name, digests in versions(planned).items()
    ]
    frame, markdown = write(outcomes, sweep.base, metrics, notes, out)
    return measured.Sweep(frame, {"failed": failures}, tuple(notes), markdown)
