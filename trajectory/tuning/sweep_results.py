"""The runs of a sweep as numbers: mean and deviation over seeds, each member against the base, the baselines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from trajectory import hints
from trajectory.direction import less_is_better
from trajectory.evaluation.protocol import SAME
from trajectory.evaluation.report import read_evaluation, read_per_user
from trajectory.metrics.significance import compare, holm
from trajectory.reading import read_json
from trajectory.schema import UserError
from trajectory.training import logging
from trajectory.training.folder import read_summary

RESAMPLES = 2000
STATED = ("data", "fingerprint", "split", "guarantee")


class Outcome(NamedTuple):
    """What a finished run's folder tells."""

    evaluation: dict[str, Any]
    training: dict[str, Any]
    per_user: pl.DataFrame
    monitor: str  # validation metric that chose the checkpoint
    curve: Sequence[tuple[int, float]] = ()  # step and monitored metric, each time training looked

    def test(self, metric: str) -> float:
        """The metric on test; NaN if it has none."""
        return self.evaluation["metrics"]["test"].get(metric, np.nan)

    def standard_error(self, metric: str) -> float:
        """Standard error over users of the metric on test; NaN if it has none."""
        return self.evaluation["confidence_intervals"]["test"].get(metric, {}).get("standard_error", np.nan)

    def validation(self) -> float:
        """The monitored metric over all validation users, or as training saw it where evaluation has none (loss)."""
        validation = self.evaluation["metrics"]["validation"]
        return validation.get(self.monitor, self.training[f"best_{self.monitor}"])

    def steps_to(self, value: float) -> float:
        """First step at which training saw the monitored metric as good as `value`; NaN if it never did."""
        sign = -1 if less_is_better(self.monitor) else 1
        return next((float(step) for step, seen in self.curve if sign * seen >= sign * value), np.nan)


def read(folder: Path) -> Outcome:
    """The outcome of a run that was trained and evaluated."""
    advice = "put it back from a copy, or make the run again"
    config = read_json(folder / "config.json", {"train": {"monitor": str}}, advice, "train.monitor")
    monitor = config["train"]["monitor"]
    records = logging.read(folder / "metrics.jsonl")
    curve = [(r["step"], r[f"validation/{monitor}"]) for r in records if f"validation/{monitor}" in r]
    evaluation = read_evaluation(
        folder, "metrics.validation", "confidence_intervals.test", *(f"protocol.{name}" for name in STATED)
    )
    training = read_summary(folder, "epochs", "best_epoch", "seconds_per_epoch", f"best_{monitor}")
    return Outcome(evaluation, training, read_per_user(folder), monitor, curve)


def chosen_metrics(outcomes: Mapping[str, Sequence[Outcome]], metrics: Sequence[str]) -> list[str]:
    """Those of `metrics` that some run has on test. Raises UserError if none has any of them."""
    there = {name for runs in outcomes.values() for run in runs for name in run.evaluation["metrics"]["test"]}
    known = [metric for metric in metrics if metric in there]
    if not known:
        raise UserError(
            f"no run has {', '.join(metrics)} on test; {hints.argument('metrics')} may name: {', '.join(sorted(there))}"
        )
    return known


