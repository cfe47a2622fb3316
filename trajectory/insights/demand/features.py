"""What is known, at an origin, of each series' demand in a week to come: logs relative to its smoothed level."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

HORIZONS = 8  # weeks ahead
SMOOTHING = 0.3  # of the level that all else is relative to
SLOW = 0.1
MEANS = (1, 4, 13)  # weeks
FEW = 0.5  # events a week, added to both sides of a ratio
STORES = 25.0  # stores with a promotion, likewise
PRIOR = 20.0  # events by which the users' forecast is taken to be without bias


@dataclass(frozen=True)
class Known:
    """All that forecasts of one level go by: S series, W weeks, O origins; origin w knows weeks 0 .. w - 1.

    `users` [O, HORIZONS, S]: events that users' forecasts expect after each origin. `promotions` [S, W + HORIZONS, P]:
    planned stores of each kind of promotion, NaN in weeks of which no plan is known. Either may be None.
    """

    count: np.ndarray  # float64 [S, W]
    origins: tuple[int, ...]  # in order
    users: np.ndarray | None = None
    promotions: np.ndarray | None = None

    @cached_property
    def level(self) -> np.ndarray:
        """Exponentially smoothed events a week before each origin, float64 [O, S]."""
        return np.stack([smoothed(self.count, origin, SMOOTHING) for origin in self.origins])

    @cached_property
    def series(self) -> np.ndarray:
        """Log-ratios of recent weeks and of slower smoothing to the level, float64 [O, S, F]."""
        rows = []
        for origin in self.origins:
            recent = [self.count[:, max(origin - weeks, 0) : origin].mean(1) for weeks in MEANS]
            rows.append(np.stack([*recent, smoothed(self.count, origin, SLOW)], axis=1))
        return log_ratio(np.stack(rows), self.level[:, :, None])

    @cached_property
    def planned(self) -> np.ndarray:
        """Log-ratio of the promotions planned in each week ahead to what has been usual, [O, HORIZONS, S, P]."""
        if self.promotions is None:
            return np.zeros((len(self.origins), HORIZONS, len(self.count), 0))
        rows = []
        for origin in self.origins:
            usual = smoothed(np.nan_to_num(self.promotions), origin, SMOOTHING)
            ahead = self.promotions[:, origin : origin + HORIZONS].swapaxes(0, 1)
            rows.append(log_ratio(np.where(np.isfinite(ahead), ahead, usual), usual, STORES))
        return np.stack(rows)

    @cached_property
    def expected(self) -> np.ndarray:
        """Log-ratio of what users' forecasts expect, without its past bias, to the level, [O, HORIZONS, S, 0 or 1].

        The bias of a series is that of the first weeks after all earlier origins.
        """
        if self.users is None:
            return np.zeros((len(self.origins), HORIZONS, len(self.count), 0))
        past = [origin for origin in self.origins if origin < self.count.shape[1]]
        sold_so_far = np.cumsum(self.count[:, past].T, 0)
        said = np.cumsum(self.users[: len(past), 0], 0)
        bias = np.concatenate([np.ones((1, len(self.count))), (sold_so_far + PRIOR) / (said + PRIOR)])[
            : len(self.origins)
        ]
        return log_ratio(self.users * bias[:, None], self.level[:, None])[..., None]


def smoothed(values: np.ndarray, origin: int, rate: float) -> np.ndarray:
    """Exponentially smoothed values [S, ...] of the weeks [S, W, ...] before `origin`, weights summing to 1."""
    weight = (1 - rate) ** np.arange(origin - 1, -1, -1.0)
    return np.einsum("sw...,w->s...", values[:, :origin], weight / weight.sum())


def log_ratio(numerator: np.ndarray, denominator: np.ndarray, few: float = FEW) -> np.ndarray:
    """Log of one over the other, both with `few` more."""
    return np.log((numerator + few) / (denominator + few))
