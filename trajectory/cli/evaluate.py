"""Evaluates a run on validation and test, compared with baselines; or several runs as one.

trajectory evaluate --workdir=runs/first
trajectory evaluate --workdir=runs/a,runs/b --baseline=co_occurrence --out=runs/ensemble
trajectory evaluate --workdir=runs/ahead --multi-step=direct,sampled
trajectory evaluate --workdir=runs/seed0,runs/seed1,runs/seed2 --multi-step=direct

Test is read once. Writes evaluation.json and per_user.parquet, each user's metrics (of one run into its folder, of
several into --out), and prints the table with its protocol. Where several steps of a user are held out, all of them are
one set of targets there. With --multi-step it measures each of the steps that split.kind=leave_last held out by itself:
trajectories.json; of several runs each, and then their means and standard deviations.
"""

from pathlib import Path

from absl import flags

from trajectory.schema import UserError
from trajectory.training import parallel

WORKDIR = flags.DEFINE_list("workdir", None, "folder of the run; several are an ensemble, or seeds with --multi-step")
OUT = flags.DEFINE_string("out", None, "folder of an ensemble's evaluation")
COMBINE = flags.DEFINE_enum("combine", "probabilities", ["probabilities", "ranks"], "what an ensemble averages")
BASELINE = flags.DEFINE_string("baseline", "", "a baseline that is a member too, e.g. co_occurrence")
FIT = flags.DEFINE_boolean("fit", False, "weigh the members of an ensemble by likelihood on validation")
MULTI_STEP = flags.DEFINE_list(
    "multi-step", [], "measure each of several steps: direct (heads.horizon > 1), sampled or both"
)
flags.mark_flags_as_required(["workdir"])


def main() -> None:
    """Opens the runs, evaluates, writes and prints."""
    parallel.start()
    from trajectory.evaluation.ensemble import write_ensemble
    from trajectory.evaluation.protocol import table
    from trajectory.evaluation.report import write_evaluation
    from trajectory.run import load_run

    workdirs = [Path(folder) for folder in WORKDIR.value or ()]
    if MULTI_STEP.value:
        multi_step(workdirs)
        return
    several = len(workdirs) > 1 or bool(BASELINE.value)
    if several != bool(OUT.value):
        raise UserError(
            "--workdir with several runs, or with --baseline, is an ensemble and needs --out, a folder for it"
            if several
            else f"--out={OUT.value} is for an ensemble; the evaluation of one run is written into its own folder"
        )
    folder = Path(OUT.value) if several else workdirs[0]
    if several:
        evaluation = write_ensemble(workdirs, folder, COMBINE.value, BASELINE.value, FIT.value)
    else:
        evaluation = write_evaluation(load_run(folder))
    print(table(evaluation))
    print(f"written to {folder / 'evaluation.json'}")


def multi_step(workdirs: list[Path]) -> None:
    """Measures each run's multi-step forecasts, then puts several runs together."""
    from trajectory.evaluation.multi_step import report, seeds
    from trajectory.inference.multi_step import forecasters
    from trajectory.run import load_run

    if BASELINE.value or OUT.value:
        raise UserError("--multi-step measures runs one by one, each into its folder; leave out --baseline and --out")
    reports = {}
    for run in map(load_run, workdirs):
        steps = reports[str(run.workdir)] = report.write_steps(run, forecasters(run, MULTI_STEP.value))
        print(report.table(steps))
        print(f"written to {run.workdir / 'trajectories.json'}")
    if len(reports) > 1:
        print(seeds.over_seeds(reports))
