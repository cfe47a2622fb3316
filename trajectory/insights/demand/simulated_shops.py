"""Small shops whose expected sales are known: how far forecasts, intervals and orders of their first weeks hold."""

from __future__ import annotations

import numpy as np
import polars as pl
from scipy.stats import poisson

from trajectory.insights.demand.baselines import BaselineForecast, counting_baselines
from trajectory.insights.demand.demand_forecast import FIRST_ORIGIN, Demand
from trajectory.insights.demand.evaluate import OURS, with_quantiles
from trajectory.insights.demand.features import HORIZONS, Known
from trajectory.insights.demand.intervals import pinball
from trajectory.insights.demand.order_rule import order_rule
from trajectory.insights.demand.reconcile import reconcile
from trajectory.insights.demand.regression import forecasts
from trajectory.insights.demand.reorder import COVER, SERVICE_LEVEL
from trajectory.insights.demand.weekly_counts import Weeks, summed
from trajectory.reports.words import Words

SHOPS = ("steady", "seasonal", "trending", "shared", "fallen")
ITEMS, CATEGORIES, DEPARTMENTS = 60, 6, 2
PACE = 4.0  # mean pieces of an item a week
SEASON = 0.5  # how far a category's year swings about its mean
TREND = 0.03  # growth of a category a week, up to
FALLEN = 4  # weeks before the end from which on all sell half as much
SHARED = 0.15  # deviation of the log of what one week does to all items
START = 1_704_067_200  # a Monday
AHEAD = (1, 4, 8)
BACKTEST = 6  # weeks held back, on which the rule of orders is chosen
CHOSEN = "chosen"


def measure(kind: str, weeks: int, shops: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Forecasts and orders at the end of so many weeks of so many shops, against what then comes.

    Forecasts: level, weeks_ahead, wape and bias (sum over demand, less 1) of the forecast and of each
    simple rule, coverage_80, coverage_95. Orders, by
    each method and by the one that `order_rule` takes after BACKTEST weeks held back: level, rule, lost (pinball loss
    of the order-up-to level, a share of demand), lasts (share of series whose stock lasts until the next delivery),
    to_right (what is ordered up to over what the true rates need), forecast (share of shops that go by it).
    """
    errors, orders = [], []
    for seed in range(shops):
        demand, expected, after = shop(kind, weeks, seed)
        for level in ("item", "interest"):
            baselines = {OURS: BaselineForecast(demand.forecast[level])} | counting_baselines(
                demand.weeks.count[level], demand.origins
            )
            observed = demand.weeks.to_level(after, level)
            methods = {
                name: with_quantiles(demand, level, baseline, range(weeks, weeks + 1))
                for name, baseline in baselines.items()
            }
            for ahead in AHEAD:
                y, quantile = observed[:, ahead - 1], methods[OURS].quantile[0, ahead - 1]
                said = [method.forecast[-1, ahead - 1] for method in methods.values()]
                error, total = [np.abs(one - y).sum() for one in said], [one.sum() for one in said]
                inside = [(quantile[:, low] <= y) & (y <= quantile[:, high]) for low, high in ((1, 3), (0, 4))]
                errors.append((level, ahead, *error, *total, y.sum(), *(covered.mean() for covered in inside)))
            tested = range(max(weeks - BACKTEST, FIRST_ORIGIN), weeks)
            held = {name: with_quantiles(demand, level, baseline, tested) for name, baseline in baselines.items()}
            rule, y = order_rule(demand, level, held, tested), observed[:, :COVER].sum(1)
            right = poisson.ppf(SERVICE_LEVEL, demand.weeks.to_level(expected, level)[:, :COVER].sum(1))
            for name, method in {**methods, CHOSEN: methods[rule]}.items():
                lost = pinball(y, method.up_to[0], SERVICE_LEVEL).sum() / y.sum()
                by_forecast = float((rule if name == CHOSEN else name) == OURS)
                lasts = float((y <= method.up_to[0]).mean())
                orders.append((level, name, lost, lasts, method.up_to[0].sum() / right.sum(), by_forecast))
    sums = [*methods, *(f"sum, {name}" for name in methods), "demand"]
    table = pl.DataFrame(errors, ["level", "weeks_ahead", *sums, "coverage_80", "coverage_95"], orient="row")
    demanded = pl.col("demand").sum()
    wape = [(pl.col(name).sum() / demanded).alias(f"wape, {name}") for name in methods]
    bias = [(pl.col(f"sum, {name}").sum() / demanded - 1).alias(f"bias, {name}") for name in methods]
    stock = pl.DataFrame(orders, ["level", "rule", "lost", "lasts", "to_right", OURS], orient="row")
    return (
        table.group_by("level", "weeks_ahead", maintain_order=True).agg(*wape, *bias, pl.col("^coverage.*$").mean()),
        stock.group_by("level", "rule", maintain_order=True).mean(),
    )


def shop(kind: str, weeks: int, seed: int) -> tuple[Demand, np.ndarray, np.ndarray]:
    """A shop's forecasts, and what is expected and observed of its items in the weeks after, [ITEMS, HORIZONS].

    Sales are Poisson counts about rates that are steady, go through a year that swings by category, grow or shrink by
    category, change from week to week for all items alike, or have lately fallen.
    """
    rng = np.random.default_rng([*kind.encode(), weeks, seed])
    week, ones = np.arange(weeks + HORIZONS) - weeks, np.ones((CATEGORIES, 1))
    moves = {
        "steady": ones + 0 * week,
        "seasonal": 1 + SEASON * np.sin(2 * np.pi * (week / 52 + rng.random(ones.shape))),
        "trending": np.exp(rng.uniform(-TREND, TREND, ones.shape) * week),
        "fallen": ones * np.where(week < -FALLEN, 1.0, 0.5),
        "shared": ones * np.exp(rng.normal(0, SHARED, len(week))),
    }
    category = np.arange(ITEMS) % CATEGORIES
    expected = rng.exponential(PACE, (ITEMS, 1)) * moves[kind][category]
    items = rng.poisson(expected).astype(np.float64)
    demand = forecast_counts(items[:, :weeks], category)
    return demand, expected[:, weeks:], items[:, weeks:]


def forecast_counts(items: np.ndarray, category: np.ndarray) -> Demand:
    """Forecasts of item counts [ITEMS, weeks] and of the sums above, without users or promotions."""
    above = {"item": category, "interest": np.arange(CATEGORIES) % DEPARTMENTS}
    sizes = {"item": ITEMS, "interest": CATEGORIES, "department": DEPARTMENTS}
    names = {level: tuple(f"{level} {i}" for i in range(size)) for level, size in sizes.items()}
    count = {"item": items}
    for below, upper in (("item", "interest"), ("interest", "department")):
        count[upper] = summed(count[below], above[below], sizes[upper])
    words = Words("pieces", "buy", "bought", "buying")
    weeks = Weeks(START, count, names, above, count, 0.0, words)
    origins = tuple(range(FIRST_ORIGIN, weeks.number + 1))
    known = {level: Known(count[level], origins) for level in weeks.levels}
    reconciled = reconcile(weeks, {level: forecasts(known[level]) for level in weeks.levels})
    return Demand(weeks, origins, known, reconciled, np.zeros_like(reconciled[weeks.main]), None, False, {})
