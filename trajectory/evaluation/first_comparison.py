"""How a training ended, in sentences: its best epoch, beside what counting reaches on the same validation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from trajectory.direction import less_is_better
from trajectory.evaluation.baseline_cache import baseline_results
from trajectory.evaluation.report import cold_items
from trajectory.training.experiment import Experiment

CHEAP = 300_000_000  # scores of baselines, validation and test users by items: seconds, kept for `trajectory evaluate`


def ending(experiment: Experiment, summary: Mapping[str, Any]) -> Iterator[str]:
    """The best epoch with its metric, and the best counting rule on the same users and steps, where that is cheap.

    Test is not told. `summary` is training.json.
    """
    c, monitor = experiment.config, experiment.config.train.monitor
    value = summary[f"best_{monitor}"]
    if value is None:
        return
    yield f"best epoch {summary['best_epoch']} of {summary['epochs']}: validation {monitor} {value:.4f}"
    if reason := _not_compared(experiment):
        yield f"not compared with counting here, as {reason}"
        return
    results = baseline_results(experiment.histories, experiment.split, c, experiment.content, cold_items(experiment))
    means = {name: by_part["validation"].means().get(monitor) for name, by_part in results.items()}
    reached = {name: mean for name, mean in means.items() if mean is not None}
    if not reached:
        return
    best = (min if less_is_better(monitor) else max)(reached, key=lambda name: reached[name])
    ahead = value < reached[best] if less_is_better(monitor) else value > reached[best]
    yield (
        f"the best of {len(reached)} counting rules on the same: {best} {reached[best]:.4f} "
        f"({'the model is ahead' if ahead else 'the model is NOT ahead'}, by chance or not: evaluation tells)"
    )


def _not_compared(experiment: Experiment) -> str:
    """Why counting is not measured at once, "" if it is."""
    c, split = experiment.config, experiment.split
    if "@" not in c.train.monitor or c.train.monitor.startswith("ahead_"):
        return f"{c.train.monitor} is of models alone"
    if split.kind == "leave_last" or c.heads.horizon > 1:
        return "training validates the next step, and evaluation all that are held out"
    if c.train.eval_users:
        return f"training validates {c.train.eval_users:,} users (train.eval_users), and evaluation all"
    if (len(split.validation.user) + len(split.test.user)) * experiment.histories.num_items > CHEAP:
        return "that takes long on so many users and items"
    return ""
