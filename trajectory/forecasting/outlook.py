"""What is foretold of each user: the chance of each item at each step and within several, and when the steps come.

Chances at a step are the direct heads' where the run has them for so many steps (they measure better at later steps,
RESULTS.md), else means over sampled paths. Chances within several steps or days are of sampled paths in any case, for
they depend on what comes together; where no item comes twice, items' are the sums of the direct chances.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from trajectory.data.rows import slices
from trajectory.evaluation.horizon_times import LEVELS
from trajectory.evaluation.scorer import DirectForecast
from trajectory.forecasting.beam import Beams, search
from trajectory.forecasting.habits import habits
from trajectory.forecasting.paths import Paths, sample
from trajectory.schema import Histories, Queries
from trajectory.training.run import Run


class Outlook(NamedTuple):
    """The next H steps of n users."""

    probability: (
        np.ndarray
    )  # float32 [n, H, V + 1], of each item at each step (share of a line, where steps are baskets)
    visited: np.ndarray  # float32 [n, H, V + 1], probability of the item within steps 1..h
    soon: np.ndarray  # float32 [n, V + 1], probability of the item within the days asked for (and all steps)
    interest_visited: np.ndarray  # float32 [n, H, K + 1], probability of an item of the interest within steps 1..h
    interest_soon: np.ndarray  # float32 [n, K + 1], within the days asked for (and all steps)
    days: np.ndarray | None  # float64 [n, H, 3], quantiles LEVELS of the time until the step; None without a time head


def look_ahead(
    run: Run, histories: Histories, queries: Queries, steps: int, paths: int, days: float = 0.0
) -> Iterator[tuple[Queries, Outlook]]:
    """The outlook of every query's user over `steps` steps, some users at a time."""
    task, c = run.task, run.task.config
    direct = None
    if c.heads.horizon >= steps:
        direct = DirectForecast(task.model, run.params, histories, task.scale, c.batch.length, steps=steps)
    for chunk, sampled in sample_run(run, histories, queries, steps, paths, days):
        probability, visited, quantiles = sampled.probability, sampled.visited, None
        if direct is not None:
            probability = np.exp(np.asarray(direct.ahead(chunk)))
            probability[:, :, 0] = 0
            if c.evaluation.seen == "filter":
                probability = _candidates(probability, histories, chunk)
                visited = np.cumsum(probability, axis=1).clip(0, 1)
        if task.model.spec.time and histories.has_time:
            if direct is not None:
                quantiles = direct.times(chunk, np.zeros((len(chunk.user), steps))).days
            else:
                quantiles = np.moveaxis(np.quantile(sampled.days, LEVELS, axis=1), 0, -1)
        reached = sampled.interest_visited, sampled.interest_soon
        yield chunk, Outlook(probability, visited, sampled.soon, *reached, quantiles)


def sample_run(
    run: Run, histories: Histories, queries: Queries, steps: int, paths: int, days: float = 0.0
) -> Iterator[tuple[Queries, Paths]]:
    """Sampled paths of a run's model after these histories, with the habits of the log it has learned."""
    return sample(*_known(run, histories, queries), steps=steps, paths=paths, days=days, **_rules(run))


def beam_run(
    run: Run, histories: Histories, queries: Queries, steps: int, interests: bool
) -> Iterator[tuple[Queries, Beams]]:
    """The likeliest paths of items, or of `interests`, by a run's model (see `beam.search`; config.forecast)."""
    f = run.task.config.forecast
    known = _known(run, histories, queries)
    return search(*known, steps=steps, beams=f.beams, particles=f.particles, interests=interests, **_rules(run))


def _known(run: Run, histories: Histories, queries: Queries) -> tuple[Any, ...]:
    task = run.task
    return task.model, run.params, histories, task.scale, queries, habits(task.histories)


def _rules(run: Run) -> dict[str, Any]:
    c = run.task.config
    return {"seed": c.seed, "filter_seen": c.evaluation.seen == "filter"}


def _candidates(probability: np.ndarray, histories: Histories, queries: Queries) -> np.ndarray:
    """The same chances without the items of each history, which sum to 1 again."""
    row, index = slices(queries.start, queries.stop)
    item = histories.item[index]
    known = item < probability.shape[2]
    probability[row[known], :, item[known]] = 0
    return probability / np.maximum(probability.sum(axis=2, keepdims=True), 1e-30)
