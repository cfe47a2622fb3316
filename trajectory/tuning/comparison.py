"""Evaluated runs beside each other on test, each against the first."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from trajectory.results.measured import Comparison
from trajectory.schema import UserError
from trajectory.tuning.sweep_results import lead_over_base, read


def compare_runs(folders: Sequence[Path]) -> Comparison:
    """The metrics of each run with its lead over the first one, paired over users.

    Raises UserError for a run that was not evaluated, or one of other data or another split than the first.
    """
    outcomes = [read(folder) for folder in folders]
    first, rows = outcomes[0], []
    for folder, outcome in zip(folders, outcomes, strict=True):
        for metric, value in outcome.evaluation["metrics"]["test"].items():
            lead = lead_over_base([outcome], [first], metric) if outcome is not first else {}
            if outcome is not first and not lead and metric in first.per_user.columns:
                raise UserError(
                    f"{folder} was evaluated on other data or another split than {folders[0]}; compare runs of one"
                )
            error = outcome.evaluation["confidence_intervals"]["test"].get(metric, {}).get("standard_error")
            paired = (lead.get(key) for key in ("difference", "low", "high", "p_value"))
            rows.append(("test", str(folder), metric, value, error, *paired))
    return Comparison.of(rows)