def summary(outcomes: Mapping[str, Sequence[Outcome]], base: str, metrics: Sequence[str]) -> pl.DataFrame:
    """One row a member, then one a baseline.

    Columns: `name`, `row` (base, member or baseline), `seeds` (finished ones), `validation` and `validation_sd` of the
    monitored metric, `best_epoch` (of each seed), `steps_to_base` (steps until a run was as good on validation as the
    base of the same seed at its best, mean over seeds; null if one never was), `seconds_per_epoch`; of each metric on
    test its mean over seeds under its name, `_sd` (standard deviation over seeds; null for one seed), `_standard_error`
    (mean standard error over users of a run), and of its lead over the base `_difference`, `_low`, `_high`, `_p_value`,
    `_p_value_holm` (see `lead_over_base` and `holm`; the family is the members on that metric). Null where there is
    none.
    """
    rows: list[dict[str, Any]] = []
    for name, runs in outcomes.items():
        row: dict[str, Any] = {"name": name, "row": "base" if name == base else "member", "seeds": len(runs)}
        row |= _mean_and_deviation("validation", [run.validation() for run in runs])
        row["best_epoch"] = ", ".join(f"{run.training['best_epoch']}/{run.training['epochs']}" for run in runs)
        row["steps_to_base"] = _steps_to_base(runs, outcomes[base])
        row["seconds_per_epoch"] = _mean([run.training["seconds_per_epoch"] for run in runs])
        for metric in metrics:
            row |= _mean_and_deviation(metric, [run.test(metric) for run in runs])
            row[f"{metric}_standard_error"] = _mean([run.standard_error(metric) for run in runs])
            lead = lead_over_base(runs, outcomes[base], metric) if name != base else {}
            row |= {f"{metric}_{key}": lead.get(key, np.nan) for key in ("difference", "low", "high", "p_value")}
        rows.append(row)
    for metric in metrics:
        for row, adjusted in zip(rows, holm([row[f"{metric}_p_value"] for row in rows]), strict=True):
            row[f"{metric}_p_value_holm"] = adjusted
    return pl.DataFrame([*rows, *_baselines(outcomes, base, metrics)], infer_schema_length=None).fill_nan(None)


def lead_over_base(runs: Sequence[Outcome], base: Sequence[Outcome], metric: str) -> dict[str, float]:
    """How far the runs of a member are ahead of those of the base on test, over users; {} where it cannot be said.

    Each user's metric is averaged over the seeds first, so users are the unit and seeds are not counted as more of
    them. Returns difference, low, high (95 % bootstrap) and p_value (paired randomisation), see significance.compare.
    """
    if not runs or not base or any(_asked(run) != _asked(base[0]) for run in (*runs, *base)):
        return {}
    ours, theirs = _over_seeds(runs, metric), _over_seeds(base, metric)
    if ours is None or theirs is None:
        return {}
    both = ours.join(theirs, on="user", suffix="_base").drop_nulls()
    if both.is_empty():
        return {}
    return compare(both[metric].to_numpy(), both[f"{metric}_base"].to_numpy(), RESAMPLES, 0)


def _steps_to_base(runs: Sequence[Outcome], base: Sequence[Outcome]) -> float:
    if len(runs) != len(base) or any(_asked(run) != _asked(base[0]) for run in (*runs, *base)):
        return np.nan
    return _mean(
        [run.steps_to(base_run.training[f"best_{base_run.monitor}"]) for run, base_run in zip(runs, base, strict=True)]
    )


def _over_seeds(runs: Sequence[Outcome], metric: str) -> pl.DataFrame | None:
    """Each test user's mean over the runs, null where one run does not count them; None if the metric has no users."""
    if any(metric not in run.per_user.columns for run in runs):
        return None
    every = pl.concat([run.per_user.filter(part="test").select("user", metric) for run in runs])
    counted = pl.col(metric).count() == len(runs)
    return every.group_by("user", maintain_order=True).agg(pl.when(counted).then(pl.col(metric).mean()).alias(metric))


def _asked(run: Outcome) -> list[Any]:
    return [run.evaluation["protocol"].get(key) for key in SAME]


def _mean_and_deviation(name: str, values: Sequence[float]) -> dict[str, float]:
    return {name: _mean(values), f"{name}_sd": float(np.std(values, ddof=1)) if len(values) > 1 else np.nan}


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else np.nan


def _baselines(outcomes: Mapping[str, Sequence[Outcome]], base: str, metrics: Sequence[str]) -> list[dict[str, Any]]:
    """A row of each baseline that has one of the metrics, as the base's first run met them."""
    first = next(run for name in (base, *outcomes) for run in outcomes[name])
    rows = []
    for name, parts in first.evaluation["baselines"].items():
        test = {metric: parts["test"][metric] for metric in metrics if metric in parts["test"]}
        if test:
            rows.append({"name": name, "row": "baseline", **test})
    return rows
