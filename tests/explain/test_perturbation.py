from __future__ import annotations

import itertools

import numpy as np
import pytest

from tests.builders import NO_FEATURES, make_histories
from tests.explain.cases import asked, made
from trajectory.data.pipeline.featurize import last_rows
from trajectory.explain.masking import hidden
from trajectory.explain.perturbation import kernel_shap, lime, occlusion, shapley
from trajectory.explain.references import baseline
from trajectory.schema import UserError


def short_row(inputs) -> tuple[int, np.ndarray]:
    """The row with the fewest events, and their columns."""
    row = int(np.argmin(np.asarray(inputs.there).sum(axis=1)))
    return row, np.flatnonzero(np.asarray(inputs.there)[row])


@pytest.mark.parametrize("backbone", ["gru", "transformer"])
def test_shapley_values_are_means_over_all_orders(backbone: str) -> None:
    function, inputs = made(backbone)
    base = baseline("padding", inputs)
    found = shapley(function, inputs, base)
    assert found.gap.max() < 1e-4
    row, columns = short_row(inputs)
    expected = np.zeros(inputs.there.shape[1])
    orders = list(itertools.permutations(columns))
    for order in orders:
        kept = np.zeros((len(order) + 1, inputs.there.shape[1]), bool)
        for place, column in enumerate(order):
            kept[place + 1 :, column] = True
        value = hidden(function, inputs, base, np.full(len(kept), row), kept)
        np.add.at(expected, list(order), np.diff(value) / len(orders))
    np.testing.assert_allclose(found.events[row], expected, atol=1e-4)


def test_shapley_refuses_histories_of_more_events_than_it_can_combine() -> None:
    function, _ = made("gru")
    log = make_histories([[1, 2] * 7], num_items=6)
    events = last_rows(log, NO_FEATURES, log.offsets[:-1], log.offsets[1:], 16)
    inputs = function.inputs(events, asked(np.array([13])))
    with pytest.raises(UserError, match="at most 12 events, got one of 14"):
        shapley(function, inputs, baseline("padding", inputs))


def test_occlusion_is_what_the_forecast_loses_without_an_event() -> None:
    function, inputs = made("gru")
    base = baseline("padding", inputs)
    found = occlusion(function, inputs, base)
    there = np.asarray(inputs.there)
    np.testing.assert_array_equal(found.events[~there], 0)
    row, columns = short_row(inputs)
    for column in columns:
        kept = there[row].copy()
        kept[column] = False
        lost = found.value[row] - hidden(function, inputs, base, np.array([row]), kept[None])[0]
        assert found.events[row, column] == pytest.approx(lost, abs=1e-5)


def test_shap_s_own_estimate_is_near_the_exact_values() -> None:
    pytest.importorskip("shap", reason="needs the extra explain")
    function, inputs = made("gru")
    base = baseline("padding", inputs)
    exact, found = shapley(function, inputs, base), kernel_shap(function, inputs, base, samples=2000)
    np.testing.assert_allclose(found.events, exact.events, atol=0.02)


def test_lime_ranks_events_as_exact_values_do() -> None:
    pytest.importorskip("lime", reason="needs the extra explain")
    function, inputs = made("gru")
    base = baseline("padding", inputs)
    exact, found = shapley(function, inputs, base), lime(function, inputs, base, samples=2000)
    there = np.asarray(inputs.there)
    assert np.corrcoef(exact.events[there], found.events[there])[0, 1] > 0.9
