from __future__ import annotations

import itertools

import numpy as np
import pytest

from tests.builders import NO_FEATURES, make_histories
from tests.explain.cases import made, targets_at
from trajectory.data.pipeline.featurize import last_rows
from trajectory.explain.masking import forecasts_with_events_hidden
from trajectory.explain.perturbation import kernel_shap, lime, occlusion, shapley
from trajectory.explain.references import reference_of
from trajectory.explain.target_function import Problem
from trajectory.schema import UserError


def short_row(inputs) -> tuple[int, np.ndarray]:
    """The row with the fewest events, and their columns."""
    row = int(np.argmin(np.asarray(inputs.mask).sum(axis=1)))
    return row, np.flatnonzero(np.asarray(inputs.mask)[row])


@pytest.mark.parametrize("backbone", ["gru", "transformer"])
def test_shapley_values_are_means_over_all_orders(backbone: str) -> None:
    function, inputs = made(backbone)
    reference = reference_of("padding", inputs)
    found = shapley(function, inputs, reference)
    assert found.completeness_error.max() < 1e-4
    row, columns = short_row(inputs)
    expected = np.zeros(inputs.mask.shape[1])
    orders = list(itertools.permutations(columns))
    for order in orders:
        kept = np.zeros((len(order) + 1, inputs.mask.shape[1]), bool)
        for place, column in enumerate(order):
            kept[place + 1 :, column] = True
        value = forecasts_with_events_hidden(Problem(function, inputs, reference), np.full(len(kept), row), kept)
        np.add.at(expected, list(order), np.diff(value) / len(orders))
    np.testing.assert_allclose(found.events[row], expected, atol=1e-4)


def test_shapley_refuses_histories_of_more_events_than_it_can_combine() -> None:
    function, _ = made("gru")
    log = make_histories([[1, 2] * 7], num_items=6)
    events = last_rows(log, NO_FEATURES, log.offsets[:-1], log.offsets[1:], 16)
    inputs = function.inputs(events, targets_at(np.array([13])))
    with pytest.raises(UserError, match="at most 12 events, got one of 14"):
        shapley(function, inputs, reference_of("padding", inputs))


def test_occlusion_is_what_the_forecast_loses_without_an_event() -> None:
    function, inputs = made("gru")
    reference = reference_of("padding", inputs)
    found = occlusion(function, inputs, reference)
    mask = np.asarray(inputs.mask)
    np.testing.assert_array_equal(found.events[~mask], 0)
    row, columns = short_row(inputs)
    for column in columns:
        kept = mask[row].copy()
        kept[column] = False
        lost = (
            found.forecast[row]
            - forecasts_with_events_hidden(Problem(function, inputs, reference), np.array([row]), kept[None])[0]
        )
        assert found.events[row, column] == pytest.approx(lost, abs=1e-5)


def test_shap_s_own_estimate_is_near_the_exact_values() -> None:
    pytest.importorskip("shap", reason="needs the extra explain")
    function, inputs = made("gru")
    reference = reference_of("padding", inputs)
    exact, found = shapley(function, inputs, reference), kernel_shap(function, inputs, reference, samples=2000)
    np.testing.assert_allclose(found.events, exact.events, atol=0.02)


def test_lime_ranks_events_as_exact_values_do() -> None:
    pytest.importorskip("lime", reason="needs the extra explain")
    function, inputs = made("gru")
    reference = reference_of("padding", inputs)
    exact, found = shapley(function, inputs, reference), lime(function, inputs, reference, samples=2000)
    mask = np.asarray(inputs.mask)
    assert np.corrcoef(exact.events[mask], found.events[mask])[0, 1] > 0.9
