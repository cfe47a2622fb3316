"""What orders go by: the forecast, or a simple rule that was surely nearer to demand in the weeks held back."""

from __future__ import annotations

import numpy as np
from scipy.stats import t as student

from trajectory.insights.demand.demand_forecast import Demand
from trajectory.insights.demand.evaluate import COMPARED, OURS, Method, observed_sales
from trajectory.metrics.significance import holm

LEVEL = 0.05  # p-value below which a rule is nearer than the forecast by more than chance


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
