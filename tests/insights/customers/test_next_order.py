"""Next orders of regular customers: their own waits, drawn to those of all, are nearer than what is simple."""

from __future__ import annotations

from tests.insights.customers.shops import regular
from trajectory.insights.customers.forecast import customers
from trajectory.insights.customers.next_order import LAST, LEAVING, MEAN, MEDIAN, WAITS
from trajectory.insights.sale_lines import sale_lines


def test_regular_customers_are_forecast_by_their_waits():
    shop = regular()
    found = customers(shop, sale_lines(shop))
    rows = found.measured["next_order"]["methods"]
    assert found.next.by == WAITS
    assert rows[WAITS]["error"] < 0.95 * min(rows[name]["error"] for name in (LAST, MEAN, MEDIAN, LEAVING))
    assert 0.75 <= rows[WAITS]["inside"] <= 0.88
    wait = found.next.wait
    assert (wait[:, :-1] <= wait[:, 1:]).all()
    assert (wait >= 0).all()
