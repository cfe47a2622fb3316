"""Pictures of demand: the past weeks of the largest series, and the next with their intervals."""

from __future__ import annotations

import numpy as np
import polars as pl

from trajectory.insights.demand.demand_forecast import Demand
from trajectory.insights.demand.features import HORIZONS
from trajectory.insights.demand.tables import forecast_at_end
from trajectory.insights.report_model import Picture
from trajectory.reports import charts
from trajectory.reports.pictures import svg

SHOWN = 6  # series
PAST = 20  # weeks
QUANTILES = {0: "low_95", 1: "low_80", 3: "high_80", 4: "high_95"}
BOUNDS = {"95 %": ("low_95", "high_95"), "80 %": ("low_80", "high_80")}


def forecast_chart(demand: Demand, level: str, plural: str) -> Picture:
    """The largest series of a level: what came, what is expected of the next weeks, 80 and 95 % intervals."""
    weeks, forecast = demand.weeks, forecast_at_end(demand, level)
    past = weeks.count[level][:, -PAST:]
    largest = np.argsort(-past.sum(1), kind="stable")[: min(SHOWN, len(past))]
    panels, said = [], []
    for series in largest:
        name, expected = weeks.names[level][series], forecast.forecast[-1, :, series]
        ahead = pl.DataFrame({"weeks": np.arange(1, HORIZONS + 1), "expected": expected}).with_columns(
            pl.Series(column, forecast.quantile[0, :, series, i]) for i, column in QUANTILES.items()
        )
        seen = pl.DataFrame({"weeks": np.arange(-past.shape[1], 0) + 1, "observed": past[series]})
        frame = pl.concat([seen, ahead], how="diagonal_relaxed")
        chart = charts.band(frame, "weeks:Q", "expected", BOUNDS, name, weeks.words.unit)
        panels.append(chart.properties(width=190, height=110))
        said.append(f"{name} {past[series, -4:].mean():,.0f} a week lately, {expected.mean():,.0f} to come")
    axes = f"{weeks.words.unit} a week", f"weeks from {weeks.date(weeks.number - 1)} on (0: the last that was seen)"
    drawn = svg(charts.panels(panels, 2, *axes))
    return Picture(f"The next {HORIZONS} weeks of the largest {plural}", drawn, f"Demand of {', '.join(said)}.")
