"""What a training run tells of its reasons after each epoch: do methods agree, and which kinds of event count."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from trajectory.data.store.vocabulary import Vocabulary
from trajectory.evaluation.validation import Watch
from trajectory.explain.explain import Explainer
from trajectory.explain.faithfulness import rank_agreement
from trajectory.explain.targets import read_target
from trajectory.run import Run
from trajectory.schema import Queries
from trajectory.training.experiment import Task

BESIDE = ("gradient_times_input", "occlusion")  # with which the config's method is compared


class WatchReasons:
    """Called with parameters, returns what a `Watch` does, and of `explain.watched` users, always the same ones:

    explain/agreement_... (mean correlation of ranks of the config's method and another), explain/share_... (part of all
    that events add and take away, by kind of event) and explain/gap (the largest).
    """

    def __init__(self, task: Task) -> None:
        self.task, self.watch = task, Watch(task)
        queries, count = task.split.validation, task.config.explain.watched
        some = np.sort(np.random.default_rng(task.config.seed).permutation(len(queries.user))[:count])
        self.queries = Queries(*(column[some] for column in queries))
        self.vocabulary = Vocabulary.of(task.histories, task.config.data)
        self.target = read_target("", task.histories, bool(task.config.heads.item))

    def __call__(self, params: Any) -> dict[str, float]:
        """Metrics of these parameters (see class)."""
        return self.watch(params) | self._reasons(params)

    def _reasons(self, params: Any) -> dict[str, float]:
        task, h = self.task, self.task.histories
        explainer = Explainer(Run.of(Path(), task, params, 0, self.vocabulary), self.target, by_field=False)
        agreement: dict[str, list[np.ndarray]] = {name: [] for name in BESIDE if name != task.config.explain.method}
        by_kind, gaps = np.zeros(len(h.kinds) + 1), []
        for some in explainer.reasons(h, self.queries):
            there, events = np.asarray(some.inputs.there), some.attribution.events
            for name, found in agreement.items():
                other = explainer.by(name)(explainer.function, some.inputs).events
                found.append(rank_agreement(there, events, other))
            row, column = np.nonzero(there)
            by_kind += np.bincount(h.kind[some.first[row] + column], np.abs(events[there]), len(by_kind))
            gaps.append(some.attribution.gap)
        if not gaps:  # nothing is left to recommend to any of them
            return {}
        means = {f"agreement_{name}": np.concatenate(found) for name, found in agreement.items()}
        told = {name: float(np.nanmean(x)) for name, x in means.items() if np.isfinite(x).any()}
        told |= {f"share_{kind}": share for kind, share in zip(h.kinds, by_kind[1:] / by_kind.sum(), strict=True)}
        told["gap"] = float(np.max(np.concatenate(gaps)))
        return {f"explain/{name}": float(value) for name, value in told.items() if np.isfinite(value)}
