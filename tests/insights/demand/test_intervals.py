import numpy as np
import pytest
from scipy.stats import poisson

from trajectory.insights.demand import intervals
from trajectory.insights.demand.intervals import pinball, quantiles


def test_intervals_cover_as_often_as_they_say():
    rng = np.random.default_rng(0)
    forecast = rng.uniform(3, 400, (14, 300))
    came = forecast * np.exp(rng.normal(0, 0.3, forecast.shape))
    found = quantiles(forecast, came, range(14), 1, 13, (0.1, 0.9))
    inside = (found[:, 0] <= came[13]) & (came[13] <= found[:, 1])
    assert inside.mean() == pytest.approx(0.8, abs=0.06)


def test_errors_that_were_not_seen_by_then_do_not_count():
    forecast = np.full((17, 200), 20.0)
    came = np.full((17, 200), 20.0)
    came[15:] = 1000.0  # of two weeks ahead, at origins 15 and 16: seen at 17 and 18
    found = quantiles(forecast, came, range(17), 2, 16, (0.025, 0.975))
    np.testing.assert_allclose(found, 20.0)


def test_without_errors_there_is_no_interval():
    found = quantiles(np.full((1, 2), 7.0), np.full((1, 2), np.nan), [4], 1, 0, (0.5, 0.9))
    assert np.isnan(found).all()


def test_series_stray_as_those_of_their_size_do():
    forecast = np.tile(np.array([5.0] * 150 + [500.0] * 150), (14, 1))
    came = forecast * np.tile([1.0, 2.0], 150)  # half of the large and of the small double ...
    came[:, 150:] = 500.0  # ... but the large ones do not
    found = quantiles(forecast, came, range(14), 1, 13, (0.975,))
    assert found[0, 0] == pytest.approx(10.0)
    assert found[-1, 0] == pytest.approx(500.0)


def test_errors_of_small_series_are_not_those_of_the_few_large_ones():
    rng = np.random.default_rng(0)
    rate = np.array([0.3] * 40 + [20.0] * 6)
    came = rng.poisson(rate, (5, 46)).astype(float)
    found = quantiles(np.tile(rate, (5, 1)), came, range(5), 1, 4, (0.95,))[:, 0]
    assert (poisson.ppf(0.95, 20) - 4 <= found[40:]).all()
    assert (found[40:] <= 36).all()
    assert (found[:40] <= 3).all()


def test_few_errors_give_intervals_of_counts_that_cover():
    rng = np.random.default_rng(0)
    rate = rng.gamma(2, 8, (200, 1, 6))  # of 200 shops with six series
    came, inside = rng.poisson(rate, (200, 7, 6)).astype(float), []
    for shop in range(200):
        found = quantiles(np.repeat(rate[shop], 7, 0), came[shop], range(7), 1, 6, (0.1, 0.9))
        inside.append((found[:, 0] <= came[shop, 6]) & (came[shop, 6] <= found[:, 1]))
    assert 0.78 < np.mean(inside) < 0.9  # counts are whole: more than 0.8


def test_series_that_vary_more_have_wider_intervals():
    came = np.tile([[5.0, 20], [35, 20]], (3, 1))
    found = quantiles(np.full((6, 2), 20.0), came, range(6), 1, 5, (0.1, 0.9))
    width = found[:, 1] - found[:, 0]
    assert width[0] > 1.3 * width[1] > 0


def test_errors_of_a_simple_rule_count_where_the_forecast_has_few_alone():
    rate, rng = np.full((14 + 5, 300), 20.0), np.random.default_rng(0)
    came = rate.copy()
    came[:5] = rng.choice([0.0, 60.0], (5, 300))
    few = quantiles(rate[:6], came[:6], range(6), 1, 5, (0.1, 0.9), simple=5)
    assert (few[:, 1] > 35).all()
    np.testing.assert_allclose(quantiles(rate, came, range(19), 1, 18, (0.1, 0.9), simple=5), 20.0)


def test_what_has_not_been_sold_yet_may_be():
    found = quantiles(np.zeros((6, 3)), np.zeros((6, 3)), range(6), 1, 5, (0.5, 0.975))
    np.testing.assert_array_equal(found, [[0, 1]] * 3)


@pytest.mark.parametrize("origins", [5, 19])  # few errors, and enough
@pytest.mark.parametrize("off", [0.5, 3.0])
def test_a_forecast_lies_within_its_intervals(origins, off):
    rng = np.random.default_rng(0)
    rate = np.concatenate([np.full(150, 0.02), np.full(150, 40.0)])
    came = rng.poisson(rate, (origins, 300)).astype(float)
    forecast = np.tile(off * rate, (origins, 1))
    low, median, high = quantiles(forecast, came, range(origins), 1, origins - 1, (0.025, 0.5, 0.975)).T
    assert (low <= forecast[-1]).all()
    assert (forecast[-1] <= high).all()
    if origins == 19:
        assert median[-1] == pytest.approx(40, rel=0.1), "only the ends reach to a forecast that is off"


def test_pinball_loss_by_hand():
    np.testing.assert_allclose(pinball(np.array([10.0, 4]), np.array([6.0, 6]), 0.9), [3.6, 0.2])
    assert intervals.LEVELS[2] == 0.5
