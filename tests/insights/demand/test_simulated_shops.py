import pytest

from trajectory.insights.demand.simulated_shops import AHEAD, CHOSEN, SHOPS, measure, shop


def test_forecasts_and_orders_of_made_up_shops_are_measured_against_what_comes():
    forecasts, orders = measure("steady", 16, 3)
    assert forecasts.select("level", "weeks_ahead").rows() == [(x, h) for x in ("item", "interest") for h in AHEAD]
    assert (forecasts["coverage_80"] > 0.6).all()
    assert (forecasts["coverage_95"] >= forecasts["coverage_80"]).all()
    assert forecasts["bias, forecast"].abs().max() < 0.1
    lost = dict(orders.filter(level="item").select("rule", "lost").iter_rows())
    assert min(lost["forecast"], lost["moving average"]) <= lost[CHOSEN] <= lost["last week"]
    assert orders.filter(level="item", rule="forecast")["to_right"].item() == pytest.approx(1, abs=0.2)


@pytest.mark.parametrize("kind", SHOPS)
def test_a_shop_is_the_same_for_the_same_seed_and_its_sales_are_about_what_is_expected(kind):
    demand, expected, after = shop(kind, 16, 0)
    assert demand.weeks.number == 16
    assert after.sum() == pytest.approx(expected.sum(), rel=0.1)
    assert (shop(kind, 16, 0)[2] == after).all()
    assert not (shop(kind, 16, 1)[2] == after).all()
