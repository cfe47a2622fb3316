"""How far demand strays from a forecast: quantiles of the relative errors at earlier origins, of series as large."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.stats import nbinom

from trajectory.insights.demand.features import FEW, log_ratio

LEVELS = (0.025, 0.1, 0.5, 0.9, 0.975)  # 80 and 95 % intervals and the median
SIZES = (2.0, 10.0, 50.0, 250.0)  # events: series between these err alike
LEAST = 100  # errors of series as large that quantiles are taken of; with fewer, or ...
LEAST_ORIGINS = 13  # ... errors at fewer origins, as what one week does to all is one error: those of counts
OWN = 4  # errors of its own by which a series' spread is as much its own as that of all


def quantiles(
    forecast: np.ndarray,
    observed: np.ndarray,
    origins: Sequence[int],
    span: int,
    now: int,
    levels: Sequence[float],
    simple: int = 0,
) -> np.ndarray:
    """Quantiles of what comes after origin number `now`, float64 [S, len(levels)].

    `forecast` and `observed` [O, S] are of a time that ends `span` weeks after each origin (week numbers, in order):
    only errors that were seen by then count. Split conformal prediction (Vovk et al. 2005; Lei et al. 2018) of the
    log-ratio, within sizes of forecast; with few errors quantiles of counts, as spread as what was seen. The first
    `simple` rows are of a simple rule before the first forecast: they count only there. NaN without any error seen.

    A forecast is a mean, which may lie above the upper quantiles of rare sales, or be off to one side. Quantiles other
    than the median reach to it, so that it lies within its intervals: these cover no less for it.
    """
    seen = [i for i, past in enumerate(origins) if past + span <= origins[now]]
    quantiles = np.full((forecast.shape[1], len(levels)), np.nan)
    if not seen:
        return quantiles
    own = [i for i in seen if i >= simple]
    error = log_ratio(observed[own], forecast[own]).ravel()
    size, mine = np.searchsorted(SIZES, forecast[own].ravel()), np.searchsorted(SIZES, forecast[now])
    counted = _of_counts(forecast[now], forecast[seen], observed[seen], len(own), levels)
    for group in np.unique(mine):
        like, some = np.sort(error[size == group]), mine == group
        if len(like) < LEAST or len(own) < LEAST_ORIGINS:
            quantiles[some] = counted[some]
            continue
        strayed = [_order(like, level) for level in levels]
        quantiles[some] = (forecast[now][some, None] + FEW) * np.exp(strayed) - FEW
    return _about(np.maximum(forecast[now], 0)[:, None], np.maximum(quantiles, 0), np.asarray(levels))


def _about(forecast: np.ndarray, quantiles: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """The quantiles [S, len(levels)], those below the median at most the `forecast` [S, 1], those above at least."""
    upper = np.where(levels > 0.5, np.maximum(quantiles, forecast), quantiles)
    return np.where(levels < 0.5, np.minimum(upper, forecast), upper)


def _of_counts(
    forecast: np.ndarray, said: np.ndarray, observed: np.ndarray, own: int, levels: Sequence[float]
) -> np.ndarray:
    """Quantiles [S, len(levels)] of negative binomial counts about `forecast` [S], Poisson where spread no wider.

    Their variance over their mean is the squared errors of what was `said` [n, S] over what that and what came mean,
    of each series and, as by `OWN` more errors, of all; wider where all the forecast's `own` errors, the last rows, are
    larger than all. Something is expected even of what has not been sold yet.
    """
    error, size = (observed - said) ** 2, (observed + said) / 2
    overall, last = (
        error[rows].sum() / max(size[rows].sum(), FEW) for rows in (slice(None), slice(len(said) - own, None))
    )
    ratio = np.where(size.sum(0) > 0, error.sum(0) / np.maximum(size.sum(0), 1e-12), overall)
    spread = (len(said) * ratio + OWN * overall) / (len(said) + OWN)
    spread = np.maximum(spread * max(last / max(overall, 1e-12), 1), 1 + 1e-6)
    mean = np.maximum(forecast, FEW / len(said))
    return nbinom.ppf(np.asarray(levels), (mean / (spread - 1))[:, None], (1 / spread)[:, None])


def _order(sorted_errors: np.ndarray, level: float) -> float:
    """The order statistic that a new error stays below with at least the chance `level` (above 1/2; mirrored below)."""
    n = len(sorted_errors)
    rank = np.ceil((n + 1) * level) if level >= 0.5 else np.floor((n + 1) * level)
    return float(sorted_errors[int(np.clip(rank, 1, n)) - 1])


def pinball(observed: np.ndarray, quantile: np.ndarray, level: float) -> np.ndarray:
    """Pinball loss of each forecast of a quantile (Koenker & Bassett 1978), shaped as `observed`."""
    above = observed - quantile
    return np.maximum(level * above, (level - 1) * above)
