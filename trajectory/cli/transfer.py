"""Measures which source domain helps which target.

trajectory transfer --domains=amazon_beauty,amazon_health --out=runs/transfer

Trains a model on each domain alone (preset `pretrain`), then asks each in all of them, where it has learned nothing.
Writes transfer.csv, transfer.md with advice, and transfer.png. What is finished is kept.
"""

from pathlib import Path

from absl import flags

from trajectory.cli.command import define_fields
from trajectory.settings.allowed import at_least
from trajectory.settings.fields import BACKBONES
from trajectory.settings.typed_flags import number

DOMAINS = flags.DEFINE_list("domains", None, "names of domains, each as source and as target")
OUT = flags.DEFINE_string("out", None, "folder of the runs and the table")
SEED = number("seed", 0, "of the models", at_least(0))
MODEL = flags.DEFINE_enum("model", "gru", [*BACKBONES], "backbone")
FIELDS = define_fields("field of all runs, such as --config.train.epochs=4")
WORKERS = number("workers", 1, "runs at a time", at_least(1))
flags.mark_flags_as_required(["domains", "out"])


def main() -> None:
    """Compares, prints."""
    from trajectory.tuning.transfer import Transfer, compare

    out = Path(OUT.value)
    text = compare(Transfer(DOMAINS.value, MODEL.value, SEED.value, FIELDS.value), out, WORKERS.value)
    print(f"{text}\n\nwritten to {out}/transfer.md, transfer.csv and transfer.png")
