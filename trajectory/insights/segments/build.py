"""The step `segments`: the users of a run grouped by where they are heading, and how far such groups hold."""

from __future__ import annotations

from trajectory.evaluation.standing import warning
from trajectory.insights.changes.periods import periods
from trajectory.insights.customers.sums import Money
from trajectory.insights.report_model import Part, folded
from trajectory.insights.segments.baselines import COUNTS, RFM
from trajectory.insights.segments.evaluate import measure
from trajectory.insights.segments.evaluation_page import holdout_accuracy
from trajectory.insights.segments.page import blocks
from trajectory.insights.segments.segmentation import segmentation
from trajectory.insights.segments.sentences import sentences
from trajectory.insights.segments.states import trajectories
from trajectory.insights.segments.tables import members_table, profiles_table
from trajectory.run import Run


def build_segments(run: Run) -> Part:
    """The users of a run in segments as of the end of its log; measured are those of its test cut."""
    cut, seed = run.experiment.split.cut_time("test"), run.config.seed
    histories = run.experiment.histories
    now = histories.now if histories.has_time else None  # weeks without anything count: users who left bring less
    moments = [now] if cut is None else [cut, now]
    segmentations = [segmentation(states, seed) for states in trajectories(run, moments)]
    measured, current = measure(run, segmentations[0], (RFM, COUNTS)), segmentations[-1]
    money = Money.of(run)
    profiles = profiles_table(current, money)
    return Part(
        name="segments",
        title="Segments: where users are and where they are going",
        sentences=sentences(
            current, profiles, measured, money, warning(run, "forecasts of where segments are heading")
        ),
        blocks=(
            *blocks(current, profiles, money, run.config.evaluation.seen == "filter"),
            *folded(holdout_accuracy(measured, cut, current.trajectories.words)),
        ),
        tables={
            "segments": members_table(current),
            "segment_profiles": profiles,
            **({"segment_periods": periods(histories, current.of_users)} if histories.has_time else {}),
        },
        measured=measured,
    )
