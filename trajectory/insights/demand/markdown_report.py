"""How far forecasts of demand hold, as Markdown tables: those of a run, or of made-up shops whose rates are known."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import polars as pl
from tqdm import tqdm

from trajectory.insights.demand.comparison import compare_all
from trajectory.insights.demand.demand_forecast import forecast_demand
from trajectory.insights.demand.simulated_shops import SHOPS, measure
from trajectory.run import Run

MARKDOWN: dict[str, Any] = {
    "tbl_formatting": "MARKDOWN",
    "tbl_rows": -1,
    "tbl_cols": -1,
    "tbl_width_chars": 200,
    "tbl_hide_column_data_types": True,
    "tbl_hide_dataframe_shape": True,
    "fmt_str_lengths": 60,
    "float_precision": 4,
}
MEANS = (  # of made-up shops
    ("forecasts", ["shop", "level", "weeks_ahead"]),
    ("forecasts", ["weeks", "level", "weeks_ahead"]),
    ("orders", ["shop", "level", "rule"]),
)


def of_run(run: Run, models: Sequence[str] = (), levels: Sequence[str] = ()) -> str:
    """A run's forecasts beside all baselines, and beside `models` of statsforecast fitted to the series of `levels`.

    Raises UserError where the run's log has no demand, or is not here.
    """
    demand = forecast_demand(run)
    lines = [f"chosen on earlier weeks: {demand.tried}; weighs users' forecasts: {demand.weighs_users}"]
    if demand.held_out is None:
        lines.append(f"What follows says nothing of how far forecasts hold, as {demand.unseen}.")
    for level, tables in compare_all(demand, dict.fromkeys(levels, tuple(models))).items():
        lines += [f"\n{level}: {name}\n\n{_markdown(table)}" for name, table in tables.items()]
    return "\n".join(lines)


def of_made_up_shops(lengths: Sequence[int], shops: int) -> str:
    """Means over so many `shops` of each kind and length in weeks."""
    parts: dict[str, list[pl.DataFrame]] = {"forecasts": [], "orders": []}
    for shop, weeks in tqdm([*product(SHOPS, lengths)], "shops", leave=False, disable=None):
        for name, table in zip(parts, measure(shop, weeks, shops), strict=True):
            parts[name].append(table.select(pl.lit(shop).alias("shop"), pl.lit(weeks).alias("weeks"), pl.all()))
    lines = []
    for name, by in MEANS:
        table = pl.concat(parts[name]).group_by(by, maintain_order=True).agg(pl.col(pl.Float64).mean())
        lines.append(f"\n{name} of {shops} shops of each kind and length, by {by[0]}\n\n{_markdown(table)}")
    return "\n".join(lines)


def _markdown(table: pl.DataFrame) -> str:
    with pl.Config(**MARKDOWN):
        return str(table)
