import numpy as np
import pytest

from trajectory.insights.demand import intervals
from trajectory.insights.demand.intervals import pinball, quantiles


def test_intervals_cover_as_often_as_they_say():
    rng = np.random.default_rng(0)
    forecast = rng.uniform(3, 400, (13, 300))
    came = forecast * np.exp(rng.normal(0, 0.3, forecast.shape))
    found = quantiles(forecast, came, range(13), 1, 12, (0.1, 0.9))
    inside = (found[:, 0] <= came[12]) & (came[12] <= found[:, 1])
    assert inside.mean() == pytest.approx(0.8, abs=0.06)


def test_errors_that_were_not_seen_by_then_do_not_count():
    forecast = np.full((5, 200), 20.0)
    came = np.full((5, 200), 20.0)
    came[3:] = 1000.0  # of two weeks ahead, at origins 3 and 4: seen at 5 and 6
    found = quantiles(forecast, came, range(5), 2, 4, (0.025, 0.975))
    np.testing.assert_allclose(found, 20.0)


def test_without_errors_the_forecast_stands():
    found = quantiles(np.full((1, 2), 7.0), np.full((1, 2), np.nan), [4], 1, 0, (0.5, 0.9))
    np.testing.assert_array_equal(found, np.full((2, 2), 7.0))


def test_series_stray_as_those_of_their_size_do():
    forecast = np.tile(np.array([5.0] * 150 + [500.0] * 150), (3, 1))
    came = forecast * np.tile([1.0, 2.0], 150)  # half of the large and of the small double ...
    came[:, 150:] = 500.0  # ... but the large ones do not
    found = quantiles(forecast, came, range(3), 1, 2, (0.975,))
    assert found[0, 0] == pytest.approx(10.0)
    assert found[-1, 0] == pytest.approx(500.0)


def test_pinball_loss_by_hand():
    np.testing.assert_allclose(pinball(np.array([10.0, 4]), np.array([6.0, 6]), 0.9), [3.6, 0.2])
    assert intervals.LEVELS[2] == 0.5
