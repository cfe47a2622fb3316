"""Flow forecasts: how much interest is expected to move between each pair of interests in the next window."""

from __future__ import annotations

import numpy as np
import polars as pl
from scipy.stats import false_discovery_control

from trajectory.migrations.flows import p_of_no_change, quasi_independent

LEAST = 0.001  # of one user's interest: less, over all users, is no flow


class Moves:
    """What n users are expected to leave and to take up: how the forecast state differs from the present one.

    What is in both states stays; what a user leaves goes to what it takes up in proportion.
    """

    def __init__(self, now: np.ndarray, following: np.ndarray) -> None:
        self.left = np.maximum(now - following, 0)  # [n, K]
        self.taken = np.maximum(following - now, 0)  # [n, K]
        moved = np.maximum(self.taken.sum(1, keepdims=True), 1e-12)
        self.source, self.destination = self.left / moved, self.taken / moved  # [n, K], shares of what moves

    def flow(self) -> np.ndarray:
        """Interest that moves from each to each other, summed over users, [K, K]."""
        return self.left.T @ self.destination

    def error(self) -> np.ndarray:
        """Standard error of `flow`, for users drawn at random."""
        square, n = (self.left**2).T @ self.destination**2, len(self.left)
        return np.sqrt(np.maximum(square - self.flow() ** 2 / n, 0))


def flow_forecast_matrix(now: np.ndarray, following: np.ndarray, interests: tuple[str, ...]) -> pl.DataFrame:
    """Interest that is expected to move between each pair, of states [n, K] now and in the next window.

    Columns source, destination, users (1 is all the interest of one user), expected, lift, low, high, largest
    flow first. Expectation and lift are as in `migration_matrix`; low, high: the lift's 95 % interval, normal,
    over users drawn at random.
    """
    moves = Moves(now, following)
    flow, margin = moves.flow(), 1.96 * moves.error()
    expected = np.maximum(quasi_independent(flow), 1e-12)
    source, destination = np.nonzero(flow > LEAST)
    names = pl.Series(interests, dtype=pl.String)
    values = {
        "users": flow,
        "expected": expected,
        "lift": flow / expected,
        "low": np.maximum(flow - margin, 0) / expected,
        "high": (flow + margin) / expected,
    }
    table = {"source": names.gather(source), "destination": names.gather(destination)}
    table |= {name: value[source, destination] for name, value in values.items()}
    return pl.DataFrame(table).sort("users", "source", "destination", descending=[True, False, False])


def share_forecasts(now: np.ndarray, following: np.ndarray, interests: tuple[str, ...]) -> pl.DataFrame:
    """How each interest's share over all users is expected to change: interest, now, next, change, low, high, q_value.

    States [n, K] now and in the next window; low, high: 95 % interval of the mean change, normal, over users drawn
    at random; q_value as in `flows.growth`. Fastest growing first.
    """
    change = following - now
    error = change.std(0) / np.sqrt(len(change))
    mean, margin = change.mean(0), 1.96 * error
    columns = {
        "now": now.mean(0),
        "next": following.mean(0),
        "change": mean,
        "low": mean - margin,
        "high": mean + margin,
        "q_value": false_discovery_control(p_of_no_change(mean, error, len(change))) if len(mean) else mean,
    }
    table = pl.DataFrame({"interest": pl.Series(interests, dtype=pl.String), **columns})
    return table.sort("change", "interest", descending=[True, False])
