"""From a run and a file of new users' events to predictions."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from trajectory import hints
from trajectory.evaluation.reach import reach
from trajectory.evaluation.report import conversion_calibration
from trajectory.evaluation.target_steps import moment_note, target_types
from trajectory.forecasting import tables
from trajectory.forecasting.conversion import conversions
from trajectory.inference.new_users import read_histories, whole_histories
from trajectory.inference.scorer import ModelScorer
from trajectory.inference.step_forecast import beam_run, forecast_steps, method_description
from trajectory.metrics.ranking import distinct_items
from trajectory.metrics.waiting_time import silent_days
from trajectory.progress import progress
from trajectory.results.result import Result
from trajectory.run import Run
from trajectory.schema import Histories, Queries, UserError

AMONG_NEW = (
    "items that a user has had are in no list, and probabilities are among the others: where users come back to what "
    "they had, train with {setting}"
)


@dataclass(frozen=True)
class Predictions:
    """Tables by name, each with a column `user`, and what the user must know.

    next: rank, item, title, probability. Of a run with a conversion head, conversion (see `conversions`).
    If steps are asked for, steps: step, rank, item, title, probability, probability_within (of the item within these
    steps), in_set_90 (in the set that holds the step with 90 %) and set_size_90 (items of that set; both null where no
    sets were fitted); within_steps: rank, item, title, probability (of the item within all steps); path: step, item,
    title, probability, path_probability (of the whole). `calibrated` of each row: were its probabilities fitted to
    outcomes of validation users.
    `without` (see `tables.without_items`) are users whose lists of items are empty, in none of these tables.
    """

    tables: dict[str, pl.DataFrame]
    without: pl.DataFrame
    notes: list[str]
    users: int

    def write(self, path: Path) -> list[Path]:
        """The first table to `path`, the others next to it as <name>_<table>, each as `Result.write` writes it.

        Returns what was written.
        """
        first, *others = self.tables
        named = {path: self.tables[first]} | {_beside(path, name): self.tables[name] for name in others}
        if len(self.without):
            named[_beside(path, "without")] = self.without
        return [Result(table).write(target) for target, table in named.items()]


def predict(run: Run, events: Any, user: str, top: int, steps: int, paths: int) -> Predictions:
    """Top items of the next step for each user of `events` (a path or data frame) and, if `steps` > 0, steps ahead."""
    heads = run.config.heads
    if steps and not heads.item:
        raise UserError("steps: this run has no item head (heads.item=0), so it cannot forecast items")
    histories, notes = read_histories(events, run.vocabulary, user)
    notes += [note for note in (target_types(histories), moment_note(histories, run.config.split)) if note]
    queries = whole_histories(histories)
    scorer = ModelScorer(run.predictor(histories))
    by_name, left = {}, None
    if heads.item:
        by_name["next"] = _next(run, scorer, queries, top)
        if run.config.evaluation.seen == "filter":
            left = reach(histories, queries).left
            notes.append(AMONG_NEW.format(setting=hints.setting("evaluation.seen", "keep")))
    without = tables.without_items(histories, queries, left)
    if len(without):
        notes.append(tables.without_note(without, len(queries.user)))
    if heads.conversion:
        by_name["conversion"], of_conversions = conversions(
            scorer, queries, run.config.conversion, conversion_calibration(run)
        )
        notes += of_conversions
    if steps:
        by_name |= _multi_step(run, histories, queries, steps, paths, top)
        notes.append(f"the forecast of {steps} steps is made {method_description(run, steps, paths)}")
        if left is not None and (few := int(((left > 0) & (left < steps)).sum())):
            notes.append(f"{few:,} users have fewer than {steps} items left; their paths end with the last one")
    return Predictions(by_name, without, notes, len(queries.user))


def _beside(path: Path, name: str) -> Path:
    return path.with_name(f"{path.stem}_{name}{path.suffix}")


def _next(run: Run, scorer: ModelScorer, queries: Queries, top: int) -> pl.DataFrame:
    config, predictor, parts = run.config.evaluation, scorer.predictor, []
    for chunk in progress(queries.chunks(config.batch), "next items", -(-len(queries.user) // config.batch)):
        seen = distinct_items(predictor.histories, chunk.start, chunk.stop) if predictor.filter_seen else None
        parts.append(tables.next_items(predictor.histories, chunk, np.asarray(scorer.score(chunk).items), seen, top))
    return pl.concat(parts)


def _multi_step(
    run: Run, histories: Histories, queries: Queries, steps: int, paths: int, top: int
) -> dict[str, pl.DataFrame]:
    parts: dict[str, list[pl.DataFrame]] = {"steps": [], "within_steps": [], "path": []}
    for chunk, forecast, _ in forecast_steps(run, histories, queries, steps, paths, silent_days(histories, queries)):
        parts["steps"].append(tables.items_at_steps(histories, chunk, forecast, top))
        parts["within_steps"].append(tables.items_within_steps(histories, chunk, forecast, top))
    for chunk, beams in beam_run(run, histories, queries, steps, interests=False):
        parts["path"].append(tables.most_likely_path(histories, chunk, beams))
    return {name: pl.concat(chunks) for name, chunks in parts.items()}
