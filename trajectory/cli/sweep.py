"""Trains the members of a sweep with several seeds and compares them.

trajectory sweep --config=amazon_beauty --sweep=backbone --out=runs/sweep

Writes sweep.csv, sweep.md and sweep.png. What is finished is kept and what was cut goes on, so the same command goes on
after an interruption. Exit status 1: a member failed; the others are in the table.
"""

from absl import flags

from trajectory.cli.command import by_name, define_fields
from trajectory.settings.allowed import at_least
from trajectory.settings.typed_flags import number, numbers

CONFIG = flags.DEFINE_string("config", None, "PRESET or FILE.py, with :arguments, e.g. complete_journey:model=gru")
SWEEP = flags.DEFINE_string("sweep", None, "file with get_sweep(), e.g. backbone")
OUT = flags.DEFINE_string("out", None, "folder of the runs and the table")
SEEDS = numbers("seeds", [0, 1, 2], "seeds", at_least(0))
FIELDS = define_fields("field of all runs, such as --config.train.epochs=4")
METRICS = flags.DEFINE_list("metrics", ["recall@10", "hr@10", "ndcg@10", "conversion_auc"], "on test, where measured")
WORKERS = number("workers", 1, "runs at a time", at_least(1))
CORES = number("cores", 0, "cores shared out between the workers (0 = all)", at_least(0))
flags.mark_flags_as_required(["config", "sweep", "out"])


def main() -> None:
    """Makes what is missing, prints."""
    from trajectory.api_tuning import sweep

    made = sweep(
        CONFIG.value,
        SWEEP.value,
        OUT.value,
        seeds=SEEDS.value,
        settings=by_name(FIELDS.value),
        metrics=METRICS.value,
        workers=WORKERS.value,
        cores=CORES.value,
    )
    if made.markdown:
        print(f"\n{made.markdown}\nwritten to {OUT.value}/sweep.md, sweep.csv and sweep.png")
    for name, lines in made.tables["failed"].iter_rows():
        print(f"{name} failed: {lines}")
    if made.tables["failed"].height:
        raise SystemExit(1)
