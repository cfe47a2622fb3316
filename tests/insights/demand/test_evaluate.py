import numpy as np
import polars as pl
import pytest

from tests.insights.demand.test_build import a_demand
from trajectory.insights.demand.baselines import BaselineForecast, last_week
from trajectory.insights.demand.evaluate import OURS, against_baselines, by_horizon, ordering, with_quantiles

TESTED = range(20, 24)


@pytest.fixture(scope="module")
def demand():
    return a_demand()


def perfect(demand):
    """What came; the last seen week goes on after the end of the log."""
    came = demand.observed("item")
    return np.where(np.isfinite(came), came, 1.0)


def test_errors_by_hand(demand):
    count = demand.weeks.count["item"]
    baseline = last_week(count, demand.origins)
    table = by_horizon(demand, "item", {"last": with_quantiles(demand, "item", baseline, TESTED)}, TESTED)
    one = table.row(by_predicate=pl.col("weeks_ahead") == 1, named=True)
    error = np.abs(count[:, 20:24] - count[:, 19:23])
    assert one["wape"] == pytest.approx(error.sum() / count[:, 20:24].sum())
    assert one["bias"] == pytest.approx(count[:, 19:23].sum() / count[:, 20:24].sum() - 1)
    naive = np.abs(np.diff(count[:, :20], axis=1)).mean(1)
    assert one["mase"] == pytest.approx((error.mean(1) / naive).mean())
    assert one["origins"] == 4
    assert table["weeks_ahead"].to_list() == [1, 2, 3, 4]  # of the fifth week none was seen
    assert table["origins"].to_list() == [4, 3, 2, 1]


def test_a_perfect_forecast_has_no_error_and_narrow_intervals(demand):
    found = with_quantiles(demand, "item", BaselineForecast(perfect(demand)), TESTED)
    table = by_horizon(demand, "item", {OURS: found}, TESTED)
    np.testing.assert_allclose(table["wape"], 0)
    np.testing.assert_allclose(table["pinball"], 0, atol=0.01)  # of what a moving average missed in the first weeks


def test_every_horizon_has_an_interval_though_the_forecast_was_seen_at_none(demand):
    found = with_quantiles(demand, "interest", last_week(demand.weeks.count["interest"], demand.origins), range(16, 17))
    assert (found.quantile[..., 3] > found.quantile[..., 1]).all()
    assert (found.quantile[..., 4] > found.quantile[..., 3]).all()


def test_stated_deviations_give_normal_intervals(demand):
    shape = demand.forecast["item"].shape
    found = with_quantiles(demand, "item", BaselineForecast(np.full(shape, 50.0), np.full(shape, 10.0)), TESTED)
    np.testing.assert_allclose(found.quantile[0, 0, 0], [30.4, 37.18, 50, 62.82, 69.6], atol=0.01)
    np.testing.assert_allclose(found.up_to[0], np.ceil(100 + 1.645 * 10 * np.sqrt(2)))


def test_each_floor_is_compared_with_the_forecast_on_the_same_weeks(demand):
    methods = {
        OURS: with_quantiles(demand, "item", BaselineForecast(perfect(demand)), TESTED),
        "last week": with_quantiles(demand, "item", last_week(demand.weeks.count["item"], demand.origins), TESTED),
    }
    table = against_baselines(demand, "item", methods, TESTED)
    wape = by_horizon(demand, "item", methods, TESTED).filter(method="last week")["wape"]
    np.testing.assert_allclose(table["difference"], wape)
    assert (table["p_value_holm"] >= table["p_value"]).all()
    assert ordering(demand, "item", methods, TESTED)[OURS].lost.shape == (4, 6)


@pytest.mark.parametrize("weeks", [1, 2])
def test_few_weeks_held_out_are_compared_as_far_as_they_go(demand, weeks):
    tested = range(24 - weeks, 24)
    baseline = last_week(demand.weeks.count["item"], demand.origins)
    methods = {name: with_quantiles(demand, "item", baseline, tested) for name in (OURS, "last week")}
    assert against_baselines(demand, "item", methods, tested)["weeks_ahead"].to_list() == list(range(1, weeks + 1))
