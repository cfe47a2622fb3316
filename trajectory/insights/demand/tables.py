"""The tables of demand: what is forecast of each series and week, and what to order."""

from __future__ import annotations

import numpy as np
import polars as pl

from trajectory.data.context.promotions import KINDS
from trajectory.insights.demand.baselines import BaselineForecast
from trajectory.insights.demand.demand_forecast import Demand
from trajectory.insights.demand.evaluate import Method, with_quantiles
from trajectory.insights.demand.features import HORIZONS
from trajectory.insights.demand.reorder import COVER, SERVICE_LEVEL, Replay
from trajectory.insights.demand.season import OUT_OF_SEASON, SOON, a_year_before, season_over

BUSY = 20.0  # events a week of what is worth a sentence


def forecast_at_end(demand: Demand, level: str, baseline: BaselineForecast | None = None) -> Method:
    """The forecast of one level, or another, at the end of the log, with its quantiles."""
    last = range(demand.weeks.number, demand.weeks.number + 1)
    return with_quantiles(demand, level, baseline or BaselineForecast(demand.forecast[level]), last)


def demand_table(demand: Demand) -> pl.DataFrame:
    """One row per level, series and coming week, from the end of the log on.

    level, id (of an item in the source, else the name), name, week (its Monday), weeks_ahead, forecast, low_95, low_80,
    high_80, high_95 (pieces); from_users, of the main level: what users' forecasts alone expect; recent: mean of the
    last four weeks, less returns as the forecast counts them (`Weeks.count`); a_year_before: sold in the same week a
    year before (null in a shorter log); season_over: whether that tells of a season that ends, which the forecast does
    not know (`season`); planned_<kind>: stores with the
    promotion, null where no plan is known.
    """
    weeks, parts = demand.weeks, []
    for level in weeks.levels:
        method = forecast_at_end(demand, level)
        size = len(weeks.names[level])
        columns = {
            "level": [level] * (size * HORIZONS),
            "id": np.repeat(weeks.ids(level), HORIZONS),
            "name": np.repeat(weeks.names[level], HORIZONS),
            "week": [weeks.date(weeks.number + h) for h in range(HORIZONS)] * size,
            "weeks_ahead": np.tile(np.arange(1, HORIZONS + 1), size),
            "forecast": method.forecast[-1].T.ravel(),
        }
        for place, name in ((0, "low_95"), (1, "low_80"), (3, "high_80"), (4, "high_95")):
            columns[name] = method.quantile[0, :, :, place].T.ravel()
        users = demand.from_users[-1].T.ravel() if level == weeks.main else np.full(size * HORIZONS, np.nan)
        columns["from_users"] = users
        columns["recent"] = np.repeat(weeks.count[level][:, -4:].mean(1), HORIZONS)
        columns["a_year_before"] = a_year_before(weeks, level, HORIZONS).ravel()
        columns["season_over"] = np.repeat(season_over(demand, level), HORIZONS)
        planned = demand.known[level].promotions
        if planned is not None:
            for kind, amount in zip(KINDS, np.moveaxis(planned[:, weeks.number :], -1, 0), strict=True):
                columns[f"planned_{kind}"] = amount.ravel()
        parts.append(pl.DataFrame(columns))
    return pl.concat(parts).with_columns(pl.col(pl.Float64).fill_nan(None))


def reorder_table(demand: Demand, level: str, rule: str, method: Method, followed: Replay) -> pl.DataFrame:
    """One row per series: what lasts the coming `COVER` weeks with chance `SERVICE_LEVEL`, and what to order now.

    level, id, name, rule (that orders go by), service_level, weeks_covered, sold_this_week (in the running week, the
    first of those covered, so that what is expected is the rest), expected_demand, order_up_to (stock and open orders
    there should be), safety_stock, stock_if_followed (stock and open orders had this policy been `followed` so far),
    order_quantity (from there; for a stock of your own: order_up_to less what you have), a_year_before (sold in the
    same weeks a year before; null in a shorter log), season_over (see `demand_table`).
    """
    weeks, sold = method.forecast[-1, :COVER], demand.weeks.sold_since(level)
    expected = np.maximum(weeks[0] - sold, 0) + weeks[1:].sum(0)
    up_to = expected + method.up_to[0] - weeks.sum(0)
    stock = np.maximum(followed.position - sold, 0)
    before, over = a_year_before(demand.weeks, level, COVER).sum(1), season_over(demand, level)
    # The forecast goes on as lately; what is out of season is ordered as the year before tells.
    left = np.where(over, np.maximum(before - sold, 0) / np.maximum(expected, 1e-12), 1.0)
    up_to, expected = up_to * left, expected * left
    return pl.DataFrame(
        {
            "level": [level] * len(up_to),
            "id": demand.weeks.ids(level),
            "name": demand.weeks.names[level],
            "rule": np.where(over, OUT_OF_SEASON, rule),
            "service_level": np.full(len(up_to), SERVICE_LEVEL),
            "weeks_covered": np.full(len(up_to), COVER),
            "sold_this_week": sold,
            "expected_demand": expected,
            "order_up_to": up_to,
            "safety_stock": up_to - expected,
            "stock_if_followed": stock,
            "order_quantity": np.maximum(up_to - stock, 0),
            "a_year_before": pl.Series(before, nan_to_null=True),
            "season_over": over,
        }
    ).sort("order_quantity", "name", descending=[True, False])


def rule_of(reorder: pl.DataFrame, level: str) -> str:
    """The rule by which a level is ordered, but for what is out of season."""
    return str(reorder.filter(pl.col("level") == level).sort("season_over")["rule"][0])


def changes(table: pl.DataFrame, level: str) -> pl.DataFrame:
    """Busy series whose next `SOON` weeks are above or below the last by more than their 80 % interval, largest rise
    first; means of a week.
    """
    means = (
        table.filter(pl.col("level") == level, pl.col("weeks_ahead") <= SOON)
        .group_by("id", "name")
        .agg(pl.col("recent", "forecast", "low_80", "high_80", "a_year_before").mean())
        .filter(pl.col("recent") >= BUSY, ~pl.col("recent").is_between("low_80", "high_80"))
    )
    change = means.with_columns(change=pl.col("forecast") / pl.col("recent") - 1)
    columns = ("name", "recent", "forecast", "change", "low_80", "high_80", "a_year_before")
    return change.select(columns).sort("change", "name", descending=[True, False])
