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
from typing import get_args

from absl import flags

from trajectory.cli.command import next_command, several
from trajectory.expected import MultiStep
from trajectory.schema import UserError
from trajectory.settings.allowed import one_of
from trajectory.settings.typed_flags import words
from trajectory.training import parallel

WORKDIR = flags.DEFINE_multi_string(
    "workdir", None, "folder of the run; several are an ensemble, or seeds with --multi-step"
)
OUT = flags.DEFINE_string("out", None, "folder of an ensemble's evaluation")
COMBINE = flags.DEFINE_enum("combine", "probabilities", ["probabilities", "ranks"], "what an ensemble averages")
BASELINE = flags.DEFINE_string("baseline", "", "a baseline that is a member too, e.g. co_occurrence")
FIT = flags.DEFINE_boolean("fit", False, "weigh the members of an ensemble by likelihood on validation")
MULTI_STEP = words(
    "multi-step",
    [],
    "measure each of several steps: direct (heads.horizon > 1), sampled or both",
    one_of(*get_args(MultiStep)),
)
flags.mark_flags_as_required(["workdir"])


def main() -> None:
    """Evaluates as the flags say, prints."""
    parallel.start()
    from trajectory.api_evaluation import ensemble, evaluate

    runs, out = several(WORKDIR.value), OUT.value
    as_one = len(runs) > 1 or bool(BASELINE.value)
    if MULTI_STEP.value:
        if BASELINE.value or out:
            raise UserError(
                "--multi-step measures runs one by one, each into its folder; leave out --baseline and --out"
            )
        print(evaluate(runs, multi_step=MULTI_STEP.value).markdown)
    elif as_one and out:
        options = {"combine": COMBINE.value, "baseline": BASELINE.value, "fit": FIT.value}
        print(ensemble(runs, out, **options).markdown)
    elif as_one:
        raise UserError(
            "--workdir with several runs, or with --baseline, is an ensemble and needs --out, a folder for it"
        )
    elif out:
        raise UserError(f"--out={out} is for an ensemble; the evaluation of one run is written into its own folder")
    else:
        print(evaluate(runs[0]).markdown)
    for folder in [out] if out else runs:
        print(f"written to {Path(folder) / ('trajectories.json' if MULTI_STEP.value else 'evaluation.json')}")
    next_command(f"forecast --workdir={runs[0]}", "what comes next, as a page")
