"""Pictures of demand: the past weeks of the largest series, and the next with their intervals."""

from __future__ import annotations

import numpy as np

from trajectory.insights.demand.demand_forecast import Demand
from trajectory.insights.demand.features import HORIZONS
from trajectory.insights.demand.tables import now
from trajectory.insights.report_model import Picture
from trajectory.names import plain
from trajectory.reports.pictures import new_figure, svg

SHOWN = 6  # series
PAST = 20  # weeks


def picture(demand: Demand, level: str, plural: str) -> Picture:
    """The largest series of a level: what came, what is expected of the next weeks, 80 and 95 % intervals."""
    weeks, found = demand.weeks, now(demand, level)
    past = weeks.count[level][:, -PAST:]
    largest = np.argsort(-past.sum(1), kind="stable")[: min(SHOWN, len(past))]
    rows = -(-len(largest) // 2)
    figure = new_figure(height=1.8 * rows + 0.5)
    axes = figure.subplots(rows, 2, squeeze=False, sharex=True).ravel()
    before, ahead = np.arange(-past.shape[1], 0) + 1, np.arange(1, HORIZONS + 1)
    for axis, series in zip(axes, largest, strict=False):
        quantile = found.quantile[0, :, series]
        axis.fill_between(ahead, quantile[:, 0], quantile[:, 4], color="#cfe3f5", label="95 %", linewidth=0)
        axis.fill_between(ahead, quantile[:, 1], quantile[:, 3], color="#9cc5ea", label="80 %", linewidth=0)
        axis.plot(before, past[series], color="#444444", label="came")
        axis.plot(ahead, found.forecast[-1, :, series], color="#0b5fa5", label="expected")
        axis.set_title(plain(weeks.names[level][series].capitalize(), 26), fontsize=10)
        axis.set_ylim(bottom=0)
    for axis in axes[len(largest) :]:
        axis.set_visible(False)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=4, frameon=False)
    figure.supxlabel(f"weeks from {weeks.date(weeks.number - 1)} on (0: the last that was seen)")
    figure.supylabel(f"{weeks.words.unit} a week")
    said = []
    for series in largest:
        lately, ahead_mean = past[series, -4:].mean(), found.forecast[-1, :, series].mean()
        said.append(f"{weeks.names[level][series]} {lately:,.0f} a week lately, {ahead_mean:,.0f} to come")
    return Picture(f"The next {HORIZONS} weeks of the largest {plural}", svg(figure), f"Demand of {', '.join(said)}.")
