"""The step `demand`: the next weeks of each category and product type, what to order, and how far that held."""

from __future__ import annotations

from typing import Any

import polars as pl

from trajectory.insights.demand.baselines import BaselineForecast, counting_baselines
from trajectory.insights.demand.demand_forecast import Demand, forecast_demand
from trajectory.insights.demand.evaluate import OURS, against_baselines, by_horizon, ordering, with_quantiles
from trajectory.insights.demand.evaluation_page import holdout_accuracy
from trajectory.insights.demand.order_rule import order_rule
from trajectory.insights.demand.page import blocks
from trajectory.insights.demand.sentences import sentences
from trajectory.insights.demand.tables import demand_table, forecast_at_end, reorder_table
from trajectory.insights.report_model import Part, folded
from trajectory.run import Run


def build_demand(run: Run) -> Part:
    """Forecasts demand from the end of the run's log, and compares earlier forecasts with what was observed.

    Raises UserError for a log without times or with few whole weeks.
    """
    demand = forecast_demand(run)
    results, orders = {}, []
    for level in demand.weeks.levels[:2]:
        baselines = {OURS: BaselineForecast(demand.forecast[level])} | counting_baselines(
            demand.weeks.count[level], demand.origins
        )
        methods = {name: with_quantiles(demand, level, baseline, demand.tested) for name, baseline in baselines.items()}
        followed = ordering(demand, level, methods, demand.tested)
        rule = order_rule(demand, level, methods, demand.tested)
        orders.append(
            reorder_table(demand, level, rule, forecast_at_end(demand, level, baselines[rule]), followed[rule])
        )
        results[level] = {
            "by_horizon": by_horizon(demand, level, methods, demand.tested),
            "against_baselines": against_baselines(demand, level, methods, demand.tested),
            "ordering": pl.DataFrame([{"method": name} | r.summary() for name, r in followed.items()]),
        }
    tables = {"demand": demand_table(demand), "reorder": pl.concat(orders)}
    return Part(
        "demand",
        "Demand",
        sentences(demand, tables, results),
        (*blocks(demand, tables, results), *folded(holdout_accuracy(demand, results))),
        tables,
        measured(demand, results),
    )


def measured(demand: Demand, results: dict[str, dict[str, pl.DataFrame]]) -> dict[str, Any]:
    """What insights.json keeps; empty where the run has seen all weeks."""
    if demand.held_out is None:
        return {}
    return {
        "first_week": str(demand.weeks.date(demand.tested.start)),
        "weeks": len(demand.tested),
        "weighs_users_forecasts": demand.weighs_users,
        "tried_before": demand.tried,
        **{level: {name: table.to_dicts() for name, table in named.items()} for level, named in results.items()},
    }
