"""The parts that the report is made of, by name."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from trajectory.insights.audiences import build as audiences
from trajectory.insights.changes import build as changes
from trajectory.insights.customers import build as customers
from trajectory.insights.demand import build as demand
from trajectory.insights.funnel import build as funnel
from trajectory.insights.recommend import build as recommend
from trajectory.insights.report_model import Part, Text
from trajectory.insights.segments import build as segments
from trajectory.progress import working
from trajectory.run import Run
from trajectory.schema import UserError

_LOGGER = logging.getLogger(__name__)
PARTS = ("changes", "customers", "recommend", "segments", "audiences", "demand", "funnel")


def build_parts(
    run: Run, names: Sequence[str], keep: np.ndarray | None = None, say: Callable[[str], None] = _LOGGER.info
) -> list[Part]:
    """What each named part tells of a run; `keep` bool [V + 1]: items that may be recommended.

    Of a part that the log cannot have the part tells only that it is left out, and the reason, which `say` is told too,
    as how long each took. Raises UserError for an unknown name, and if no part is left.
    """
    builders: dict[str, Callable[[Run], Part]] = {
        "changes": changes.build_changes,
        "customers": customers.build_customers,
        "recommend": partial(recommend.build_recommendations, keep=keep),
        "segments": segments.build_segments,
        "audiences": audiences.build_audiences,
        "demand": demand.build_demand,
        "funnel": funnel.build_funnel,
    }
    if unknown := [name for name in names if name not in builders]:
        raise UserError(f"part {', '.join(unknown)} is unknown; expected one of {', '.join(builders)}")
    parts: list[Part] = []
    reasons: list[str] = []
    for name in names:
        began = time.perf_counter()
        try:
            with working(name):
                parts.append(builders[name](run))
            say(f"{name}: {time.perf_counter() - began:.0f} s")
        except UserError as error:
            reasons.append(f"{name} is left out: {error}")
            parts.append(_left_out(name, str(error)))
    if len(reasons) == len(parts):
        raise UserError(
            "\n".join([f"nothing is left to report of {run.workdir}:", *(reasons or ["no part was named"])])
        )
    for reason in reasons:  # last, so that an error of all is not said twice
        say(reason)
    return parts


def _left_out(name: str, reason: str) -> Part:
    """The part of a step that the log cannot have."""
    words = f"This part is left out: {reason}"
    return Part(name, name.capitalize(), (), (Text(words),), {}, {"left_out": reason})
