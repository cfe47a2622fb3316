from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from tests.builders import make_histories
from trajectory.calibration.binary import BinaryCalibration
from trajectory.data.times import DAY
from trajectory.forecasting.conversion import conversions
from trajectory.inference.new_users import whole_histories
from trajectory.settings import base


def told(days: float = 7.0, events: int = 0, unit: str = "user", calibration=None, **changes):
    """Three users whose last events are 0, 6 and 8 days before the log's end."""
    histories = replace(make_histories([[1, 2], [1, 2], [1, 2]]), **changes)
    last = 100 * DAY - np.array([0, 6, 8]) * DAY
    histories = replace(histories, time=np.stack([last - DAY, last], axis=1).ravel())
    config = base().conversion
    config.horizon_days, config.horizon_events, config.unit = days, events, unit
    scorer = SimpleNamespace(
        predictor=SimpleNamespace(histories=histories), conversion=lambda *_: np.array([0.1, 0.2, 0.3], np.float32)
    )
    rows, notes = conversions(scorer, whole_histories(histories), config, calibration)
    assert rows["calibrated"].to_list() == [calibration is not None] * 3
    return rows["probability"].to_list(), " ".join(notes)


def test_of_users_whose_days_are_over_nothing_is_stated() -> None:
    probability, notes = told()
    assert probability == [pytest.approx(0.1), pytest.approx(0.2), None]
    assert "of the 7 days from each user's last event on" in notes
    assert "of 1 of 3 users these days are over" in notes
    assert told(days=9)[0] == pytest.approx([0.1, 0.2, 0.3])
    assert "over" not in told(days=9)[1]


def test_numbers_of_events_and_stated_labels_are_never_over() -> None:
    assert told(events=5) == (pytest.approx([0.1, 0.2, 0.3]), "")
    assert told(label=np.zeros(6, np.int8)) == (pytest.approx([0.1, 0.2, 0.3]), "")
    assert told(has_time=False) == (pytest.approx([0.1, 0.2, 0.3]), "")


def test_of_sessions_that_are_over_nothing_is_stated() -> None:
    probability, notes = told(unit="session")
    assert probability == [pytest.approx(0.1), None, None]
    assert "of the rest of the session" in notes
    assert "of 2 of 3 users it is over" in notes


def test_of_carts_only_users_whose_last_event_is_one_have_a_probability() -> None:
    types = np.array([1, 2, 1, 1, 2, 1], np.int8)
    probability, notes = told(unit="cart", events=5, event_types=("view", "cart", "purchase"), event_type=types)
    assert probability == [pytest.approx(0.1), None, None]
    assert "the last event of 2 of 3 users is no cart event" in notes


def test_probabilities_are_calibrated_by_what_the_evaluation_fitted() -> None:
    found = told(events=5, calibration=BinaryCalibration(a=1, b=1, c=1))[0]
    odds = np.array([0.1 / 0.9, 0.2 / 0.8, 0.3 / 0.7]) * np.e
    assert found == pytest.approx(odds / (1 + odds), abs=1e-6)
