"""What evaluation asks of whatever predicts: the methods that models, baselines and ensembles have in common."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from trajectory.schema import Queries


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
