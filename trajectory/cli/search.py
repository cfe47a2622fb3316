"""Searches a config's fields with Optuna; test is read once, of the best trial.

trajectory search --config=amazon_beauty --search=search --out=runs/search

Trials are chosen on validation, laggards pruned. Writes search.csv and search.md. The same command goes on after an
interruption. Several machines may share the trials: the same command with a --storage that all reach.
"""

from pathlib import Path

from absl import flags

from trajectory.extras import require

CONFIG = flags.DEFINE_string("config", None, "PRESET or FILE.py, with :arguments, e.g. complete_journey:model=gru")
SEARCH = flags.DEFINE_string("search", None, "file with suggest(trial), e.g. search")
OUT = flags.DEFINE_string("out", None, "folder of the trials; its last part names the study")
TRIALS = flags.DEFINE_integer("trials", 20, "trials of the study in all, those before included", lower_bound=1)
STORAGE = flags.DEFINE_string(
    "storage", "", "URL of Optuna's, e.g. sqlite:///runs/optuna.db, or a journal file; '' = trials.journal in --out"
)
STARTUP = flags.DEFINE_integer("startup-trials", 5, "complete trials before any is pruned", lower_bound=0)
WARMUP = flags.DEFINE_integer("warmup-epochs", 1, "epochs of a trial before it may be pruned", lower_bound=0)
SET = flags.DEFINE_multi_string("set", [], "config field of all trials, e.g. --set=train.epochs=4; repeatable")
WORKERS = flags.DEFINE_integer("workers", 1, "trials at a time", lower_bound=1)
CORES = flags.DEFINE_integer("cores", 0, "cores shared out between the workers (0 = all)", lower_bound=0)
flags.mark_flags_as_required(["config", "search", "out"])


def main() -> None:
    """Tries, writes, then evaluates the best trial and prints."""
    require("optuna", "a search")
    from trajectory.evaluation.protocol import table
    from trajectory.evaluation.report import TABLED, read_evaluation
    from trajectory.tuning.search import Search, write_results
    from trajectory.tuning.sweep import load
    from trajectory.tuning.workers import Workers, claim, last_lines

    out = Path(OUT.value)
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
            if workers.run(["evaluate", f"--workdir={folder}"], log):
                print(f"the best trial could not be evaluated: {last_lines(log, begin)}")

    with Workers(WORKERS.value, CORES.value) as workers:
        search.work(TRIALS.value, workers)
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
        print(f"{best.folder} is not evaluated here: trajectory evaluate --workdir={best.folder} where it was trained")
        raise SystemExit(1)
