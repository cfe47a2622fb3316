"""What lists are measured against: the forecast without counts, its next step alone, and what counting reaches."""

from __future__ import annotations

from trajectory.baselines.ease import Ease
from trajectory.baselines.next_item import Baseline, InterestFrequency, baselines
from trajectory.insights.recommend.relevance import Relevance
from trajectory.insights.recommend.tables import Order
from trajectory.run import Run

ALONE, NEXT = "forecast alone", "next item"  # not pooled with any count; of the next step: the plain recommender
OWN = (Relevance.name, ALONE)  # lists that are not rivals


def order_of(name: str, run: Run, relevance: Relevance) -> Order | None:
    """How the list of this name (of `compare_lists`) orders items; None of ""."""
    if not name:
        return None
    if name == NEXT:
        return lambda queries, read: read.by_step[:, 0]
    baseline = next(row for row in counting_baselines(run, relevance) if row.name == name)
    return lambda queries, read: baseline.scores(queries)


def counting_baselines(run: Run, relevance: Relevance) -> list[Baseline]:
    """Those of a run's evaluation that rank items, and `Ease` where the relevance was fitted with it."""
    experiment = run.experiment
    counted = [
        baseline
        for baseline in baselines(experiment.histories, experiment.split, run.config)
        if not isinstance(baseline, InterestFrequency)
    ]
    return [*counted, relevance.neighbours] if isinstance(relevance.neighbours, Ease) else counted
