"""What evaluation asks of whatever predicts: the methods that models, baselines and ensembles have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

import numpy as np

from trajectory.schema import Queries

if TYPE_CHECKING:
    from trajectory.models.time_head import Wait


class Scores(NamedTuple):
    """Scores of the next step of n queries, the larger the better; column 0 is ignored. None: nothing is said of it."""

    items: Any = None  # [n, V + 1]
    interests: Any = None  # [n, K + 1]


class Scorer(Protocol):
    """Ranks what may come next."""

    @property
    def name(self) -> str:
        """What results are filed under."""

    @property
    def batch(self) -> int | None:
        """The most queries that it wants at once; None: as many as there are."""

    @property
    def log_probabilities(self) -> bool:
        """Whether its scores of items are log-probabilities, so that they have a likelihood."""

    def score(self, queries: Queries) -> Scores:
        """Scores of items and interests after the history start:stop of each query."""


class StepScores(Protocol):
    """What is said of each of the next H steps of n queries; column 0 is ignored."""

    @property
    def scores(self) -> np.ndarray:
        """Score of each item's being (a line of) step 1, 2, ... H, [n, H, V + 1]; the larger the better."""

    @property
    def within(self) -> np.ndarray:
        """Score of each item's coming within steps 1..h, [n, H, V + 1]."""

    @property
    def log_probability(self) -> np.ndarray | None:
        """Log-probability of each item at each step, [n, H, V + 1]; None where scores have an order only."""


class StepForecast(StepScores, Protocol):
    """The probabilities of each of the next H steps of n users. Each part is made when it is first read."""

    calibrated: bool = False  # probabilities of steps, of coming within steps, and times were fitted to outcomes

    @property
    def scores(self) -> np.ndarray:
        """The log-probabilities."""
        return self.log_probability

    @property
    def log_probability(self) -> np.ndarray:
        """Of each item at each step, [n, H, V + 1] (where steps are baskets: of a line drawn at random)."""

    @property
    def probability(self) -> np.ndarray:
        """The same as probabilities, float [n, H, V + 1], 0 in column 0."""
        probability = np.exp(self.log_probability)
        probability[:, :, 0] = 0
        return probability

    @property
    def in_sets(self) -> np.ndarray | None:
        """Whether each item is in the set that holds the step's with 90 %, bool [n, H, V + 1]; None without sets."""
        return None

    @property
    def log_interests(self) -> np.ndarray:
        """Log-probability of each interest at each step, [n, H, K + 1] (column 0: items without one)."""

    @property
    def interests(self) -> np.ndarray:
        """The same as probabilities, float [n, H, K + 1]."""
        return np.exp(self.log_interests)

    def days_calibrated(self, silent: np.ndarray) -> np.ndarray:
        """Whether `days` were fitted to outcomes, bool [n]."""
        return np.full(len(silent), self.calibrated)

    @property
    def interests_within(self) -> np.ndarray:
        """Probability of an item of each interest within steps 1..h, [n, H, K + 1]."""

    @property
    def wait(self) -> Wait | None:
        """Distribution of the days until each step, arrays [n, H, ...]; None where it has no such form."""

    def days(self, silent: np.ndarray) -> np.ndarray | None:
        """Quantiles of the days from now on until each step, float [n, H, 3] (see `metrics.waiting_time.LEVELS`), given
        that nothing came in the `silent` days [n] since the history's last event; None where nothing is said of times.
        """


class UncalibratedForecast(StepForecast, Protocol):
    """A forecast that also says what follows for several steps if the steps' own probabilities were others."""

    def within_given(self, log_probability: np.ndarray) -> np.ndarray:
        """What `within` would be with these log-probabilities of the steps [n, H, V + 1]."""

    def interests_within_given(self, log_interests: np.ndarray) -> np.ndarray:
        """What `interests_within` would be with these log-probabilities of the steps [n, H, K + 1]."""


Said = TypeVar("Said", bound=StepScores, covariant=True)


class Forecaster(Protocol[Said]):
    """Forecasts several steps."""

    @property
    def name(self) -> str:
        """What results are filed under."""

    @property
    def batch(self) -> int:
        """The most queries that it wants at once: a forecast has H x V numbers of each."""

    @property
    def timed(self) -> bool:
        """Whether its forecasts say when the steps come (`wait`)."""

    def forecast(self, queries: Queries) -> Said:
        """The steps after the history start:stop of each query."""
