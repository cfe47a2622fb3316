"""When each customer orders next: the wait with its range, or that nothing is expected within the days ahead.

Waits that run past the days ahead are known only to be longer, so every forecast is of the wait cut off there, and
methods are compared by quantiles of it, which cutting leaves as they are
(Powell 1986, "Censored regression quantiles").
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from scipy.special import log_ndtr, ndtri
from sklearn.ensemble import HistGradientBoostingRegressor

from trajectory.data.times import DAY
from trajectory.insights.customers.lifetime import BgNbd, Habits
from trajectory.metrics.significance import bootstrap

LEVEL = 0.8
RESAMPLES = 500
QUANTILES = ((1 - LEVEL) / 2, 0.5, (1 + LEVEL) / 2)
WAITS, LEAVING, LEARNED = "waits of the customer and of all", "BG/NBD", "gradient boosting of quantiles"
LAST, MEAN, MEDIAN = "the last wait again", "the customer's mean wait", "the median wait of all"  # points alone
_WAITS = ("waits", "log_mean", "log_squares")
_BOOSTED = {"max_depth": 3, "max_iter": 80, "learning_rate": 0.06, "min_samples_leaf": 20, "random_state": 0}


class Waiting(NamedTuple):
    """n customers at a moment, in days; what came is NaN where the days after it are not over."""

    habits: Habits
    features: np.ndarray  # float64 [n, F]
    waits: np.ndarray  # float64 [n], how many waits between orders there are so far
    log_mean: np.ndarray  # float64 [n], mean of their logs; 0 without any
    log_squares: np.ndarray  # float64 [n], sum of the squares of the logs about that mean
    last: np.ndarray  # float64 [n], the last wait; NaN without any
    came: np.ndarray  # float64 [n], days until the next order, at most the days ahead


class NextOrders(NamedTuple):
    """The forecast of n customers."""

    wait: np.ndarray  # float64 [n, 3], days at QUANTILES; inf where it is longer than the days ahead
    by: str  # the method that validation chose
    measured: dict[str, Any]


def waiting(
    orders: pl.DataFrame, moment: int, days: int, end: int, user: np.ndarray, habits: Habits, features: np.ndarray
) -> Waiting:
    """The customers `user` at a moment, from `orders` (user, time, sold); their next order, where the days are over."""
    sold = orders.filter(pl.col("sold")).sort("user", "time")
    wait = ((pl.col("time") - pl.col("time").shift().over("user")) / DAY).alias("wait")
    before = sold.filter(pl.col("time") < moment).with_columns(wait).filter(pl.col("wait") > 0)
    log = pl.col("wait").log()
    so_far = before.group_by("user", maintain_order=True).agg(
        waits=pl.len().cast(pl.Float64),
        log_mean=log.mean(),
        log_squares=((log - log.mean()) ** 2).sum(),
        last=pl.col("wait").last(),
    )
    until = (pl.col("time").min() - moment) / DAY
    after = sold.filter(pl.col("time") >= moment).group_by("user").agg(came=until)
    asked = pl.DataFrame({"user": user}).join(so_far, on="user", how="left", maintain_order="left")
    known = asked.join(after, on="user", how="left", maintain_order="left")
    waits, log_mean, log_squares = (known[name].fill_null(0.0).to_numpy() for name in _WAITS)
    last = known["last"].fill_null(np.nan).to_numpy()
    came = np.minimum(known["came"].cast(pl.Float64).fill_null(float(days)).to_numpy(), days)
    over = moment + days * DAY <= end
    return Waiting(habits, features, waits, log_mean, log_squares, last, came if over else np.full(len(user), np.nan))


def next_orders(at: Sequence[Waiting], models: Sequence[BgNbd | None], days: int) -> NextOrders:
    """The customers at the last of four moments; a method is fitted on the first, chosen on the second, tested on the
    third. `models`: of the last three.
    """
    chosen_by, tested = at[1], at[2]
    validated, held, last = (_waits(at[i], at[i + 1], models[i], days) for i in range(3))
    by = min(validated, key=lambda name: pinball(validated[name], chosen_by.came, days))
    return NextOrders(last[by], by, _measured(held, at[1], tested, by, days))


def pinball(wait: np.ndarray, came: np.ndarray, days: int) -> float:
    """Mean pinball loss at QUANTILES of waits that are cut off at `days`."""
    over = came[:, None] - np.minimum(wait, days)
    return float(np.maximum(np.array(QUANTILES) * over, (np.array(QUANTILES) - 1) * over).mean())


def _waits(learned: Waiting, asked: Waiting, model: BgNbd | None, days: int) -> dict[str, np.ndarray]:
    """Method -> days at QUANTILES [n, 3], inf where past `days`; what has to see what came is fitted on `learned`."""
    found = {WAITS: _renewal(asked)}
    if model:
        found[LEAVING] = _leaving(model, asked.habits)
    boosted = [
        HistGradientBoostingRegressor(loss="quantile", quantile=of, **_BOOSTED)
        .fit(learned.features, learned.came)
        .predict(asked.features)
        for of in QUANTILES
    ]
    found[LEARNED] = np.maximum.accumulate(np.maximum(np.stack(boosted, 1), 0), 1)
    return {name: np.where(wait >= days - 0.5, np.inf, wait) for name, wait in found.items()}


def _leaving(model: BgNbd, h: Habits) -> np.ndarray:
    """Days by when an order has come with each chance, of customers who may have left without being seen."""
    share = np.array(QUANTILES) / model.alive(h)[:, None]
    with np.errstate(over="ignore"):
        grown = (1 - np.minimum(share, 1 - 1e-12)) ** (-1 / (model.r + h.again))[:, None]
        return np.where(share < 1, (model.alpha + h.age)[:, None] * (grown - 1), np.inf)


def _renewal(asked: Waiting) -> np.ndarray:
    """Lognormal waits about each customer's level, shrunk to that of all, longer than what was waited so far."""
    h, count = asked.habits, asked.waits
    some = count > 0
    free = float((count[some] - 1).sum())
    if free < 1:
        return np.full((len(count), 3), np.inf)
    within = max(float(asked.log_squares.sum()) / free, 1e-3)
    level = float(asked.log_mean[some].mean())
    between = float(asked.log_mean[some].var()) - within * float((1 / count[some]).mean())
    weight = within / max(between, 1e-3 * within)  # waits that the level of all counts as
    mean = (count * asked.log_mean + weight * level) / (count + weight)
    spread = np.sqrt(within * (1 + 1 / (count + weight)))
    waited = np.maximum(h.age - h.recency, 1e-3)
    longer = log_ndtr(-(np.log(waited) - mean) / spread)  # log chance of a wait as long as that
    left = np.exp(longer[:, None] + np.log1p(-np.array(QUANTILES)))
    total = np.exp(np.minimum(mean[:, None] - spread[:, None] * ndtri(np.maximum(left, 1e-300)), 50))
    return np.maximum(total - waited[:, None], 0)


