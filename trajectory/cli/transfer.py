"""Measures which source domain helps which target.

trajectory transfer --domains=amazon_beauty,amazon_health --out=runs/transfer

Trains a model on each domain alone (preset `pretrain`), then asks each in all of them, where it has learned nothing.
Writes transfer.csv, transfer.md with advice, and transfer.png. What is finished is kept.
"""

from pathlib import Path

from absl import flags

DOMAINS = flags.DEFINE_list("domains", None, "names of domains, each as source and as target")
OUT = flags.DEFINE_string("out", None, "folder of the runs and the table")
SEED = flags.DEFINE_integer("seed", 0, "of the models", lower_bound=0)
MODEL = flags.DEFINE_string("model", "gru", "backbone")
SET = flags.DEFINE_multi_string("set", [], "config field of all runs, e.g. --set=train.epochs=2; repeatable")
WORKERS = flags.DEFINE_integer("workers", 1, "runs at a time", lower_bound=1)
flags.mark_flags_as_required(["domains", "out"])


def main() -> None:
    """Trains what is missing, measures, writes and prints."""
    import polars as pl

    from trajectory.evaluation import transfer
    from trajectory.settings.flags import read
    from trajectory.training import parallel
    from trajectory.tuning import sweep
    from trajectory.tuning.members import Member, Sweep
    from trajectory.writing import write_csv, write_text

    out = Path(OUT.value)
    names = [Path(name).name.partition(".")[0] for name in DOMAINS.value]  # of files too
    arguments = [f"sources={name},model={MODEL.value}" for name in DOMAINS.value]
    asked = Sweep(names[0], {name: Member({}, text) for name, text in zip(names, arguments, strict=True)})
    planned = sweep.plan("pretrain", asked, [SEED.value], SET.value, out)
    sweep.make_all(planned, WORKERS.value)
    parallel.start()
    sources, rows = {run.member: run.folder for run in planned}, []
    for target in DOMAINS.value:  # by the rules of a start without learning; which run it names does not matter
        flags = (
            f"--config=finetune:target={target},model={MODEL.value},start=zero_shot,init={planned[0].folder}",
            *(f"--config.{text}" for text in SET.value),
        )
        rows += transfer.measure(read(flags), sources)
    table = pl.DataFrame(rows)
    write_csv(table, out / "transfer.csv")
    transfer.draw(table, out / "transfer.png")
    text = "\n\n".join([transfer.markdown(table), *transfer.advice(table)])
    write_text(f"{text}\n", out / "transfer.md")
    print(f"{text}\n\nwritten to {out}/transfer.md, transfer.csv and transfer.png")
