"""Hyper-parameter search with Optuna (the only importer): trials are trained runs, stopped where they lag behind.

A trial's validation metric is read after each epoch from its metrics.jsonl; the pruner's word is a SIGTERM, at which a
run saves and leaves. Test is never read here.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import optuna
import polars as pl
from optuna.storages.journal import JournalFileBackend, JournalStorage
from optuna.trial import Trial, TrialState

from trajectory import hints
from trajectory.direction import less_is_better
from trajectory.renamed import with_fields
from trajectory.schema import UserError
from trajectory.training.folder import read_summary
from trajectory.training.logging import read as read_metrics
from trajectory.tuning.study import Study
from trajectory.tuning.sweep import SweepRun, field_texts, run
from trajectory.tuning.workers import Workers, claim, last_lines
from trajectory.writing import write_csv, write_text

_LOGGER = logging.getLogger(__name__)

GIVE_UP = 3  # trials that fail before the first that does not: the mistake is not in what was suggested
DONE = (TrialState.COMPLETE, TrialState.PRUNED)
Suggest = Callable[[Trial], Mapping[str, Any]]


class Search:
    """One study and the runs of its trials, in `out`; other processes and machines may work on the study as well."""

    def __init__(
        self,
        config: str,
        suggest: Suggest,
        settings: Sequence[str],
        out: Path,
        study: Study,
    ) -> None:
        """Raises UserError if the study there is of another config."""
        storage = study.storage or str(out / "trials.journal")
        self.config, self.suggest, self.settings, self.out = config, suggest, list(settings), out
        base = run("", config, settings, out)
        self.monitor = base.config["train"]["monitor"]
        out.mkdir(parents=True, exist_ok=True)
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.study = optuna.create_study(
            study_name=out.name,
            storage=_storage(storage),
            direction="minimize" if less_is_better(self.monitor) else "maximize",
            sampler=optuna.samplers.TPESampler(constant_liar=True),  # apart from those that others are trying
            pruner=optuna.pruners.MedianPruner(study.startup_trials, study.warmup_epochs + 1),
            load_if_exists=True,
        )
        before = with_fields(self.study.user_attrs.get("config", base.config))
        if before != base.config:
            raise UserError(
                f"the study {out.name!r} in {storage} searches around another config; choose a new "
                f"{hints.argument('out')}, whose last part names the study, or the same config and settings"
            )
        self.study.set_user_attr("config", base.config)
        self._mine: set[int] = set()  # numbers of the trials at work here
        self._lock = threading.Lock()

    def work(self, trials: int, workers: Workers) -> None:
        """Makes trials until the study has `trials` that ended, of whatever machine.

        A trial that was cut is tried again with the same values and goes on where it was. Raises UserError if all
        trials fail.
        """
        self._take_up()
        workers.for_each(lambda trial: self._try(trial, workers), self._asked(trials))
        failed = self._failed()
        if failed and not self.study.get_trials(deepcopy=False, states=DONE):
            raise UserError(f"all trials so far failed, the last one:\n{failed[-1].user_attrs['failed']}")

    def best(self) -> SweepRun | None:
        """The run of the trial with the best validation metric, None if no trial is complete."""
        if not self.study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)):
            return None
        trial = self.study.best_trial
        return self._run(trial.user_attrs["fields"], Path(trial.user_attrs["folder"]))

    def table(self) -> pl.DataFrame:
        """Trials, best first, those that failed last.

        Columns: trial, state (complete, pruned, failed), validation metric (of a pruned one the best it had), epochs,
        a column for each name that was suggested, folder.
        """
        best = min if self.study.direction == optuna.study.StudyDirection.MINIMIZE else max
        rows = []
        for trial in [*self.study.get_trials(deepcopy=False, states=DONE), *self._failed()]:
            values = trial.intermediate_values.values()
            rows.append(
                {
                    "trial": trial.number,
                    "state": "failed" if trial.state == TrialState.FAIL else trial.state.name.lower(),
                    self.monitor: None if trial.state == TrialState.FAIL or not values else best(values),
                    "epochs": len(values),
                    **trial.params,
                    "folder": trial.user_attrs["folder"],
                }
            )
        frame = pl.DataFrame(rows, infer_schema_length=None, strict=False)
        return frame.sort(self.monitor, descending=best is max, nulls_last=True) if rows else frame

    def failures(self) -> pl.DataFrame:
        """Runs that failed: run, lines (the last ones of its log)."""
        rows = [(Path(t.user_attrs["folder"]).name, t.user_attrs["failed"]) for t in self._failed()]
        return pl.DataFrame(rows, schema={"run": pl.String, "lines": pl.String}, orient="row")

    def _asked(self, trials: int) -> Iterator[Trial]:
        while True:
            with self._lock:
                failed, done = self._failed(), self.study.get_trials(deepcopy=False, states=DONE)
                if len(failed) + len(done) + len(self._mine) >= trials or (not done and len(failed) >= GIVE_UP):
                    return
                trial = self.study.ask()
                self._mine.add(trial.number)
            yield trial

    def _try(self, trial: Trial, workers: Workers) -> None:
        """Trains one trial and tells the study how it ended."""
        state, value = TrialState.FAIL, None
        folder = Path(trial.user_attrs.get("folder", str(self.out / f"trial_{trial.number:04d}")))
        try:
            trial.set_user_attr("fields", fields := dict(self.suggest(trial)))
            made = self._run(fields, folder)
            with claim(folder) as log:
                trial.set_user_attr("folder", str(folder))
                state, value = self._train(trial, made, workers, log)
        except UserError as error:
            trial.set_user_attr("folder", str(folder))
            trial.set_user_attr("failed", str(error))
        finally:
            with self._lock:
                self._mine.discard(trial.number)
                self.study.tell(trial, value, state)
        failed = self.study.trials[trial.number].user_attrs.get("failed", "")
        if workers.stopped and state == TrialState.FAIL and not failed:
            self._again(trial.params, folder)
        else:
            what = f"failed: {failed.splitlines()[-1]}" if failed else state.name.lower()
            _LOGGER.info(f"trial {trial.number}: {what}{'' if value is None else f', {self.monitor} {value:.4f}'}")

    def _train(self, trial: Trial, made: SweepRun, workers: Workers, log: IO[str]) -> tuple[TrialState, float | None]:
        begin, reported, pruned = log.seek(0, 2), 0, False

        def watch() -> bool:
            nonlocal reported, pruned
            for value in _epochs(made.folder, self.monitor)[reported:]:
                reported += 1
                trial.report(value, reported)
                pruned = pruned or trial.should_prune()
            return pruned

        command = ["train", *made.flags, f"--workdir={made.folder}"]
        status = workers.run(command, log, watch)
        watch()  # at what came after the last look
        summary = read_summary(made.folder, "finished", f"best_{self.monitor}") if status == 0 else {"finished": False}
        if summary["finished"]:
            return TrialState.COMPLETE, summary[f"best_{self.monitor}"]
        if pruned:
            return TrialState.PRUNED, None
        if not workers.stopped:
            trial.set_user_attr("failed", last_lines(log, begin) or f"exit status {status}")
        return TrialState.FAIL, None

    def _take_up(self) -> None:
        """Trials that count as running but whose processes are gone are cut ones."""
        for trial in self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            folder = Path(trial.user_attrs.get("folder", ""))
            if "folder" in trial.user_attrs and folder.is_dir():
                try:
                    claim(folder).close()
                except UserError:  # at work
                    continue
                self.study.tell(trial.number, state=TrialState.FAIL)
                self._again(trial.params, folder)

    def _again(self, params: dict[str, Any], folder: Path) -> None:
        self.study.enqueue_trial(params, user_attrs={"folder": str(folder)})

    def _failed(self) -> list[optuna.trial.FrozenTrial]:
        trials = self.study.get_trials(deepcopy=False, states=(TrialState.FAIL,))
        return [trial for trial in trials if "failed" in trial.user_attrs]

    def _run(self, fields: Mapping[str, Any], folder: Path) -> SweepRun:
        return run("", self.config, [*self.settings, *field_texts(fields), f"logging.group={self.out.name}"], folder)


def write_results(search: Search) -> str:
    """Writes search.csv and search.md (also returned) beside the trials: all of them, and the best config's command."""
    table = search.table()
    write_csv(table, search.out / "search.csv")
    with pl.Config(
        tbl_formatting="ASCII_MARKDOWN",
        tbl_hide_column_data_types=True,
        tbl_hide_dataframe_shape=True,
        tbl_rows=-1,
        tbl_cols=-1,
        tbl_width_chars=400,
        fmt_str_lengths=200,
    ):
        lines = [str(table.drop("folder", strict=False))]
    best = search.best()
    if best:
        flags = " ".join(text for text in best.flags if not text.startswith("--config.logging.group"))
        lines += ["", f"best on validation: {best.folder.name}", "", f"    trajectory train {flags}"]
    seen = sorted(path.parent.name for path in search.out.glob("*/evaluation.json"))
    if seen:
        lines += ["", f"test was read of: {', '.join(seen)}"]
    text = "\n".join([*lines, ""])
    write_text(text, search.out / "search.md")
    return text


def _epochs(folder: Path, monitor: str) -> list[float]:
    """The monitored metric after each epoch so far."""
    records = read_metrics(folder / "metrics.jsonl")
    return [record[f"validation/{monitor}"] for record in records if f"validation/{monitor}" in record]


def _storage(text: str) -> str | JournalStorage:
    """Optuna's storage of a URL, or a journal file."""
    if "://" not in text:
        Path(text).parent.mkdir(parents=True, exist_ok=True)
        return JournalStorage(JournalFileBackend(text))
    if text.startswith("sqlite:///"):
        Path(text.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    return text
