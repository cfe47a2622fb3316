"""The forecast: a regression, pooled over all series, of coming weeks on what is known before them."""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import Ridge

from trajectory.insights.demand.features import FEW, HORIZONS, PRIOR, Known, log_ratio

PENALTY = 10.0  # of standardised coefficients
LEAST = 0.3  # events a week of a series that is learned from
FARTHEST = 3.0  # log-ratio


def forecasts(known: Known, users: bool = True, promotions: bool = True) -> np.ndarray:
    """Expected events of each series in the weeks after each origin of `known`, float64 [O, HORIZONS, S].

    For each origin and horizon a ridge regression of the log-ratio of what came to the level, each series weighing as
    much as its level; learned from the earlier origins whose outcome this one knows, so that it never looks ahead. It
    counts as far as what it said at earlier origins was nearer to what came than the level (`_weight`), as few series
    and origins teach it chance. Horizons at which it has not been tried yet follow the longest at which it has, or the
    level. What follows from logs is a geometric mean, which is less than the mean of small counts, so all series are
    raised alike until earlier forecasts add up to what came (`_retransformed`). `users`, `promotions`: whether to go by
    users' forecasts and planned promotions.
    """
    shape = (len(known.origins), HORIZONS, len(known.count))
    forecast, ratio, from_logs = np.zeros(shape), np.full(shape, np.nan), np.full(shape, np.nan)
    for now, origin in enumerate(known.origins):
        for h in range(HORIZONS):
            seen = [i for i, past in enumerate(known.origins) if past + h + 1 <= origin]
            level = known.level[seen]
            observed = log_ratio(known.count[:, [known.origins[i] + h for i in seen]].T, level)
            counted = np.where(level > LEAST, level, 0)
            tried = np.isfinite(ratio[seen, h]).all(1)
            if counted.any():
                ratio[now, h] = _regression(_features(known, h, users, promotions), seen, now, observed, counted)
            if not tried.any():
                forecast[now, h] = forecast[now, h - 1] if h else known.level[now]
                continue
            weight = _weight(ratio[seen, h][tried], observed[tried], counted[tried])
            from_logs[now, h] = np.maximum((known.level[now] + FEW) * np.exp(weight * ratio[now, h]) - FEW, 0)
            came = known.count[:, [known.origins[i] + h for i in seen]].T
            forecast[now, h] = from_logs[now, h] * _retransformed(came, from_logs[seen, h])
    return forecast


def _features(known: Known, h: int, users: bool, promotions: bool) -> np.ndarray:
    parts = [known.series] + [known.planned[:, h]] * promotions + [known.expected[:, h]] * users
    return np.concatenate(parts, axis=-1)


def _regression(x: np.ndarray, seen: list[int], now: int, observed: np.ndarray, counted: np.ndarray) -> np.ndarray:
    """Log-ratios [S] that follow from the features x [O, S, F] of origin number `now`, as those that came of `seen`."""
    some = counted > 0
    scale = x[seen][some].std(0) + 1e-9
    model = Ridge(alpha=PENALTY).fit(x[seen][some] / scale, observed[some], sample_weight=counted[some])
    return np.clip(model.predict(x[now] / scale), -FARTHEST, FARTHEST)  # type: ignore[no-any-return]


def _retransformed(came: np.ndarray, said: np.ndarray) -> float:
    """By what forecasts from logs are multiplied so that those `said` [n, S] (NaN: none) add up to what `came`
    (the ratio estimator of the bias of retransformation, Snowdon 1991), as far as there was enough to tell.
    """
    there = np.isfinite(said)
    return float((came[there].sum() + PRIOR) / (said[there].sum() + PRIOR))


def _weight(said: np.ndarray, observed: np.ndarray, counted: np.ndarray) -> float:
    """The share of the log-ratios `said` that is nearest, by least squares, to those that came: stacking (Wolpert 1992)
    with the level, whose log-ratio is 0.
    """
    return float(np.clip((counted * said * observed).sum() / max((counted * said**2).sum(), 1e-12), 0, 1))
