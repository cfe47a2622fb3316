"""What a training run watches after each epoch: loss and accuracy on training and validation, and ranking metrics."""

from __future__ import annotations

from typing import Any

import numpy as np

from trajectory.data.pipeline.splits import step_bounds, target_starts
from trajectory.evaluation import conversion
from trajectory.evaluation.multi_step.metrics import evaluate_multi_step
from trajectory.inference.direct import DirectForecaster
from trajectory.inference.predictor import Predictor
from trajectory.inference.scorer import ModelScorer
from trajectory.metrics.ranking import evaluate_scorer
from trajectory.models.item_table import export_item_table
from trajectory.schema import Histories, Queries, Split

TRAIN_SAMPLE = 1000  # users whose last training step shows how well the training data is fitted


class ValidationMonitor:
    """Called with parameters, returns validation/... and train/... metrics: dropout off, the same users each time.

    They are of the next step; but of all held-out steps as one set where a temporal split asks for all of a window and
    the heads do not look ahead. Where they do, validation/ahead_... are means over these steps.
    """

    def __init__(self, experiment: Any) -> None:
        self.experiment, c = experiment, experiment.config
        rng = np.random.default_rng(c.seed)
        self.parts = {
            "train": _sample(training_queries(experiment.histories, experiment.split), TRAIN_SAMPLE, rng),
            "validation": _sample(experiment.split.validation, c.train.eval_users, rng),
        }
        self.held_out = self.parts["validation"]
        ends = step_bounds(experiment.histories, self.held_out, 1)[:, 1]
        # Of a window that is asked for whole, also where it brought no user more than a step.
        several = c.split.target == "all" or bool((ends < self.held_out.end).any())
        self.ahead = several and bool(c.heads.item) and c.heads.horizon > 1
        if experiment.split.kind == "leave_last" or self.ahead:
            self.parts["validation"] = self.held_out._replace(end=ends)
        self.conversions = dict(self.parts)  # whose conversions are looked at
        if c.heads.conversion and experiment.split.kind == "temporal":
            whole = conversion.conversion_queries(experiment, "validation")
            self.conversions["validation"] = _sample(whole, c.train.eval_users, rng)

    def __call__(self, params: Any) -> dict[str, float]:
        """Metrics of these parameters (see class)."""
        experiment, c = self.experiment, self.experiment.config
        predictor = Predictor.of(experiment, *export_item_table(experiment.model, params, experiment.content))
        scorer = ModelScorer(predictor)
        metrics: dict[str, float] = {}
        for part, queries in self.parts.items():
            if c.heads.item:
                means = evaluate_scorer(
                    scorer, experiment.histories, queries, c.evaluation, coverage=False, label=part
                ).means()
                metrics |= {f"{part}/{name}": value for name, value in means.items() if part == "validation"}
                metrics[f"{part}/loss"] = means.get("log_loss", float("nan"))
                metrics[f"{part}/accuracy"] = means.get("hr@1", float("nan"))
            if c.heads.conversion:
                means = conversion.evaluate(scorer, experiment, part, self.conversions[part])
                metrics |= {f"{part}/conversion_{name}": value for name, value in means.items()}
                if not c.heads.item:
                    metrics |= {f"{part}/loss": means["log_loss"], f"{part}/accuracy": means["accuracy"]}
        if self.ahead:
            metrics |= {f"validation/ahead_{name}": value for name, value in self._ahead(predictor).items()}
        return {name: value for name, value in metrics.items() if np.isfinite(value)}

    def _ahead(self, predictor: Predictor) -> dict[str, float]:
        experiment, c = self.experiment, self.experiment.config
        steps = min(c.heads.horizon, c.split.steps)
        direct = DirectForecaster(predictor, steps)
        by_step = evaluate_multi_step(
            direct, experiment.histories, self.held_out, c.evaluation, steps, c.evaluation.cutoffs
        )
        return {name: float(np.nanmean(value)) for name, value in by_step.items()}


def training_queries(histories: Histories, split: Split) -> Queries:
    """The last training step of each history with an earlier one."""
    starts, end, first = target_starts(histories), split.train_end, histories.offsets[:-1]
    begin = starts[np.maximum(np.searchsorted(starts, end) - 1, 0)]
    user = np.flatnonzero((begin < end) & (begin > first))
    return Queries(user, first[user], begin[user], end[user])


def _sample(queries: Queries, count: int, rng: np.random.Generator) -> Queries:
    if not count or count >= len(queries.user):
        return queries
    chosen = np.sort(rng.choice(len(queries.user), count, replace=False))
    return Queries(*(column[chosen] for column in queries))
