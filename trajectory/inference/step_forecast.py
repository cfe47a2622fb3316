"""What is foretold of each user: the chance of each item at each step and within several, and when the steps come.

A run whose heads foretell so many steps directly is read so (that measures better at later steps, RESULTS.md), with the
calibration that its evaluation fitted, if there is one; any other by sampled paths. Chances within days are of sampled
paths in any case, for they depend on what comes when.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np

from trajectory.calibration.per_step import CalibratedForecast, StepCalibration
from trajectory.inference.beam_search import Beams, search
from trajectory.inference.sampling import Paths, sample
from trajectory.inference.scorer import DirectForecast
from trajectory.metrics.by_interest import by_interest
from trajectory.metrics.waiting_time import LEVELS
from trajectory.progress import progress
from trajectory.run import Run
from trajectory.schema import Histories, Queries


@dataclass(frozen=True)
class Outlook:
    """The next H steps of n users."""

    probability: np.ndarray  # float [n, H, V + 1], of each item at each step (share of a line, where steps are baskets)
    interest: np.ndarray  # float [n, H, K + 1], probability of each interest at each step (column 0: items without one)
    within: Callable[[], tuple[np.ndarray, np.ndarray]]  # `visited` and `interest_visited`, which not all ask for
    days: np.ndarray | None = None  # float64 [n, H, 3], quantiles LEVELS until the step; None without a time head
    soon: np.ndarray | None = None  # float [n, V + 1], probability of the item within the days asked for (all steps)
    interest_soon: np.ndarray | None = None  # float [n, K + 1], likewise

    @cached_property
    def _both(self) -> tuple[np.ndarray, np.ndarray]:
        return self.within()

    @property
    def visited(self) -> np.ndarray:
        """Probability of each item within steps 1..h, float [n, H, V + 1]."""
        return self._both[0]

    @property
    def interest_visited(self) -> np.ndarray:
        """Probability of an item of each interest within steps 1..h, float [n, H, K + 1]."""
        return self._both[1]


def look_ahead(
    run: Run, histories: Histories, queries: Queries, steps: int, paths: int, days: float = 0.0
) -> Iterator[tuple[Queries, Outlook]]:
    """The outlook of every query's user over `steps` steps, some users at a time."""
    direct = _direct(run, histories, steps) if run.task.config.heads.horizon >= steps else None
    timed = run.task.model.spec.time and histories.has_time
    if direct and not days:
        size = DirectForecast.batch
        for chunk in progress(queries.chunks(size), "forecast", -(-len(queries.user) // size)):
            yield chunk, _outlook(direct, chunk, timed)
        return
    for chunk, sampled in sample_run(run, histories, queries, steps, paths, days):
        if direct:
            outlook = _outlook(direct, chunk, timed)
        else:
            quantiles = np.moveaxis(np.quantile(sampled.days, LEVELS, axis=1), 0, -1) if timed else None
            shares = by_interest(histories, sampled.probability)
            outlook = Outlook(sampled.probability, shares, partial(_visited, sampled), quantiles)
        if days:
            outlook = replace(outlook, soon=sampled.soon, interest_soon=sampled.interest_soon)
        yield chunk, outlook


def calibration(run: Run, steps: int) -> tuple[StepCalibration | None, str]:
    """What evaluate.py --ahead=direct fitted for the first `steps` steps of this run's direct forecasts, or why not."""
    path = run.workdir / "calibration.json"
    again = "evaluate.py --ahead=direct"
    if not path.exists():
        return None, f"not calibrated ({again} does)"
    fitted, checkpoint = StepCalibration.read(path)
    if checkpoint != run.checkpoint:
        return None, f"not calibrated (calibration.json is of another checkpoint, {checkpoint}: run {again} again)"
    if steps > len(fitted.at):
        return None, f"not calibrated (calibration.json is of {len(fitted.at)} steps, as many as the split held out)"
    return fitted, "calibrated on validation"


def method(run: Run, steps: int, paths: int) -> str:
    """How `look_ahead` finds its chances, in words to be read after a chance."""
    among = ", among items that the user has not had" if run.task.config.evaluation.seen == "filter" else ""
    if run.task.config.heads.horizon < steps:
        return f"from {paths} sampled paths, not calibrated{among}"
    return f"directly by the model's heads, {calibration(run, steps)[1]}{among}"


def _direct(run: Run, histories: Histories, steps: int) -> DirectForecast | CalibratedForecast:
    """The run's heads, calibrated if they have been."""
    plain = DirectForecast(run.predictor(histories), steps)
    fitted, _ = calibration(run, steps)
    return plain if fitted is None else CalibratedForecast(plain, fitted, histories)


def _outlook(forecaster: DirectForecast | CalibratedForecast, queries: Queries, timed: bool) -> Outlook:
    ahead = np.asarray(forecaster.ahead(queries))
    chance = np.exp(ahead)
    chance[:, :, 0] = 0
    shares = forecaster.interests(queries, ahead)
    quantiles = None
    if timed:
        quantiles = forecaster.times(queries, np.zeros(chance.shape[:2])).days

    def within() -> tuple[np.ndarray, np.ndarray]:
        return forecaster.within(queries, ahead), forecaster.interests_within(queries, shares)

    return Outlook(chance, np.exp(shares), within, quantiles)


def _visited(paths: Paths) -> tuple[np.ndarray, np.ndarray]:
    return paths.visited, paths.interest_visited


def sample_run(
    run: Run, histories: Histories, queries: Queries, steps: int, paths: int, days: float = 0.0
) -> Iterator[tuple[Queries, Paths]]:
    """Sampled paths of a run's model after these histories, with the habits of the log it has learned."""
    habit, seed = run.vocabulary.statistics, run.task.config.seed
    return sample(run.predictor(histories), queries, habit, steps=steps, paths=paths, seed=seed, days=days)


def beam_run(
    run: Run, histories: Histories, queries: Queries, steps: int, interests: bool
) -> Iterator[tuple[Queries, Beams]]:
    """The likeliest paths of items, or of `interests`, by a run's model (see `beam.search`; config.forecast)."""
    f, seed = run.task.config.forecast, run.task.config.seed
    return search(
        run.predictor(histories),
        queries,
        run.vocabulary.statistics,
        steps=steps,
        beams=f.beams,
        particles=f.particles,
        interests=interests,
        seed=seed,
    )
