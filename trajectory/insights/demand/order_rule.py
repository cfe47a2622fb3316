"""What orders go by: the forecast, or a simple rule that was surely nearer to demand in the weeks held back."""

from __future__ import annotations

import numpy as np
import polars as pl
from scipy.stats import t as student

from trajectory.insights.demand.baselines import WINDOW
from trajectory.insights.demand.demand_forecast import Demand
from trajectory.insights.demand.evaluate import COMPARED, OURS, Method, observed_sales
from trajectory.insights.demand.evaluation_page import Results, mean_errors, weeks_long
from trajectory.metrics.significance import holm

LEVEL = 0.05  # p-value below which a rule is nearer than the forecast by more than chance
RULES = {"moving average": f"the mean of {WINDOW} weeks", "last week": "the last week's figure"}


def order_rule(demand: Demand, level: str, methods: dict[str, Method], tested: range) -> str:
    """The name of the method to order by.

    That is the forecast, unless a simple rule's errors at up to COMPARED weeks ahead were smaller by more than chance:
    by a paired t-test over series and weeks, adjusted by Holm. Following the nearer one whatever its lead loses more
    than it gains, as a few weeks tell mostly chance.
    """
    index = [demand.origins.index(origin) for origin in tested]
    observed = observed_sales(demand, level, tested)[:, :COMPARED]
    error = {
        name: np.nanmean(np.abs(m.forecast[index][:, :COMPARED] - observed), axis=1) for name, m in methods.items()
    }
    rules = [name for name in methods if name != OURS]
    lead = np.stack([(error[OURS] - error[name]).ravel() for name in rules])
    number = lead.shape[1]
    if number < 2:
        return OURS
    steps = lead.mean(1) / np.maximum(lead.std(1, ddof=1) / np.sqrt(number), 1e-12)
    p_value = holm(2 * student.sf(np.abs(steps), number - 1))
    nearer = [name for name, mean, p in zip(rules, lead.mean(1), p_value, strict=True) if mean > 0 and p < LEVEL]
    return min(nearer, key=lambda name: error[name].mean(), default=OURS)


def ordered_by(demand: Demand, results: Results, reorder: pl.DataFrame, level: str) -> str:
    """What the orders of a level go by and why, where a simple rule was nearer to demand; empty where none was."""
    wape, _ = mean_errors(results[level])
    rule = reorder.filter(pl.col("level") == level)["rule"][0]
    weeks = f"in the last {weeks_long(len(demand.tested))} of this log"
    if rule != OURS:
        return (
            f"The forecast is not to be relied on: {weeks} it was off by {wape[OURS]:.1%} of demand, {RULES[rule]} by "
            f"{wape[rule]:.1%}, which is more than chance. Orders go by {RULES[rule]}."
        )
    best = min(wape, key=lambda name: wape[name])
    if best == OURS:
        return ""
    return (
        f"Orders go by the forecast, though {weeks} it was off by {wape[OURS]:.1%} of demand, {RULES[best]} by "
        f"{wape[best]:.1%}: that is within chance."
    )
