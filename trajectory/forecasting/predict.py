"""From a run and a file of new users' events to predictions."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from trajectory.evaluation.ranking import distinct_items
from trajectory.evaluation.scorer import ModelScorer
from trajectory.forecasting import tables
from trajectory.forecasting.newcomers import read_histories, whole_histories
from trajectory.forecasting.paths import Paths, sample
from trajectory.schema import Histories, UserError
from trajectory.training.run import Run


@dataclass(frozen=True)
class Predictions:
    """Tables of the next step and, if asked, of the steps ahead; and what the user must be told."""

    users: int
    next_items: pl.DataFrame
    steps: pl.DataFrame | None
    paths: Paths | None
    histories: Histories
    notes: list[str]

    def to_dict(self) -> dict[str, Any]:
        """By user: "next" and, if asked, "steps" and "path" with its probability."""
        found: dict[str, Any] = {}
        for row in self.next_items.to_dicts():
            found.setdefault(row.pop("user"), {"next": []})["next"].append(row)
        if self.steps is not None and self.paths is not None:
            for row in self.steps.to_dicts():
                found[row.pop("user")].setdefault("steps", []).append(row)
            for number, user in enumerate(self.histories.users["user"].cast(pl.String)):
                items, probability = tables.likeliest_path(self.histories, self.paths, number)
                found[user]["path"] = {"items": items, "probability": probability}
        return found


def predict(run: Run, path: Path, user: str, top: int, steps: int, paths: int) -> Predictions:
    """Top items of the next step for each user in the file and, if `steps` > 0, the steps ahead."""
    task = run.task
    if not task.config.heads.item:
        raise UserError("this run has no item head (heads.item=0), so it cannot foretell items")
    histories, notes = read_histories(path, task.histories, task.config.data, user)
    filter_seen = task.config.evaluation.seen == "filter"
    queries = whole_histories(histories)
    scorer = ModelScorer(task.model, run.params, histories, task.scale, task.config.batch.length)
    parts = []
    for chunk in queries.chunks(task.config.evaluation.batch):
        seen = distinct_items(histories, chunk.start, chunk.stop) if filter_seen else None
        scores = np.asarray(scorer.scores(chunk))
        parts.append(tables.next_items(histories, chunk, scores, seen, top))
    ahead = sampled = None
    if steps:
        sampled = sample(
            task.model,
            scorer.params,
            histories,
            task.scale,
            queries,
            steps=steps,
            paths=paths,
            seed=task.config.seed,
            filter_seen=filter_seen,
        )
        ahead = tables.steps_ahead(histories, queries, sampled, top)
    return Predictions(histories.num_users, pl.concat(parts), ahead, sampled, histories, notes)
