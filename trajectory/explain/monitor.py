"""Attributions of a training run after each epoch: do methods agree, and which event types count."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from trajectory.data.store.vocabulary import Vocabulary
from trajectory.evaluation.validation import ValidationMonitor
from trajectory.explain.explain import Explainer
from trajectory.explain.faithfulness import rank_agreement
from trajectory.explain.targets import read_target
from trajectory.run import Run
from trajectory.schema import Queries
from trajectory.training.experiment import Experiment

COMPARED = ("gradient_times_input", "occlusion")  # with the config's method


class AttributionMonitor:
    """Called with parameters, returns those of `ValidationMonitor`, and of `explain.monitored` users, always the same:

    explain/agreement_... (mean rank correlation of the config's method and another), explain/share_... (share of the
    sum of absolute attributions, by event type) and explain/completeness_error (the largest).
    """

    def __init__(self, experiment: Experiment) -> None:
        self.experiment, self.watch = experiment, ValidationMonitor(experiment)
        queries, count = experiment.split.validation, experiment.config.explain.monitored
        drawn = np.sort(np.random.default_rng(experiment.config.seed).permutation(len(queries.user))[:count])
        self.queries = Queries(*(column[drawn] for column in queries))
        self.vocabulary = Vocabulary.of(experiment.histories, experiment.config.data)
        self.target = read_target("", experiment.histories, bool(experiment.config.heads.item))

    def __call__(self, params: Any) -> dict[str, float]:
        """Metrics of these parameters (see class)."""
        return self.watch(params) | self._attributions(params)

    def _attributions(self, params: Any) -> dict[str, float]:
        experiment, h = self.experiment, self.experiment.histories
        explainer = Explainer(
            Run.from_experiment(Path(), experiment, params, 0, self.vocabulary), self.target, by_field=False
        )
        agreement: dict[str, list[np.ndarray]] = {
            name: [] for name in COMPARED if name != experiment.config.explain.method
        }
        by_type, errors = np.zeros(len(h.event_types) + 1), []
        for batch in explainer.attributions(h, self.queries):
            mask, events = np.asarray(batch.inputs.mask), batch.attribution.events
            for name, correlations in agreement.items():
                other = explainer.method_named(name)(explainer.function, batch.inputs).events
                correlations.append(rank_agreement(mask, events, other))
            row, column = np.nonzero(mask)
            by_type += np.bincount(h.event_type[batch.first[row] + column], np.abs(events[mask]), len(by_type))
            errors.append(batch.attribution.completeness_error)
        if not errors:  # nothing is left to recommend to any of them
            return {}
        agreements = {f"agreement_{name}": np.concatenate(parts) for name, parts in agreement.items()}
        metrics = {name: float(np.nanmean(x)) for name, x in agreements.items() if np.isfinite(x).any()}
        shares = by_type[1:] / by_type.sum()
        metrics |= {f"share_{event_type}": share for event_type, share in zip(h.event_types, shares, strict=True)}
        metrics["completeness_error"] = float(np.max(np.concatenate(errors)))
        return {f"explain/{name}": float(value) for name, value in metrics.items() if np.isfinite(value)}
