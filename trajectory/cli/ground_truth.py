"""Measures whether attributions find causes that were planted.

trajectory ground-truth --out=runs/ground_truth [--vary]

Writes synthetic logs, trains a model on each, and explains forecasts of another log of the same kind, of users that the
model has never seen. Writes ground_truth.csv, ground_truth.md and ground_truth.png. What is finished is kept.
"""

from pathlib import Path

from absl import flags

from trajectory.cli.command import define_fields

OUT = flags.DEFINE_string("out", None, "folder of the logs, the runs and the table")
VARY = flags.DEFINE_bool("vary", False, "also weaker causes, longer lags and more distractors")
MODEL = flags.DEFINE_string("model", "gru", "backbone")
METHODS = flags.DEFINE_list(
    "methods", [], "instead of the six that work for every history; `trajectory explain --help` names all"
)
FORECASTS = flags.DEFINE_integer("forecasts", 512, "forecasts explained of each log, drawn", lower_bound=1)
USERS = flags.DEFINE_integer("users", 2000, "users of the default log", lower_bound=1)
FIELDS = define_fields("field of all runs, such as --config.train.epochs=4")
WORKERS = flags.DEFINE_integer("workers", 1, "runs at a time", lower_bound=1)
flags.mark_flags_as_required(["out"])


def main() -> None:
    """Compares, prints."""
    from trajectory.explain.comparison import METHODS as ALL
    from trajectory.tuning.ground_truth import GroundTruth, compare

    out = Path(OUT.value)
    experiment = GroundTruth(USERS.value, VARY.value, MODEL.value, METHODS.value or ALL, FORECASTS.value, FIELDS.value)
    text = compare(experiment, out, WORKERS.value)
    print(f"{text}\n\nwritten to {out}/ground_truth.md, ground_truth.csv and ground_truth.png")
