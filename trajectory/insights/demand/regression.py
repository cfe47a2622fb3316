"""The forecast: a regression, pooled over all series, of coming weeks on what is known before them."""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import PoissonRegressor

from trajectory.insights.demand.features import FEW, HORIZONS, Known

PENALTY = 10.0  # of standardised coefficients
LEAST = 0.3  # events a week of a series that is learned from
FARTHEST = 20.0  # times the level, or below it


def forecasts(known: Known, users: bool = True, promotions: bool = True) -> np.ndarray:
    """Expected events of each series in the weeks after each origin of `known`, float64 [O, HORIZONS, S].

    For each origin and horizon a Poisson regression of the ratio of what came to the level, each series weighing as
    much as its level: its forecasts of what it learned from add up to what came, where a regression of logs would
    forecast too little of what sells seldom. It is learned from the earlier origins whose outcome this one knows, so
    that it never looks ahead. It counts as far as what it said at earlier origins was nearer to what came than the
    level (`_weight`), as few series and origins teach it chance. Horizons at which it has not been tried yet follow the
    longest at which it has, or the level. `users`, `promotions`: whether to go by users' forecasts and planned
    promotions.
    """
    shape = (len(known.origins), HORIZONS, len(known.count))
    forecast, said = np.zeros(shape), np.full(shape, np.nan)
    for now, origin in enumerate(known.origins):
        for h in range(HORIZONS):
            seen = [i for i, past in enumerate(known.origins) if past + h + 1 <= origin]
            level, came = known.level[seen], known.count[:, [known.origins[i] + h for i in seen]].T
            tried = np.isfinite(said[seen, h]).all(1)
            if (level > LEAST).any():
                ratio = _regression(_features(known, h, users, promotions), seen, now, came, level)
                said[now, h] = np.maximum((known.level[now] + FEW) * ratio - FEW, 0)
            if not tried.any():
                forecast[now, h] = forecast[now, h - 1] if h else known.level[now]
                continue
            weight = _weight(said[seen, h][tried], came[tried], level[tried])
            forecast[now, h] = known.level[now] + weight * (said[now, h] - known.level[now])
    return forecast


def _features(known: Known, h: int, users: bool, promotions: bool) -> np.ndarray:
    parts = [known.series] + [known.planned[:, h]] * promotions + [known.expected[:, h]] * users
    return np.concatenate(parts, axis=-1)


def _regression(x: np.ndarray, seen: list[int], now: int, came: np.ndarray, level: np.ndarray) -> np.ndarray:
    """Ratios [S] to the level that follow from the features x [O, S, F] of origin number `now`, as those of `seen`."""
    some = level > LEAST
    scale, weight = x[seen][some].std(0) + 1e-9, level[some] + FEW
    model = PoissonRegressor(alpha=PENALTY / weight.sum(), solver="newton-cholesky")
    model.fit(x[seen][some] / scale, (came[some] + FEW) / weight, sample_weight=weight)
    return np.clip(model.predict(x[now] / scale), 1 / FARTHEST, FARTHEST)  # type: ignore[no-any-return]


def _weight(said: np.ndarray, came: np.ndarray, level: np.ndarray) -> float:
    """The share of what was `said` beyond the level that is nearest, by least squares, to what came: stacking (Wolpert
    1992) with the level, errors counting as those of counts do.
    """
    beyond, counted = said - level, np.where(level > LEAST, 1 / (level + FEW), 0)
    return float(np.clip((counted * beyond * (came - level)).sum() / max((counted * beyond**2).sum(), 1e-12), 0, 1))
