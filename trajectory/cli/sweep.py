"""Trains the members of a sweep with several seeds and compares them.

trajectory sweep --config=amazon_beauty --sweep=backbone --out=runs/sweep

Writes sweep.csv, sweep.md and sweep.png. What is finished is kept and what was cut goes on, so the same command goes on
after an interruption. Exit status 1: a member failed; the others are in the table.
"""

from pathlib import Path

from absl import flags

from trajectory.schema import UserError

CONFIG = flags.DEFINE_string("config", None, "PRESET or FILE.py, with :arguments, e.g. complete_journey:model=gru")
SWEEP = flags.DEFINE_string("sweep", None, "file with get_sweep(), e.g. backbone")
OUT = flags.DEFINE_string("out", None, "folder of the runs and the table")
SEEDS = flags.DEFINE_list("seeds", ["0", "1", "2"], "seeds")
SET = flags.DEFINE_multi_string("set", [], "config field of all runs, e.g. --set=train.epochs=4; repeatable")
METRICS = flags.DEFINE_list("metrics", ["recall@10", "hr@10", "ndcg@10", "conversion_auc"], "on test, where measured")
WORKERS = flags.DEFINE_integer("workers", 1, "runs at a time", lower_bound=1)
CORES = flags.DEFINE_integer("cores", 0, "cores shared out between the workers (0 = all)", lower_bound=0)
flags.mark_flags_as_required(["config", "sweep", "out"])


def main() -> None:
    """Plans, makes what is missing, reads all, writes and prints."""
    from trajectory.tuning import sweep as runs
    from trajectory.tuning.sweep_results import Outcome, read
    from trajectory.tuning.sweep_table import write
    from trajectory.tuning.workers import Workers

    out, sweep = Path(OUT.value), runs.read_sweep(str(SWEEP.value))
    if not all(seed.isdecimal() for seed in SEEDS.value):
        raise UserError(f"--seeds: expected whole numbers like 0,1,2, got {','.join(SEEDS.value)}")
    planned = runs.plan(CONFIG.value, sweep, [int(seed) for seed in SEEDS.value], SET.value, out)
    with Workers(WORKERS.value, CORES.value) as workers:
        failed = runs.make(planned, workers)
    if workers.stopped:
        print("stopped; the same command goes on from here")
        raise SystemExit(128 + workers.stopped)
    outcomes: dict[str, list[Outcome]] = {name: [] for name in sweep.members}
    for run in planned:
        if run.folder.name not in failed:
            outcomes[run.member].append(read(run.folder))
    if any(outcomes.values()):
        notes = [f"{name} failed: {lines.splitlines()[-1]}" for name, lines in failed.items()]
        notes += [
            f"{name} was made by several versions of the code ({', '.join(digests)}); a new --out makes it anew"
            for name, digests in runs.versions(planned).items()
        ]
        text = write(outcomes, sweep.base, METRICS.value, notes, out)
        print(f"\n{text}\nwritten to {out}/sweep.md, sweep.csv and sweep.png")
    for name, lines in failed.items():
        print(f"{name} failed: {lines}")
    if failed:
        raise SystemExit(1)
