"""The steps that the report is made of, by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from trajectory.insights.part import Part
from trajectory.insights.recommend import step as recommend
from trajectory.schema import UserError
from trajectory.training.run import Run

STEPS: dict[str, Callable[[Run], Part]] = {"recommend": recommend.take}


def take(run: Run, names: Sequence[str], keep: np.ndarray | None = None) -> list[Part]:
    """What each named step tells of a run; `keep` bool [V + 1]: items that may be recommended.

    Raises UserError for an unknown name.
    """
    if unknown := [name for name in names if name not in STEPS]:
        raise UserError(f"step {', '.join(unknown)} is unknown; expected one of {', '.join(STEPS)}")
    return [recommend.take(run, keep) if name == "recommend" else STEPS[name](run) for name in names]
