"""Searches a config's fields with Optuna; test is read once, of the best trial.

trajectory search --config=amazon_beauty --search=search --out=runs/search

Trials are chosen on validation, laggards pruned. Writes search.csv and search.md. The same command goes on after an
interruption. Several machines may share the trials: the same command with a --storage that all reach.
"""

from absl import flags

from trajectory.cli.command import by_name, define_fields, next_command
from trajectory.settings.allowed import at_least
from trajectory.settings.typed_flags import number

CONFIG = flags.DEFINE_string("config", None, "PRESET or FILE.py, with :arguments, e.g. complete_journey:model=gru")
SEARCH = flags.DEFINE_string("search", None, "file with suggest(trial), e.g. search")
OUT = flags.DEFINE_string("out", None, "folder of the trials; its last part names the study")
TRIALS = number("trials", 20, "trials of the study in all, those before included", at_least(1))
STORAGE = flags.DEFINE_string(
    "storage", "", "URL of Optuna's, e.g. sqlite:///runs/optuna.db, or a journal file; '' = trials.journal in --out"
)
STARTUP = number("startup-trials", 5, "complete trials before any is pruned", at_least(0))
WARMUP = number("warmup-epochs", 1, "epochs of a trial before it may be pruned", at_least(0))
FIELDS = define_fields("field of all trials, such as --config.train.epochs=4")
WORKERS = number("workers", 1, "trials at a time", at_least(1))
CORES = number("cores", 0, "cores shared out between the workers (0 = all)", at_least(0))
flags.mark_flags_as_required(["config", "search", "out"])


def main() -> None:
    """Tries, writes, then evaluates the best trial and prints."""
    from trajectory.api_tuning import search
    from trajectory.tuning.study import Study

    found = search(
        CONFIG.value,
        SEARCH.value,
        OUT.value,
        trials=TRIALS.value,
        settings=by_name(FIELDS.value),
        study=Study(STORAGE.value, STARTUP.value, WARMUP.value),
        workers=WORKERS.value,
        cores=CORES.value,
    )
    for text in ("", found.markdown, *found.notes):
        print(text)
    print(f"written to {OUT.value}/search.md and search.csv")
    if found.best:
        print(f"best on validation: {found.best}")
        next_command(f"forecast --workdir={found.best}", "what comes next, as a page")
    if found.notes:
        raise SystemExit(1)
