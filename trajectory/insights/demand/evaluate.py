"""How far forecasts of demand held: errors, intervals and a replay of ordering, compared with baselines."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl
from scipy.stats import norm

from trajectory.insights.demand.baselines import WINDOW, BaselineForecast, moving_average
from trajectory.insights.demand.demand_forecast import Demand, outcomes
from trajectory.insights.demand.features import HORIZONS
from trajectory.insights.demand.intervals import LEVELS, pinball, quantiles
from trajectory.insights.demand.reorder import COVER, SERVICE_LEVEL, Replay, replay
from trajectory.metrics.significance import compare, holm

OURS = "forecast"
RESAMPLES = 2000
COMPARED = 4  # horizons of the comparison with each baseline
Results = dict[str, dict[str, pl.DataFrame]]  # level -> name of a table -> table


class Method(NamedTuple):
    """A forecast to be measured at one level, and its quantiles."""

    forecast: np.ndarray  # float64 [O, HORIZONS, S]
    quantile: np.ndarray  # float64 [T, HORIZONS, S, len(LEVELS)], of the tested origins
    up_to: np.ndarray  # float64 [T, S], what SERVICE_LEVEL needs to last COVER weeks


def with_quantiles(demand: Demand, level: str, baseline: BaselineForecast, tested: range) -> Method:
    """A forecast with its quantiles at each origin in `tested`.

    They are normal where the baseline states deviations, else by its own errors at earlier origins; where these are
    few, by those of a moving average before the first origin too.
    """
    count, origins = demand.weeks.count[level], demand.origins
    before = tuple(range(WINDOW, origins[0]))
    said = np.concatenate([moving_average(count, before).forecast, baseline.forecast])
    observed = outcomes(count, before + origins)
    sums = said[:, :COVER].sum(1), observed[:, :COVER].sum(1)
    rows, up_to = [], []
    for origin in tested:
        now = origins.index(origin)
        if baseline.deviation is not None:
            deviation = baseline.deviation[now]
            z = norm.ppf(LEVELS)
            rows.append(np.maximum(baseline.forecast[now][..., None] + deviation[..., None] * z, 0))
            far = np.sqrt((deviation[:COVER] ** 2).sum(0)) * norm.ppf(SERVICE_LEVEL)
            up_to.append(baseline.forecast[now, :COVER].sum(0) + far)
            continue
        at, simple = now + len(before), len(before)
        by_horizon = [
            quantiles(said[:, h], observed[:, h], before + origins, h + 1, at, LEVELS, simple) for h in range(HORIZONS)
        ]
        rows.append(np.stack(by_horizon))
        up_to.append(quantiles(*sums, before + origins, COVER, at, (SERVICE_LEVEL,), simple)[:, 0])
    return Method(baseline.forecast, np.stack(rows), np.ceil(np.stack(up_to)))


def by_horizon(demand: Demand, level: str, methods: dict[str, Method], tested: range) -> pl.DataFrame:
    """Errors of each method and horizon over the tested weeks; one row each.

    wape: sum of absolute errors over demand. bias: sum of the forecasts over demand, less 1. mase: mean over series of
    the error in units of the error of "as last week" before the tested weeks. pinball: mean over LEVELS as a share of
    demand. coverage_80, coverage_95: of the intervals. origins: how many.
    """
    count, index = demand.weeks.count[level], [demand.origins.index(origin) for origin in tested]
    observed = observed_sales(demand, level, tested)
    naive = np.abs(np.diff(count[:, : tested.start], axis=1)).mean(1)
    rows = []
    for name, result in methods.items():
        for h in range(HORIZONS):
            there = np.isfinite(observed[:, h, 0])
            if not observed[there, h].any():  # few weeks were held out, or nothing came in them
                continue
            y, said = observed[there, h], result.forecast[index][there, h]
            error = np.abs(said - y)
            q = result.quantile[there, h]
            loss = np.mean([pinball(y, q[..., i], level) for i, level in enumerate(LEVELS)], axis=0)
            scaled = (error.mean(0) / np.maximum(naive, 1e-12))[naive > 0]
            rows.append(
                {
                    "method": name,
                    "weeks_ahead": h + 1,
                    "wape": error.sum() / y.sum(),
                    "bias": said.sum() / y.sum() - 1,
                    "mase": scaled.mean(),
                    "pinball": loss.sum() / y.sum(),
                    "coverage_80": ((q[..., 1] <= y) & (y <= q[..., 3])).mean(),
                    "coverage_95": ((q[..., 0] <= y) & (y <= q[..., 4])).mean(),
                    "origins": int(there.sum()),
                }
            )
    return pl.DataFrame(rows)


def against_baselines(demand: Demand, level: str, methods: dict[str, Method], tested: range) -> pl.DataFrame:
    """How much lower the forecast's WAPE is than each baseline's at horizons 1 to COMPARED: interval, p-value by Holm.

    Paired over series, which are resampled whole with all their weeks (what one week does to all series is not).
    """
    index = [demand.origins.index(origin) for origin in tested]
    observed = observed_sales(demand, level, tested)
    baselines = [name for name in methods if name != OURS]
    rows = []
    for h in range(COMPARED):
        y = observed[:, h]
        there = np.isfinite(y[:, 0])
        if not y[there].any():  # few weeks were held out, or nothing came in them
            continue
        error = {name: np.abs(m.forecast[index][there, h] - y[there]).sum(0) for name, m in methods.items()}
        share = y.shape[1] / y[there].sum()
        for name in baselines:
            comparison = compare(error[name] * share, error[OURS] * share, RESAMPLES, seed=0)
            rows.append({"baseline": name, "weeks_ahead": h + 1, **comparison})
    table = pl.DataFrame(rows)
    return table.with_columns(p_value_holm=holm(table["p_value"].to_list()))


def ordering(demand: Demand, level: str, methods: dict[str, Method], tested: range) -> dict[str, Replay]:
    """The order-up-to policy followed through the tested weeks by each method."""
    observed = demand.weeks.count[level][:, tested.start : tested.stop].T
    return {name: replay(observed, result.up_to) for name, result in methods.items()}


def observed_sales(demand: Demand, level: str, tested: range) -> np.ndarray:
    """What came after each tested origin [T, HORIZONS, S]; NaN after the tested weeks."""
    week = np.array(tested)[:, None] + np.arange(HORIZONS)
    observed = demand.observed(level)[[demand.origins.index(origin) for origin in tested]]
    return np.where((week < tested.stop)[..., None], observed, np.nan)
