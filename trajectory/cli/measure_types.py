"""Measures what reading views and carts is worth to predict purchases.

trajectory measure-types --config=own_log:path=LOG,split=temporal --config.data.target_types=purchase, \
    --seeds=0,1,2 --out=runs/types

Trains models that read all types of event, that read purchases alone, and that predict the next event of any type, asks
all of them and the baselines for the same purchases, and writes types.csv and types.md with the lead of the
first and its interval. What is finished is kept.
"""

from pathlib import Path

from absl import flags

from trajectory.cli import command
from trajectory.settings.allowed import at_least
from trajectory.settings.typed_flags import numbers
from trajectory.training import parallel

CONFIG = command.define_config("config", None, "PRESET or FILE.py, with :arguments")
SEEDS = numbers("seeds", [0, 1, 2], "of the models", at_least(0))
OUT = flags.DEFINE_string("out", None, "folder of the runs and the table")
flags.mark_flags_as_required(["config", "out"])


def main() -> None:
    """Compares, prints."""
    parallel.start(CONFIG.value.train.devices)
    from trajectory.tuning.types_read import compare

    text = compare(CONFIG.value, SEEDS.value, Path(OUT.value))
    print(f"{text}\n\nwritten to {OUT.value}/types.md and types.csv")
