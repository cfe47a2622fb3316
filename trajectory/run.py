"""A finished run opened again: its task and its best parameters."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from trajectory.data.store.vocabulary import Vocabulary
from trajectory.inference.predictor import Predictor
from trajectory.models.interest_model import InterestModel
from trajectory.models.item_table import bake
from trajectory.schema import Histories
from trajectory.training import experiment as tasks
from trajectory.training.checkpoint import Checkpoints
from trajectory.training.experiment import Task
from trajectory.training.folder import read_data


@dataclass(frozen=True)
class Run:
    """A run's folder with everything in it in hand; the vectors of its items are in a table."""

    workdir: Path
    task: Task
    params: Any
    step: int  # at which the best parameters were taken
    unbaked: tuple[InterestModel, Any] | None = None  # the model and parameters that made the table from content

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """What is needed of the log to read other histories."""
        return Vocabulary.of(self.task.histories, self.task.config.data)

    @property
    def checkpoint(self) -> str:
        """Which checkpoint this is, for the protocol."""
        return f"best {self.task.config.train.monitor} on validation, step {self.step}"

    def predictor(self, histories: Histories | None = None) -> Predictor:
        """The model over the run's own histories, or over new ones (see `read_histories`)."""
        return Predictor.of(self.task, self.task.model, self.params, histories)


def open_run(workdir: Path) -> Run:
    """Opens a run. Raises UserError if it is none, has no checkpoint, or its data has changed."""
    config = tasks.load_config(workdir / "config.json")
    stored = read_data(workdir)
    tasks.check_format(stored, workdir)  # before the log is prepared
    task = tasks.build(config)
    tasks.check_data(stored, task.histories, workdir, "Train again in a new --workdir, or put the old one back")
    checkpoints = Checkpoints(workdir, read_only=True)
    step, params = checkpoints.restore_best(task.parameters_like())
    checkpoints.close()
    model, baked = bake(task.model, params, task.content)
    return Run(workdir, replace(task, model=model), baked, step, (task.model, params) if task.content else None)
