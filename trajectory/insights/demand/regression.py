"""The forecast: a regression, pooled over all series, of coming weeks on what is known before them."""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import Ridge

from trajectory.insights.demand.features import FEW, HORIZONS, Known, log_ratio

PENALTY = 10.0  # of standardised coefficients
LEAST = 0.3  # events a week of a series that is learned from
FARTHEST = 3.0  # log-ratio


def forecasts(known: Known, users: bool = True, promotions: bool = True) -> np.ndarray:
    """Expected events of each series in the weeks after each origin of `known`, float64 [O, HORIZONS, S].

    For each origin and horizon a ridge regression of the log-ratio of what came to the level, each series weighing as
    much as its level; learned from the earlier origins whose outcome this one knows, so that it never looks ahead.
    Horizons that no origin has seen yet follow the longest that has, or the level. `users`, `promotions`: whether to
    go by users' forecasts and planned promotions.
    """
    found = np.zeros((len(known.origins), HORIZONS, len(known.count)))
    for now, origin in enumerate(known.origins):
        for h in range(HORIZONS):
            seen = [i for i, past in enumerate(known.origins) if past + h + 1 <= origin]
            if not seen:
                found[now, h] = found[now, h - 1] if h else known.level[now]
                continue
            x, level = _features(known, h, users, promotions), known.level[seen]
            came = known.count[:, [known.origins[i] + h for i in seen]].T
            some = level > LEAST
            scale = x[seen][some].std(0) + 1e-9
            y = log_ratio(came, level)[some]
            model = Ridge(alpha=PENALTY).fit(x[seen][some] / scale, y, sample_weight=level[some])
            ratio = np.exp(np.clip(model.predict(x[now] / scale), -FARTHEST, FARTHEST))
            found[now, h] = np.maximum((known.level[now] + FEW) * ratio - FEW, 0)
    return found


def _features(known: Known, h: int, users: bool, promotions: bool) -> np.ndarray:
    parts = [known.series] + [known.planned[:, h]] * promotions + [known.expected[:, h]] * users
    return np.concatenate(parts, axis=-1)
