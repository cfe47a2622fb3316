"""Searches a config's fields with Optuna: chosen on validation, laggards pruned, test read once, of the best trial.

python scripts/search.py --config=configs/amazon_beauty.py --search=configs/sweeps/search.py --out=runs/search

Writes search.csv and search.md. The same command goes on after an interruption. Several machines may share the trials:
the same command with a --storage that all reach.
"""

import sys
from pathlib import Path

from trajectory import cli

CONFIG = cli.flags.DEFINE_string("config", None, "configs/<name>.py or configs/<name>.py:<arguments>")
SEARCH = cli.flags.DEFINE_string("search", None, "file with suggest(trial), e.g. configs/sweeps/search.py")
OUT = cli.flags.DEFINE_string("out", None, "folder of the trials; its last part names the study")
TRIALS = cli.flags.DEFINE_integer("trials", 20, "trials of the study in all, those before included", lower_bound=1)
STORAGE = cli.flags.DEFINE_string(
    "storage", "", "URL of Optuna's, e.g. sqlite:///runs/optuna.db, or a journal file; '' = trials.journal in --out"
)
STARTUP = cli.flags.DEFINE_integer("startup_trials", 5, "complete trials before any is pruned", lower_bound=0)
WARMUP = cli.flags.DEFINE_integer("warmup_epochs", 1, "epochs of a trial before it may be pruned", lower_bound=0)
SET = cli.flags.DEFINE_multi_string("set", [], "config field of all trials, e.g. --set=train.epochs=4; repeatable")
WORKERS = cli.flags.DEFINE_integer("workers", 1, "trials at a time", lower_bound=1)
CORES = cli.flags.DEFINE_integer("cores", 0, "cores shared out between the workers (0 = all)", lower_bound=0)
cli.flags.mark_flags_as_required(["config", "search", "out"])


def main() -> None:
    """Tries, writes, then evaluates the best trial and prints."""
    try:
        from trajectory.tuning.search import Search, write_results
    except ModuleNotFoundError as error:
        raise cli.UserError(f"{error.name} is missing; pip install -e '.[search]'") from None
    from trajectory.evaluation.protocol import table
    from trajectory.evaluation.report import TABLED, read_evaluation
    from trajectory.tuning.sweep import load
    from trajectory.tuning.workers import Workers, claim, last_lines

    out, scripts = Path(OUT.value), Path(__file__).parent
    search = Search(
        CONFIG.value,
        load(str(SEARCH.value), "suggest"),
        SET.value,
        out,
        STORAGE.value or str(out / "trials.journal"),
        STARTUP.value,
        WARMUP.value,
    )

    def evaluate(folder: Path) -> None:
        with claim(folder) as log:
            begin = log.seek(0, 2)
            if workers.call([sys.executable, str(scripts / "evaluate.py"), f"--workdir={folder}"], log):
                print(f"the best trial could not be evaluated: {last_lines(log, begin)}")

    with Workers(WORKERS.value, CORES.value) as workers:
        search.work(TRIALS.value, workers, scripts)
        best = search.best()
        if best and best.folder.is_dir() and not (best.folder / "evaluation.json").exists():
            workers.for_each(evaluate, [best.folder])
    print("\n" + write_results(search))
    if workers.stopped:
        print("stopped; the same command goes on from here")
        raise SystemExit(128 + workers.stopped)
    if best and (best.folder / "evaluation.json").exists():
        print(table(read_evaluation(best.folder, *TABLED)))
    elif best:
        print(f"{best.folder} is not evaluated here: scripts/evaluate.py --workdir={best.folder} where it was trained")
        raise SystemExit(1)


if __name__ == "__main__":
    cli.run(main)
