"""Whether what a run expects of its users may be acted on, by its evaluations on test: what pages say of it first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from trajectory.evaluation.multi_step.report import read_steps_measured
from trajectory.evaluation.report import read_evaluation
from trajectory.run import Run

UNMEASURED = "The run was not evaluated (trajectory evaluate)."


def evaluations_of_checkpoint(run: Run) -> list[dict[str, Any]]:
    """What evaluation.json and trajectories.json say of the run's checkpoint; none where it was not evaluated.

    Raises UserError for a damaged file.
    """
    readers = {"evaluation.json": read_evaluation, "trajectories.json": read_steps_measured}
    found = [read(run.workdir) for name, read in readers.items() if (run.workdir / name).exists()]
    return [evaluation for evaluation in found if evaluation["protocol"].get("checkpoint") == run.checkpoint]


def behind_counting(evaluations: list[dict[str, Any]]) -> str:
    """In which metrics the best counting rule of an evaluation is ahead, beyond sampling error; "" in none."""
    ahead = [found for evaluation in evaluations for found in _ahead(evaluation)]
    if not ahead:
        return ""
    return (
        f"the run is behind simple counting on test ({' and '.join(ahead)} {'is' if len(ahead) == 1 else 'are'} better)"
    )


def warning(run: Run, of: str) -> str:
    """What to read before acting on `of`, such as "these forecasts"; "" of a measured run that is not behind."""
    evaluations = evaluations_of_checkpoint(run)
    if not evaluations:
        return f"How far {of} hold was not measured. {UNMEASURED}"
    behind = behind_counting(evaluations)
    return f"Do not act on {of}: {behind}." if behind else ""


def _ahead(evaluation: dict[str, Any]) -> Iterator[str]:
    """Metrics in which counting is ahead, each with its rule; of steps ahead also at which of them."""
    for metric, tests in evaluation.get("paired", {}).get("test", {}).items():
        if metric != "interest_accuracy" and not metric.startswith("ndcg@"):
            continue
        if isinstance(tests, dict):
            if tests["high"] < 0:
                yield f"{_words(metric)} of {_words(tests['baseline'])}"
            continue
        rules: dict[str, list[str]] = {}
        for step, test in enumerate(tests, 1):
            if test["high"] < 0:
                rules.setdefault(test["baseline"], []).append(str(step))
        for rule, steps in rules.items():
            yield f"{_words(metric)} of {_words(rule)} at {evaluation['unit']} {', '.join(steps)}"


def _words(name: str) -> str:
    return name.replace("_", " ")
