from __future__ import annotations

import numpy as np
import pytest

from tests.builders import NO_FEATURES, make_histories
from tests.explain.cases import HISTORIES, USERS, asked, made, value
from trajectory.data.pipeline.featurize import last_rows
from trajectory.explain.attribution import end
from trajectory.explain.masking import hidden, removed
from trajectory.explain.references import baseline

ROWS, FIRST = np.arange(USERS), HISTORIES.offsets[:-1]


@pytest.mark.parametrize("backbone", ["gru", "transformer"])
def test_all_events_give_the_forecast_and_none_the_baseline(backbone: str) -> None:
    function, inputs = made(backbone)
    base, there = baseline("padding", inputs), np.asarray(inputs.there)
    full, start = end(function, inputs), hidden(function, inputs, base, ROWS, np.zeros_like(there))
    np.testing.assert_allclose(hidden(function, inputs, base, ROWS, there), full, rtol=1e-5)
    for kept, expected in ((there, full), (np.zeros_like(there), start)):
        found = removed(function, inputs, base, ROWS, kept, HISTORIES, NO_FEATURES, FIRST)
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_hidden_events_are_those_of_the_baseline_and_not_known() -> None:
    function, inputs = made("gru")
    base, kept = baseline("padding", inputs), np.asarray(inputs.there) & (np.arange(8) % 2 == 0)
    x = np.where(kept[..., None], inputs.x, inputs.constant)
    expected = value(function, x, kept.astype(np.float32), inputs)
    np.testing.assert_allclose(hidden(function, inputs, base, ROWS, kept), expected, rtol=1e-5)
    np.testing.assert_allclose(hidden(function, inputs, base, ROWS[::-1], kept[::-1]), expected[::-1], rtol=1e-5)
    assert np.abs(expected - value(function, x, np.ones(kept.shape, np.float32), inputs)).max() > 0.01


def test_removed_events_never_happened() -> None:
    function, inputs = made("gru")
    kept = np.asarray(inputs.there).copy()
    kept[:, 1] = False
    kept[0] = False
    found = removed(function, inputs, baseline("padding", inputs), ROWS, kept, HISTORIES, NO_FEATURES, FIRST)
    items = [HISTORIES.item[FIRST[row] + np.flatnonzero(kept[row])].tolist() for row in ROWS[1:]]
    steps = [HISTORIES.step[FIRST[row] + np.flatnonzero(kept[row])].tolist() for row in ROWS[1:]]
    kinds = [HISTORIES.kind[FIRST[row] + np.flatnonzero(kept[row])].tolist() for row in ROWS[1:]]
    log = make_histories(items, num_items=6, kinds=kinds)
    time = np.concatenate([HISTORIES.time[FIRST[row] + np.flatnonzero(kept[row])] for row in ROWS[1:]])
    log = log.__class__(**{**log.__dict__, "time": time})
    assert any(np.diff(step).max() > 1 for step in steps), "a gap grows where an event is gone"
    events = last_rows(log, NO_FEATURES, log.offsets[:-1], log.offsets[1:], 8)
    expected = end(function, function.inputs(events, asked(np.diff(log.offsets) - 1)))
    np.testing.assert_allclose(found[1:], expected, rtol=1e-5, atol=1e-5)
    masked = hidden(function, inputs, baseline("padding", inputs), ROWS, kept)
    assert np.abs(found - masked)[1:].max() > 0.01
