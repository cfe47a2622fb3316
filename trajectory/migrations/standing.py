"""Whether what a run forecasts of migrations may be believed: what its page says first."""

from __future__ import annotations

from typing import Any, NamedTuple

from trajectory.evaluation.standing import UNMEASURED, behind_counting
from trajectory.migrations.state_forecast import NOW

NOT_SHOWN = "What it expects to grow and shrink is not shown: that may be no more than its errors."


class Standing(NamedTuple):
    """How a run's forecasts did against counting rules."""

    withheld: bool  # no better than a rule, or not measured: what it expects is not shown
    warning: str  # to be read first; "" where it was measured and holds


def standing(check: dict[str, Any] | None, evaluations: list[dict[str, Any]], steps: str) -> Standing:
    """By the `check` of its migration forecasts on held-out windows (`check_transitions`; None: none), and by what its
    `evaluations` (evaluation.json, trajectories.json) say of its lists and interests, as on the run's other pages.
    `steps`: of the forecast, in words.
    """
    if check:
        tests = check["differences"]["all"]  # of log-losses: less is better
        if better := [name for name, test in tests.items() if test["low"] > 0]:
            return Standing(
                True,
                f"Do not act on these forecasts: on held-out windows of {steps}, {_are(better)} better. {NOT_SHOWN}",
            )
        if NOW in tests and tests[NOW]["high"] >= 0:
            return Standing(
                True,
                f"Do not act on these forecasts: on held-out windows of {steps} they were no better, beyond "
                f"chance, than to say that users stay where they are (persistence). {NOT_SHOWN}",
            )
    if behind := behind_counting(evaluations):
        return Standing(True, f"Do not act on these forecasts: {behind}. {NOT_SHOWN}")
    if check:
        return Standing(False, "")
    unknown = (
        f"How far these forecasts hold was not measured: the run held out no windows of {steps} to compare "
        "them with (split.kind=leave_last with split.steps equal to forecast.steps does)."
    )
    if not evaluations:
        return Standing(True, f"{unknown} {UNMEASURED} {NOT_SHOWN}")
    return Standing(True, f"{unknown} {NOT_SHOWN}")


def _are(names: list[str]) -> str:
    return f"{' and '.join(names)} {'was' if len(names) == 1 else 'were'}"
