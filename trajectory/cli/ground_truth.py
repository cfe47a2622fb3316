"""Measures whether attributions find causes that were planted.

trajectory ground-truth --out=runs/ground_truth [--vary]
trajectory ground-truth --shop --out=runs/ground_truth_shop

Writes synthetic logs, trains a model on each, and explains forecasts of another log of the same kind, of users that the
model has never seen. Writes ground_truth.csv, ground_truth.md and ground_truth.png. What is finished is kept.

--shop asks of a made-up shop in which views of an item cause purchases of another: the run reads views, carts and
purchases and predicts purchases, and each caused one is asked for right before the session in which it was made. Writes
ground_truth.csv and ground_truth.md.
"""

from pathlib import Path

from absl import flags

from trajectory.cli.command import define_fields
from trajectory.schema import UserError
from trajectory.settings.allowed import at_least
from trajectory.settings.fields import BACKBONES
from trajectory.settings.typed_flags import number

OUT = flags.DEFINE_string("out", None, "folder of the logs, the runs and the table")
VARY = flags.DEFINE_bool("vary", False, "also weaker causes, longer lags and more distractors")
SHOP = flags.DEFINE_bool("shop", False, "a made-up shop instead of histories of interests")
SEED = number("seed", 0, "of the logs (explained is that of the next seed) and of the runs", at_least(0))
MODEL = flags.DEFINE_enum("model", "gru", [*BACKBONES], "backbone")
METHODS = flags.DEFINE_list(
    "methods", [], "instead of the six that work for every history; `trajectory explain --help` names all"
)
FORECASTS = number("forecasts", 512, "forecasts explained of each log, drawn", at_least(1))
USERS = number("users", 2000, "users of the default log", at_least(1))
FIELDS = define_fields("field of all runs, such as --config.train.epochs=4")
WORKERS = number("workers", 1, "runs at a time", at_least(1))
flags.mark_flags_as_required(["out"])


def main() -> None:
    """Compares, prints."""
    from trajectory.explain.comparison import METHODS as ALL
    from trajectory.tuning import ground_truth, shop_ground_truth

    if SHOP.value and VARY.value:
        raise UserError("--vary: only logs of interests are varied; leave it or --shop out")
    out, methods = Path(OUT.value), METHODS.value or ALL
    experiment = ground_truth.GroundTruth(
        USERS.value, VARY.value, MODEL.value, methods, FORECASTS.value, FIELDS.value, SEED.value
    )
    compare = shop_ground_truth.compare if SHOP.value else ground_truth.compare
    text = compare(experiment, out, WORKERS.value)
    pictures = "" if SHOP.value else f" and {out}/ground_truth.png"
    print(f"{text}\n\nwritten to {out}/ground_truth.md, {out}/ground_truth.csv{pictures}")
