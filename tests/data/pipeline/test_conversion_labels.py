"""Conversion labels worked by hand."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from ml_collections import ConfigDict

from tests.builders import make_histories
from trajectory.data.pipeline.conversion_labels import labels
from trajectory.schema import UserError

HOUR = 3600


def _config(**values):
    return ConfigDict(
        {
            "event_type": "purchase",
            "unit": "user",
            "horizon_days": 0.0,
            "horizon_events": 0,
            "session_minutes": 30.0,
        }
        | values
    )


def _log(minutes, event_types, items=None, names=("view", "cart", "purchase")):
    """One user's events at these minutes, of these types by number."""
    histories = make_histories([items or [1] * len(minutes)], event_types=[event_types])
    return replace(histories, time=np.array(minutes, np.int64) * 60, event_types=names)


def _labels(histories, until_minute=None, **values):
    until = None if until_minute is None else until_minute * 60
    return labels(histories, histories.offsets[1:], until, _config(**values)).tolist()


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


def test_by_session_a_purchase_at_a_later_moment_of_the_same_session():
    #                 first session: two lines of an order | second: no purchase | third: not seen to end
    histories = _log([0, 10, 20, 20, 25, 100, 129, 160, 200], [1, 2, 3, 3, 1, 1, 1, 3, 1])
    assert _labels(histories, unit="session") == [1, 1, 0, 0, 0, 0, 0, 0, -1]
    # Thirty minutes without an event and it is known that the last session is over.
    assert _labels(histories, 229, unit="session")[-1] == -1
    assert _labels(histories, 230, unit="session")[-1] == 0
    # With a longer idle time 129 and 160 are one session, and 100 too.
    assert _labels(histories, unit="session", session_minutes=45.0) == [1, 1, 0, 0, 0, 1, 1, 0, 0][:5] + [-1] * 4


def test_a_session_that_goes_on_after_the_cut_is_not_known():
    histories = _log([0, 10, 20], [1, 1, 3])
    found = labels(histories, np.array([2]), 15 * 60, _config(unit="session"))
    assert found.tolist() == [-1, -1, -1]


def test_of_carts_the_same_item_within_the_horizon():
    day = 24 * 60
    # Item 1 is bought at once, 2 after two days, 3 never, 4 too late to know; 5 is bought and never in a cart.
    histories = _log(
        [0, 1, 2, 3, 4, 5, 2 * day, 5 * day],
        [1, 2, 2, 2, 3, 3, 3, 2],
        [1, 1, 2, 3, 1, 5, 2, 4],
    )
    assert _labels(histories, unit="cart", horizon_days=1.0) == [-1, 1, 0, 0, -1, -1, -1, -1]
    assert _labels(histories, unit="cart", horizon_days=3.0) == [-1, 1, 1, 0, -1, -1, -1, -1]
    assert _labels(histories, 6 * day, unit="cart", horizon_days=1.0)[-1] == 0
    assert _labels(histories, unit="cart", horizon_events=3) == [-1, 1, 0, 0, -1, -1, -1, -1]


@pytest.mark.parametrize("unit", ["session", "cart"])
def test_labels_do_not_reach_into_the_next_user(unit):
    histories = make_histories([[1], [1]], gap=60, event_types=[[2], [3]])
    histories = replace(histories, event_types=("view", "cart", "purchase"))
    found = labels(histories, histories.offsets[1:], int(histories.time[0]) + 10**6, _config(unit=unit))
    assert found[0] == 0


def test_unknown_event_type_is_said():
    histories = make_histories([[1, 2]])
    with pytest.raises(UserError, match="'cart' is no type of event of this log") as error:
        labels(histories, histories.offsets[1:], None, _config(event_type="cart"))
    assert "all of one type: data.columns.event_type names" in str(error.value)


@pytest.mark.parametrize(
    ("event_types", "names", "has_time", "unit", "message"),
    [
        ([1, 1], ("view", "purchase"), True, "user", "'purchase' never occurs in this log; types of its events: view"),
        ([1, 2], ("view", "purchase"), True, "cart", "unit=cart asks at events of the type 'cart', and it is no type"),
        ([1, 1], ("purchase",), True, "session", "all events of this log are of that type"),
        ([1, 2], ("view", "purchase"), False, "session", "session needs times and this log has none; name their"),
        ([1, 2], ("view", "purchase"), False, "user", "horizon_days needs times and this log has none; set"),
    ],
)
def test_what_a_log_lacks_is_said(event_types, names, has_time, unit, message):
    histories = replace(_log([0, 1], event_types, names=names), has_time=has_time)
    with pytest.raises(UserError, match=re.escape(message)):
        _labels(histories, unit=unit, horizon_days=1.0)
