"""What the page says of how far forecasts of demand held, and of their limits."""

from __future__ import annotations

import numpy as np
import polars as pl

from trajectory import hints
from trajectory.insights.demand.baselines import WINDOW
from trajectory.insights.demand.demand_forecast import ALL_SEEN, Demand
from trajectory.insights.demand.evaluate import OURS, Results
from trajectory.insights.demand.intervals import LEAST, LEAST_ORIGINS, LEVELS
from trajectory.insights.demand.reorder import SERVICE_LEVEL
from trajectory.insights.demand.season import OUT_OF_SEASON
from trajectory.insights.demand.tables import SOON, rule_of
from trajectory.insights.demand.weekly_counts import PLURAL
from trajectory.insights.report_model import Table, Text

SHARES = ("wape", "pinball", "coverage_80", "coverage_95", "demand_lost", "weeks_out_of_stock")
WEEKS = ("mase", "stock_left_weeks")
FORMS = dict.fromkeys(SHARES, "{:.1%}") | dict.fromkeys(WEEKS, "{:.2f}") | {"demand_lost": "{:.2%}", "bias": "{:+.1%}"}
RULES = {"moving average": f"a moving average of {WINDOW} weeks", "last week": "the last week's figure"}


def holdout_accuracy(demand: Demand, results: Results) -> list[Text | Table]:
    """Tables compared with baselines, and in words what the forecast is; only the words where nothing was held out."""
    if demand.held_out is None:
        return [
            Text(f"{method_description(demand)} How far its forecasts hold is not known: {why_unmeasured(demand)}.")
        ]
    errors = _joined(results, "by_horizon").sort("level", "weeks_ahead", maintain_order=True)
    first = ["level", "weeks_ahead", "method"]
    return [
        Table(
            f"How far it held, in {weeks_long(len(demand.tested))} from {demand.weeks.date(demand.tested.start)} on",
            errors.select(*first, pl.exclude(first)),
            FORMS,
            by="level",
            note="wape: error as a share of demand. bias: how far the sum of all forecasts was above demand. "
            "mase: error of a mean series, 1 being as far off as last week's "
            f"figure used to be. pinball: loss of the quantiles {', '.join(map(str, LEVELS))} as a share of demand. "
            "coverage: weeks inside the interval. Fewer origins have been seen at more weeks ahead.",
        ),
        Table(
            "Ordering, replayed through these weeks",
            _joined(results, "ordering"),
            FORMS,
            by="level",
            note=f"Each method orders by its own quantile for {SERVICE_LEVEL:.0%}; what is not in stock is lost. "
            "stock_left_weeks: what is left when a week ends, in weeks of demand.",
        ),
        Text(method_description(demand)),
    ]


def mean_errors(result: dict[str, pl.DataFrame]) -> tuple[dict[str, float], int]:
    """The mean WAPE of each method at up to `SOON` weeks ahead, and the most weeks ahead that were seen."""
    table = result["by_horizon"].filter(pl.col("weeks_ahead") <= SOON)
    wape = dict(table.group_by("method").agg(pl.col("wape").mean()).iter_rows())
    return wape, max(table["weeks_ahead"].to_list())


def weeks_long(number: int) -> str:
    """A number of weeks in words."""
    return "1 week" if number == 1 else f"{number} weeks"


def why_unmeasured(demand: Demand) -> str:
    """Why nothing is held out, and what to set."""
    if demand.unseen == ALL_SEEN:
        return f"{ALL_SEEN}; train with a split by time ({hints.setting('split.kind', 'temporal')}) to see"
    return f"{demand.unseen}; an earlier one ({hints.setting('split.cut', 'DATE')}) or a longer log tells"


def method_description(demand: Demand) -> str:
    """How the forecast is made, and what it cannot know."""
    told = ["recent weeks"]
    planned = demand.known[demand.weeks.main].promotions
    if planned is not None:
        told.append("planned promotions")
    if demand.weighs_users:
        told.append("the sum of all users' forecasts")
    tried = ", ".join(f"{wape:.2%} {name}" for name, wape in demand.tried.items())
    words = (
        f"Each coming week is forecast from {' and '.join(told)}, by a Poisson regression over all series that is "
        "fitted anew each week on what was known, and counts as far as it was nearer than a smoothed level before. "
        f"Earlier weeks decided whether users' forecasts are weighed in (error {tried}). "
        "The forecast knows no seasons: what comes once a year, such as Christmas, is not seen to come, and goes on as "
        "in the last weeks. "
        "Intervals and orders allow for the errors of earlier forecasts of series as large; where fewer than "
        f"{LEAST} at {LEAST_ORIGINS} weeks' ends were seen, for counts as spread as all errors so far, those of a "
        "moving average in the first weeks among them."
    )
    if planned is not None and not np.isfinite(planned[:, demand.weeks.number :]).any():
        words += " No promotions are planned after the end of the log: as many as usual are taken to come."
    return words


def _joined(results: Results, name: str) -> pl.DataFrame:
    return pl.concat([tables[name].select(pl.lit(level).alias("level"), pl.all()) for level, tables in results.items()])


def ordered_by(demand: Demand, results: Results, reorder: pl.DataFrame, level: str) -> str:
    """What the orders of a level go by and why, where a simple rule was nearer to demand; empty where none was."""
    wape, _ = mean_errors(results[level])
    rule = rule_of(reorder, level)
    if rule == OUT_OF_SEASON:
        return ""
    seen = ", which the model has learned from," if demand.held_out is None else ""
    weeks, what = f"in the last {weeks_long(len(demand.tested))} of this log{seen}", PLURAL[level]
    if rule != OURS:
        return (
            f"The forecast is not to be relied on: {weeks} it was off by {wape[OURS]:.1%} of the demand of {what}, "
            f"{RULES[rule]} by {wape[rule]:.1%}, which is more than chance. Orders go by {RULES[rule]}."
        )
    best = min(wape, key=lambda name: wape[name])
    if best == OURS:
        return ""
    return (
        f"Orders go by the forecast, though {weeks} it was off by {wape[OURS]:.1%} of the demand of {what}, "
        f"{RULES[best]} by {wape[best]:.1%}: that is within chance."
    )