def _measured(held: dict[str, np.ndarray], before: Waiting, tested: Waiting, by: str, days: int) -> dict[str, Any]:
    """Of each method: mean absolute error in days (cut off at `days`), how much more that is than the chosen one's, and
    of "not within" the share told right, each with its 95 % interval over customers; of those with ranges the share
    that came inside and the pinball loss.
    """
    h = tested.habits
    waited, typical = h.age - h.recency, float(np.median(before.came))
    mean = np.where(h.again > 0, h.recency / np.maximum(h.again, 1) - waited, typical)
    points = {
        LAST: np.where(np.isnan(tested.last), typical, tested.last - waited),
        MEAN: mean,
        MEDIAN: np.full(len(waited), typical),
    }
    points = {name: wait[:, 1] for name, wait in held.items()} | points
    points = {name: np.clip(point, 0, days) for name, point in points.items()}
    errors = {name: np.abs(point - tested.came) for name, point in points.items()}
    rights = {name: (point >= days) == (tested.came >= days) for name, point in points.items()}
    several = np.stack([*errors.values(), *(error - errors[by] for error in errors.values())], 1)
    several = np.concatenate([several, np.stack(list(rights.values()), 1)], 1)
    interval, mean_of = bootstrap(several, RESAMPLES, seed=0), several.mean(0)
    ends = np.stack([mean_of, np.asarray(interval.low), np.asarray(interval.high)], 1).reshape(3, len(errors), 3)
    rows: dict[str, dict[str, Any]] = {}
    for number, name in enumerate(errors):
        rows[name] = {
            "error": float(ends[0, number, 0]),
            "error_range": ends[0, number, 1:].tolist(),
            "more": ends[1, number].tolist(),
            "not_within": float(ends[2, number, 0]),
            "not_within_range": ends[2, number, 1:].tolist(),
        }
    for name, wait in held.items():
        inside = (tested.came >= np.minimum(wait[:, 0], days)) & (tested.came <= wait[:, 2])
        rows[name] |= {"inside": float(inside.mean()), "pinball": pinball(wait, tested.came, days)}
    return {"methods": rows, "by": by, "none": float((tested.came >= days).mean())}
