from __future__ import annotations

import numpy as np
import pytest

from tests.builders import NO_FEATURES, make_histories
from tests.explain.cases import HISTORIES, USERS, made, targets_at, value
from trajectory.data.pipeline.featurize import last_rows
from trajectory.explain.attribution import input_forecast
from trajectory.explain.masking import EventSource, forecasts_with_events_hidden, forecasts_with_events_removed
from trajectory.explain.references import reference_of
from trajectory.explain.target_function import Problem

ROWS, FIRST = np.arange(USERS), HISTORIES.offsets[:-1]
SOURCE = EventSource(HISTORIES, NO_FEATURES, FIRST)


@pytest.mark.parametrize("backbone", ["gru", "transformer"])
def test_all_events_give_the_forecast_and_none_the_reference(backbone: str) -> None:
    function, inputs = made(backbone)
    problem, mask = Problem(function, inputs, reference_of("padding", inputs)), np.asarray(inputs.mask)
    full, start = input_forecast(function, inputs), forecasts_with_events_hidden(problem, ROWS, np.zeros_like(mask))
    np.testing.assert_allclose(forecasts_with_events_hidden(problem, ROWS, mask), full, rtol=1e-5)
    for kept, expected in ((mask, full), (np.zeros_like(mask), start)):
        found = forecasts_with_events_removed(problem, ROWS, kept, SOURCE)
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_hidden_events_are_those_of_the_reference_and_not_known() -> None:
    function, inputs = made("gru")
    problem = Problem(function, inputs, reference_of("padding", inputs))
    kept = np.asarray(inputs.mask) & (np.arange(8) % 2 == 0)
    x = np.where(kept[..., None], inputs.vectors, inputs.constant)
    expected = value(function, x, kept.astype(np.float32), inputs)
    np.testing.assert_allclose(forecasts_with_events_hidden(problem, ROWS, kept), expected, rtol=1e-5)
    np.testing.assert_allclose(forecasts_with_events_hidden(problem, ROWS[::-1], kept[::-1]), expected[::-1], rtol=1e-5)
    assert np.abs(expected - value(function, x, np.ones(kept.shape, np.float32), inputs)).max() > 0.01


def test_removed_events_never_happened() -> None:
    function, inputs = made("gru")
    kept = np.asarray(inputs.mask).copy()
    kept[:, 1] = False
    kept[0] = False
    problem = Problem(function, inputs, reference_of("padding", inputs))
    found = forecasts_with_events_removed(problem, ROWS, kept, SOURCE)
    items = [HISTORIES.item[FIRST[row] + np.flatnonzero(kept[row])].tolist() for row in ROWS[1:]]
    steps = [HISTORIES.step[FIRST[row] + np.flatnonzero(kept[row])].tolist() for row in ROWS[1:]]
    event_types = [HISTORIES.event_type[FIRST[row] + np.flatnonzero(kept[row])].tolist() for row in ROWS[1:]]
    log = make_histories(items, num_items=6, event_types=event_types)
    time = np.concatenate([HISTORIES.time[FIRST[row] + np.flatnonzero(kept[row])] for row in ROWS[1:]])
    log = log.__class__(**{**log.__dict__, "time": time})
    assert any(np.diff(step).max() > 1 for step in steps), "a gap grows where an event is gone"
    events = last_rows(log, NO_FEATURES, log.offsets[:-1], log.offsets[1:], 8)
    expected = input_forecast(function, function.inputs(events, targets_at(np.diff(log.offsets) - 1)))
    np.testing.assert_allclose(found[1:], expected, rtol=1e-5, atol=1e-5)
    masked = forecasts_with_events_hidden(problem, ROWS, kept)
    assert np.abs(found - masked)[1:].max() > 0.01
