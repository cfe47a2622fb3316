"""Conversion labels worked by hand."""

from __future__ import annotations

import numpy as np
import pytest
from ml_collections import ConfigDict

from tests.builders import make_histories
from trajectory.data.pipeline.conversion_labels import labels
from trajectory.schema import UserError

HOUR = 3600


def _config(**values):
    return ConfigDict({"event_type": "purchase", "horizon_days": 0.0, "horizon_events": 0} | values)


def test_by_events():
    histories = make_histories([[1, 2, 3, 4, 5], [1, 2, 3]], event_types=[[1, 1, 2, 1, 1], [1, 1, 2]])
    found = labels(histories, histories.offsets[1:], None, _config(horizon_events=2))
    #                                a purchase within two events | two events are not known yet
    np.testing.assert_array_equal(found, [1, 1, 0, -1, -1, 1, -1, -1])


def test_a_conversion_in_a_horizon_that_is_not_over_is_no_label():
    """Labelled, late events would all be positive, for their negatives are never known."""
    rng = np.random.default_rng(0)
    event_types = [(rng.random(40) < 0.3).astype(int) + 1 for _ in range(200)]
    histories = make_histories([[1] * 40] * 200, event_types=[k.tolist() for k in event_types])
    found = labels(histories, histories.offsets[1:], None, _config(horizon_events=5)).reshape(200, 40)
    assert (found[:, -5:] == -1).all()
    shares = found[:, :-5].mean(0)
    assert abs(shares[-5:].mean() - shares[:5].mean()) < 0.1


def test_by_days_with_the_end_of_observation():
    histories = make_histories([[1, 2, 3, 4]], gap=HOUR, event_types=[[1, 1, 2, 1]])
    config = _config(horizon_days=1.5 / 24)
    np.testing.assert_array_equal(labels(histories, histories.offsets[1:], None, config), [0, 1, -1, -1])
    late = int(histories.time[-1]) + 10 * HOUR
    np.testing.assert_array_equal(labels(histories, histories.offsets[1:], late, config), [0, 1, 0, 0])


def test_what_is_held_out_is_not_known():
    histories = make_histories([[1, 2, 3, 4]], event_types=[[1, 1, 1, 2]])
    config = _config(horizon_events=1)
    np.testing.assert_array_equal(labels(histories, histories.offsets[1:], None, config), [0, 0, 1, -1])
    np.testing.assert_array_equal(labels(histories, np.array([3]), None, config), [0, 0, -1, -1])


def test_unknown_event_type_is_said():
    histories = make_histories([[1, 2]])
    with pytest.raises(UserError, match="'cart' is no type of event of this log"):
        labels(histories, histories.offsets[1:], None, _config(event_type="cart"))
