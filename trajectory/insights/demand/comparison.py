"""The long comparison: the forecast and its variants beside all baselines, those of a library that take minutes too."""

from __future__ import annotations

import numpy as np
import polars as pl

from trajectory.insights.demand.baselines import BaselineForecast, counting_baselines, statsforecast_baseline
from trajectory.insights.demand.demand_forecast import Demand
from trajectory.insights.demand.evaluate import OURS, Results, against_baselines, by_horizon, ordering, with_quantiles
from trajectory.insights.demand.features import FEW
from trajectory.insights.demand.reconcile import reconcile
from trajectory.insights.demand.regression import forecasts


def compare_all(demand: Demand, library_of: dict[str, tuple[str, ...]]) -> Results:
    """What `by_horizon`, `against_baselines` and `ordering` measure on the tested weeks, for each level.

    `library_of`: level -> names of the library's models that are fitted to it.
    """
    results, tested = {}, demand.tested
    other = variants(demand)
    for level in demand.weeks.levels:
        count = demand.weeks.count[level]
        baselines = {OURS: BaselineForecast(demand.forecast[level])} | counting_baselines(count, demand.origins)
        for name in library_of.get(level, ()):
            baselines[name] = statsforecast_baseline(name, count, demand.origins, tested)
        methods = {name: with_quantiles(demand, level, baseline, tested) for name, baseline in baselines.items()}
        ablated = {
            name: with_quantiles(demand, level, BaselineForecast(said[level]), tested) for name, said in other.items()
        }
        followed = ordering(demand, level, methods, tested)
        results[level] = {
            "by_horizon": by_horizon(demand, level, methods | ablated, tested),
            "against_baselines": against_baselines(demand, level, methods, tested),
            "ordering": pl.DataFrame([{"method": name} | replay.summary() for name, replay in followed.items()]),
        }
    return results


def variants(demand: Demand) -> dict[str, dict[str, np.ndarray]]:
    """The forecast with and without each of its parts, by name and level, float64 [O, HORIZONS, S]."""
    by_name = {}
    for name, users, promotions in (
        ("recent weeks only", False, False),
        ("without users' forecasts", False, True),
        ("with users' forecasts", True, True),
    ):
        direct = {level: forecasts(known, users, promotions) for level, known in demand.known.items()}
        by_name[name] = reconcile(demand.weeks, direct)
        by_name[f"{name}, not reconciled"] = direct
    users_alone = {
        level: np.exp(known.expected[..., 0]) * (known.level[:, None] + FEW) - FEW
        for level, known in demand.known.items()
    }
    return by_name | {"users' forecasts only": users_alone}
