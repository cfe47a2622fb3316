"""Whether what a run expects of its users may be acted on, by its evaluation on test: what pages say of it first."""

from __future__ import annotations

from typing import Any

from trajectory.evaluation.report import read_evaluation
from trajectory.run import Run

UNMEASURED = "The run was not evaluated (trajectory evaluate)."


def evaluation_of_checkpoint(run: Run) -> dict[str, Any] | None:
    """What evaluation.json says of the run's checkpoint; None where that was not evaluated.

    Raises UserError for a damaged file.
    """
    if not (run.workdir / "evaluation.json").exists():
        return None
    evaluation = read_evaluation(run.workdir)
    return evaluation if evaluation["protocol"].get("checkpoint") == run.checkpoint else None


def behind_counting(evaluation: dict[str, Any]) -> str:
    """In which metrics the best counting rule of the evaluation is ahead, beyond sampling error; "" in none."""
    paired = evaluation.get("paired", {}).get("test", {})
    ahead = {metric: test["baseline"] for metric, test in paired.items() if _level(metric) and test["high"] < 0}
    if not ahead:
        return ""
    named = " and ".join(f"{metric.replace('_', ' ')} of {name.replace('_', ' ')}" for metric, name in ahead.items())
    return f"the run is behind simple counting on test ({named} {'is' if len(ahead) == 1 else 'are'} better)"


def warning(run: Run, of: str) -> str:
    """What to read before acting on `of`, such as "these forecasts"; "" of a measured run that is not behind."""
    evaluation = evaluation_of_checkpoint(run)
    if evaluation is None:
        return f"How far {of} hold was not measured. {UNMEASURED}"
    behind = behind_counting(evaluation)
    return f"Do not act on {of}: {behind}." if behind else ""


def _level(metric: str) -> bool:
    return metric == "interest_accuracy" or metric.startswith("ndcg@")
