"""How many steps the targets of a user are: the next step alone, or several as one set, which is easier to hit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from ml_collections import ConfigDict

from trajectory.data.pipeline.splits import target_starts
from trajectory.schema import Histories, Queries


def target_step_facts(histories: Histories, queries: dict[str, Queries], split: ConfigDict) -> dict[str, Any]:
    """What the protocol says of it: the unit of a step, whether the next or the last of a window is asked for and, for
    each part, mean and most of a user's targets.
    """
    starts = target_starts(histories)
    steps = {part: np.searchsorted(starts, q.end) - np.searchsorted(starts, q.stop) for part, q in queries.items()}
    return {
        "step": histories.step_unit,
        "asked": "last" if split.kind == "temporal" and split.target == "last" else "next",
        "predicted": target_types(histories) + _asked_late(histories, queries),
        "target_steps": {part: {"mean": float(n.mean()), "most": int(n.max())} for part, n in steps.items()},
    }


def target_types(histories: Histories) -> str:
    """Which types of event are predicted and which are only read, in a sentence; "" where all are both."""
    if histories.only_targets:
        return ""
    predicted = ", ".join(name for name in histories.event_types if name not in histories.only_read)
    return f"Only {predicted} is predicted; {', '.join(histories.only_read)} is read (data.target_types)."


def moment_note(histories: Histories, split: ConfigDict) -> str:
    """What forecasts of a run hold for, where it learned what is predicted from right before it; "" elsewhere."""
    if histories.only_targets or (split.kind == "temporal" and split.target == "all"):
        return ""
    return (
        f"trained and measured right before what is predicted (split.kind={split.kind}, split.target={split.target}), "
        "when all that led to it had been read: it hears a cart of a minute ago, but at any other moment its "
        "probabilities are too high and its times too short; split.kind=temporal with split.target=all asks from a "
        "date on"
    )


def _asked_late(histories: Histories, queries: dict[str, Queries]) -> str:
    """That each is asked for when the views and carts that lead to it are known, where the split does so."""
    if histories.only_targets or not all(histories.has_role("target")[q.stop].all() for q in queries.values()):
        return ""
    return (
        " They are asked for right before the first of them comes, when all that led to it has been read: easier than "
        "to forecast from a moment, as split.kind=temporal with split.target=all does."
    )


def several_steps(facts: Mapping[str, Any], part: str) -> bool | None:
    """Whether a user's targets are more than the next step; None of an evaluation made before that was stated."""
    return facts["target_steps"][part]["most"] > 1 if "target_steps" in facts else None


def target_step_sentence(facts: Mapping[str, Any], part: str) -> str:
    """What a user's targets are, in a sentence; "" of an evaluation made before that was stated."""
    several = several_steps(facts, part)
    if several is None:
        return ""
    step, predicted = facts["step"], " " * bool(facts.get("predicted")) + facts.get("predicted", "")
    if not several and facts.get("asked") == "last":
        return f"Targets of a user are the last {step} of the window, with all before it read.{predicted}"
    if not several:
        return f"Targets of a user are the next {step}.{predicted}"
    count = facts["target_steps"][part]
    return (
        f"Targets of a user are all held-out {step}s as one set ({count['mean']:.1f} on average, at most "
        f"{count['most']}): a hit is a hit on any of them, so the figures do not hold of the next {step} alone."
        + predicted
    )
