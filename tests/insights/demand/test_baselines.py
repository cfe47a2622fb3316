import numpy as np
import pytest

from trajectory import extras
from trajectory.insights.demand import baselines
from trajectory.schema import UserError

COUNT = np.array([[1.0, 2, 3, 4, 5, 6, 7, 8], [0, 0, 0, 0, 4, 0, 0, 0]])


def test_last_week_and_the_mean_of_four_go_on():
    found = baselines.counting_baselines(COUNT, (5, 8))
    np.testing.assert_array_equal(found["last week"].forecast[:, 0], [[5, 4], [8, 0]])
    np.testing.assert_array_equal(found["moving average"].forecast[:, -1], [[3.5, 1], [6.5, 1]])


def test_without_the_library_one_is_told_what_to_install(monkeypatch):
    monkeypatch.setattr(extras, "installed", lambda package: False)
    with pytest.raises(UserError, match=r"AutoETS needs .* pip install 'interest-trajectory\[demand\]'"):
        baselines.statsforecast_baseline("AutoETS", COUNT, (8,), range(8, 9))


@pytest.mark.skipif(not extras.installed("statsforecast"), reason="statsforecast is not installed (extra demand)")
@pytest.mark.parametrize("name", baselines.LIBRARY)
def test_the_library_sees_what_came_before_the_origin_only(name):
    rng = np.random.default_rng(0)
    count = rng.poisson(50, (2, 40)).astype(float)
    count[:, 30:] = 500
    found = baselines.statsforecast_baseline(name, count, (20, 30), range(30, 31))
    assert np.abs(found.forecast[1] - 50).max() < 15
    assert (found.deviation[1] > 2).all()
    np.testing.assert_array_equal(found.deviation[0], 0)  # not a tested origin
