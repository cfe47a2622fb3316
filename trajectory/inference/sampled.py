"""Multi-step forecasts as means over sampled paths (see `sampling`)."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from trajectory.data.pipeline.event_statistics import EventStatistics
from trajectory.inference.direct import DirectForecaster
from trajectory.inference.predictor import Predictor
from trajectory.inference.sampling import Paths, sample
from trajectory.metrics.by_interest import by_interest
from trajectory.metrics.waiting_time import LEVELS
from trajectory.metrics.within_bounds import at_least_items, bounded
from trajectory.protocols import UncalibratedForecast
from trajectory.schema import Histories, Queries

LEAST = 1e-12  # an item that no path gives a probability is rare, not impossible


class SampledForecaster:
    """Means over `paths` sampled paths of the next `steps` steps."""

    name = "sampled"
    batch = 256
    timed = False

    def __init__(self, predictor: Predictor, statistics: EventStatistics, steps: int, paths: int, seed: int) -> None:
        self.predictor, self.statistics, self.steps, self.paths, self.seed = predictor, statistics, steps, paths, seed

    def forecast(self, queries: Queries) -> SampledForecast:
        """The steps after each query's history."""
        p = self.predictor
        parts = [
            paths
            for _, paths in sample(p, queries, self.statistics, steps=self.steps, paths=self.paths, seed=self.seed)
        ]
        whole = Paths(*(np.concatenate(column) for column in zip(*parts, strict=True)))
        return SampledForecast(p, queries, whole)


class SampledForecast(UncalibratedForecast):
    """Means over sampled paths. Steps are drawn jointly: other probabilities of one do not change those of several."""

    wait = None

    def __init__(self, predictor: Predictor, queries: Queries, paths: Paths) -> None:
        self._histories: Histories = predictor.histories
        self._first = DirectForecaster(predictor, 1).forecast(queries)
        self._timed, self._paths = predictor.model.spec.heads.time and predictor.histories.has_time, paths

    @cached_property
    def probability(self) -> np.ndarray:
        """Of each item at each step, float32 [n, H, V + 1]; the first as all that says what is next has it, while paths
        leave events of long histories out to have room for their steps.
        """
        return np.concatenate([self._first.probability, self._paths.probability[:, 1:]], axis=1)

    @cached_property
    def log_probability(self) -> np.ndarray:
        """The same in logarithms; an item that is on no path keeps LEAST."""
        return np.log(self.probability + LEAST)

    @cached_property
    def interests(self) -> np.ndarray:
        """Of each interest at each step, [n, H, K + 1]."""
        return by_interest(self._histories, self.probability)

    @cached_property
    def log_interests(self) -> np.ndarray:
        """The same in logarithms."""
        return np.log(self.interests + LEAST)

    @cached_property
    def within(self) -> np.ndarray:
        """Probability of each item within steps 1..h, [n, H, V + 1]."""
        return bounded(self._paths.visited, self.probability, self._histories.baskets)

    @cached_property
    def interests_within(self) -> np.ndarray:
        """Probability of an item of each interest within steps 1..h, [n, H, K + 1]."""
        within = bounded(self._paths.interest_visited, self.interests, self._histories.baskets)
        return at_least_items(within, self.within, self._histories.item_interest)

    def days(self, silent: np.ndarray) -> np.ndarray | None:
        """Quantiles of the days until each step, of paths sampled given this silence; None without a time head."""
        if not self._timed:
            return None
        days = np.moveaxis(np.quantile(self._paths.days, LEVELS, axis=1), 0, -1)
        return np.maximum(days - silent[:, None, None], 0)

    def within_given(self, log_probability: np.ndarray) -> np.ndarray:
        """As `within`."""
        return self.within

    def interests_within_given(self, log_interests: np.ndarray) -> np.ndarray:
        """As `interests_within`."""
        return self.interests_within
