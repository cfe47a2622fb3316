"""The long comparison: segments beside all rivals, and with the truth of a synthetic log."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from trajectory.insights.segments.evaluate import measure
from trajectory.insights.segments.recovery import QUARTER, planted_interests, score
from trajectory.insights.segments.segmentation import segmentation
from trajectory.insights.segments.states import trajectories
from trajectory.insights.segments.tables import members_table
from trajectory.run import Run


def compare(run: Run) -> dict[str, Any]:
    """What `measure` says of the segments of the run's cut, and "recovery": weeks -> `score`, empty without a truth."""
    cut = run.experiment.split.cut_time("test")
    segments = segmentation(trajectories(run, [cut])[0], run.config.seed)
    recovery = {}
    for weeks in (QUARTER, 2 * QUARTER):
        truth = None if cut is None else planted_interests(Path(run.config.data.source), cut, weeks)
        if truth is not None:
            recovery[weeks] = score(members_table(segments), truth)
    return measure(run, segments) | {"recovery": recovery}
