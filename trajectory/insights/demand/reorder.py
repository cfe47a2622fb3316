"""What to order: up to a quantile of the demand until the order after this one comes; and a replay of that policy."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

SERVICE_LEVEL = 0.95  # chance that stock lasts until the next delivery
LEAD = 1  # weeks from an order to its delivery
COVER = LEAD + 1  # weeks that an order-up-to level must last, as one orders once a week


class Replay(NamedTuple):
    """A policy followed for T weeks: what was asked for, and what could not be sold or was left, float64 [T, S]."""

    demand: np.ndarray
    lost: np.ndarray
    left: np.ndarray  # in stock at the end of the week
    position: np.ndarray  # [S], stock and open orders after the last week

    def summary(self) -> dict[str, float]:
        """Share of demand lost, share of weeks with a stock-out (of those with demand), stock left in weeks' demand."""
        wanted = self.demand > 0
        return {
            "demand_lost": float(self.lost.sum() / self.demand.sum()),
            "weeks_out_of_stock": float((self.lost[wanted] > 0).mean()),
            "stock_left_weeks": float(self.left.sum() / self.demand.sum()),
        }


def replay(demand: np.ndarray, up_to: np.ndarray) -> Replay:
    """Follows an order-up-to policy with weekly review: `demand` and `up_to` float64 [T, S].

    When week t begins, as much is ordered as stock and open orders lack of up_to[t]; it is delivered when week t + LEAD
    begins. What is not in stock when asked for is lost. All series begin with up_to[0] in stock.
    """
    stock, open_orders = up_to[0].astype(np.float64), [np.zeros(demand.shape[1]) for _ in range(LEAD - 1)]
    lost, left = np.zeros_like(demand, np.float64), np.zeros_like(demand, np.float64)
    for week, wanted in enumerate(demand):
        open_orders.append(np.maximum(up_to[week] - stock - sum(open_orders), 0))
        lost[week] = np.maximum(wanted - stock, 0)
        left[week] = np.maximum(stock - wanted, 0)
        stock = left[week] + open_orders.pop(0)
    return Replay(demand, lost, left, stock + sum(open_orders))
