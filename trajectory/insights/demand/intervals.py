"""How far demand strays from a forecast: quantiles of the relative errors at earlier origins, of series as large."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from trajectory.insights.demand.features import FEW, log_ratio

LEVELS = (0.025, 0.1, 0.5, 0.9, 0.975)  # 80 and 95 % intervals and the median
SIZES = (2.0, 10.0, 50.0, 250.0)  # events: series between these err alike
LEAST = 100  # errors that quantiles are taken of; fewer: those of all sizes


def quantiles(
    forecast: np.ndarray, came: np.ndarray, origins: Sequence[int], span: int, now: int, levels: Sequence[float]
) -> np.ndarray:
    """Quantiles of what comes after origin number `now`, float64 [S, len(levels)].

    `forecast` and `came` [O, S] are of a time that ends `span` weeks after each origin (week numbers, in order): only
    errors that were seen by then count. Split conformal prediction (Vovk et al. 2005; Lei et al. 2018) of the
    log-ratio, within sizes of forecast. Without any errors seen all quantiles are the forecast.
    """
    seen = [i for i, past in enumerate(origins) if past + span <= origins[now]]
    found = np.repeat(forecast[now][:, None], len(levels), axis=1)
    if not seen:
        return found
    error = log_ratio(came[seen], forecast[seen]).ravel()
    size, mine = np.searchsorted(SIZES, forecast[seen].ravel()), np.searchsorted(SIZES, forecast[now])
    for group in np.unique(mine):
        like = error[size == group]
        like = np.sort(like if len(like) >= LEAST else error)
        strayed = [_order(like, level) for level in levels]
        some = mine == group
        found[some] = (forecast[now][some, None] + FEW) * np.exp(strayed) - FEW
    return np.maximum(found, 0)


def _order(sorted_errors: np.ndarray, level: float) -> float:
    """The order statistic that a new error stays below with at least the chance `level` (above 1/2; mirrored below)."""
    n = len(sorted_errors)
    rank = np.ceil((n + 1) * level) if level >= 0.5 else np.floor((n + 1) * level)
    return float(sorted_errors[int(np.clip(rank, 1, n)) - 1])


def pinball(came: np.ndarray, quantile: np.ndarray, level: float) -> np.ndarray:
    """Pinball loss of each forecast of a quantile (Koenker & Bassett 1978), shaped as `came`."""
    above = came - quantile
    return np.maximum(level * above, (level - 1) * above)
