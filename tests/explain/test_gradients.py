from __future__ import annotations

import jax
import numpy as np
import pytest

from tests.explain.cases import BACKBONES, USERS, made, packed, packed_inputs, targets_at, value
from trajectory.explain import batching, integrated
from trajectory.explain.gradients import (
    expected_gradients,
    gradient_times_input,
    saliency,
    smooth_gradients,
)
from trajectory.explain.integrated import integrated_gradients
from trajectory.explain.integration_path import values_on_path, weighted_sums
from trajectory.explain.references import REFERENCES, reference_of
from trajectory.explain.target_function import Problem, TargetFunction
from trajectory.schema import UserError

pytestmark = pytest.mark.compiled_quickly

WITHOUT_PRIOR = [(backbone, name, 0) for backbone in BACKBONES for name in REFERENCES]


@pytest.mark.parametrize(
    ("backbone", "name", "kept"), [*WITHOUT_PRIOR, ("gru", "padding", 3), ("transformer", "mean", 3)]
)
def test_integrated_gradients_add_up_to_what_the_events_change(backbone: str, name: str, kept: int) -> None:
    function, inputs = made(backbone, kept=kept)
    found = integrated_gradients(function, inputs, reference_of(name, inputs, lambda: inputs))
    assert found.completeness_error.max() < 0.01
    far = found.forecast - found.reference_forecast
    assert np.abs(far).max() > 0.1
    np.testing.assert_allclose(found.events.sum(axis=1), far, atol=0.01 * np.maximum(np.abs(far), 0.1).max())
    np.testing.assert_array_equal(found.events[~np.asarray(inputs.mask)], 0)
    if name == "masked":
        assert not found.values["gap"].any()
        assert found.values["item"].any()


@pytest.mark.parametrize("target", ["interest", "migration", "conversion"])
def test_every_target_is_explained_completely(target: str) -> None:
    function, inputs = made("gru", target)
    found = integrated_gradients(function, inputs, reference_of("padding", inputs))
    assert found.completeness_error.max() < 0.01
    assert np.abs(found.events).max() > 0.01


def test_the_path_is_halved_only_where_sums_miss() -> None:
    function, inputs = made("gru")
    reference = reference_of("padding", inputs)
    strict, loose = (integrated_gradients(function, inputs, reference, error) for error in (1e-3, 1.0))
    assert set(loose.num_gradients) == {8}
    assert strict.num_gradients.max() > strict.num_gradients.min() >= 8
    assert not ((strict.num_gradients - 8) % 6).any()  # two halves of three points each
    assert strict.completeness_error.max() < 1e-3 < loose.completeness_error.max()


@pytest.mark.parametrize("backbone", BACKBONES)
def test_integrated_gradients_are_what_many_points_give(backbone: str) -> None:
    function, inputs = made(backbone)
    reference = reference_of("padding", inputs)
    found = integrated_gradients(function, inputs, reference, 1e-4)
    assert found.num_gradients.max() > 16  # something was halved twice
    rows, (node, weight) = np.repeat(np.arange(USERS), 256), np.polynomial.legendre.leggauss(256)
    at, weight = np.tile((node + 1) / 2, USERS), np.tile(weight / 2, USERS)
    many = weighted_sums(values_on_path, Problem(function, inputs, reference), rows, at, weight, rows)
    assert found.values.keys() == many.keys()
    for name, values in found.values.items():
        np.testing.assert_allclose(values, many[name], atol=1e-3 * np.abs(found.events).max())


def test_a_completeness_error_that_cannot_be_reached_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(integrated, "MAX_POINTS", 512)
    function, inputs = made("gru")
    found = integrated_gradients(function, inputs, reference_of("padding", inputs), 0.0)
    assert (found.num_gradients >= 512).all()
    assert found.num_gradients.max() < 2 * 512 + 8
    assert found.completeness_error.max() < 1e-3


@pytest.mark.parametrize("backbone", BACKBONES)
def test_what_lies_in_the_same_packed_row_has_no_part(backbone: str) -> None:
    function, inputs = made(backbone)
    row = packed_inputs(function)
    first = int(packed().length[0])
    alone = integrated_gradients(function, inputs, reference_of("padding", inputs), 1e-4).events[1]
    found = integrated_gradients(function, row, reference_of("padding", row), 1e-4).events[0]
    assert np.flatnonzero(row.mask[0]).tolist() == list(range(first, first + int(packed().length[1])))
    np.testing.assert_array_equal(found[:first], 0)
    np.testing.assert_allclose(found[first : first + len(alone[alone != 0])], alone[alone != 0], rtol=2e-3, atol=1e-4)
    np.testing.assert_array_equal(saliency(function, row)[0, :first], 0)


@pytest.mark.parametrize("backbone", BACKBONES)
def test_what_comes_after_the_forecast_has_no_part(backbone: str) -> None:
    function, inputs = made(backbone)
    early = function.inputs(inputs.events, targets_at(np.full(USERS, 1)))
    found = integrated_gradients(function, early, reference_of("padding", early))
    assert (np.asarray(early.mask).sum(axis=1) == 2).all()
    assert found.completeness_error.max() < 0.01
    np.testing.assert_array_equal(found.events[:, 2:], 0)
    assert (found.events[:, :2] != 0).all()


@pytest.mark.parametrize(("limit", "most"), [("EVENTS", 24), ("PROBABILITIES", 14)])  # three rows, or two
def test_batches_do_not_change_attributions(monkeypatch: pytest.MonkeyPatch, limit: str, most: int) -> None:
    function, inputs = made("gru")
    reference = reference_of("padding", inputs)
    whole = integrated_gradients(function, inputs, reference)
    monkeypatch.setattr(batching, limit, most)
    assert len(list(batching.batches(10, inputs, function))) == (4 if limit == "EVENTS" else 5)
    batched = integrated_gradients(function, inputs, reference)
    np.testing.assert_allclose(batched.events, whole.events, rtol=1e-4, atol=1e-5)


def test_gradient_times_input_is_the_first_order_of_leaving_for_the_reference() -> None:
    function, inputs = made("gru", "conversion")
    reference = reference_of("padding", inputs)
    found = gradient_times_input(function, inputs, reference)
    step = 1e-2
    near = jax.tree.map(lambda x: x * (1 - step), inputs.components)
    known = np.full(inputs.mask.shape, 1.0 - step, np.float32)
    fell = np.asarray(value(function, inputs.vectors, np.ones_like(known), inputs)) - np.asarray(
        value(function, sum(near.values(), inputs.constant), known, inputs)
    )
    np.testing.assert_allclose(found.events.sum(axis=1), fell / step, rtol=0.05, atol=0.02)


def test_expected_gradients_add_up_on_average_and_know_their_mean_reference() -> None:
    function, inputs = made("gru", "conversion")
    found = expected_gradients(function, inputs, inputs, samples=512)
    assert found.completeness_error.max() < 0.1
    again = expected_gradients(function, inputs, inputs, samples=512)
    np.testing.assert_array_equal(found.events, again.events)
    other = expected_gradients(function, inputs, inputs, samples=512, seed=1)
    assert np.corrcoef(found.events.ravel(), other.events.ravel())[0, 1] > 0.98


def test_smooth_gradients_are_gradients_of_noisy_vectors() -> None:
    function, inputs = made("gru", "conversion")
    reference = reference_of("padding", inputs)
    plain = gradient_times_input(function, inputs, reference)
    smooth = smooth_gradients(function, inputs, reference, samples=256)
    assert not np.array_equal(plain.events, smooth.events)
    assert np.corrcoef(plain.events.ravel(), smooth.events.ravel())[0, 1] > 0.9


def test_saliency_is_the_length_of_the_gradient() -> None:
    function, inputs = made("transformer")
    found = saliency(function, inputs)
    by_x = jax.jit(TargetFunction.gradient)(function, inputs.vectors, np.ones(inputs.mask.shape, np.float32), inputs)[0]
    np.testing.assert_allclose(found, np.linalg.norm(by_x, axis=-1), rtol=1e-4, atol=1e-6)
    assert found.shape == (USERS, inputs.mask.shape[1])


def test_unknown_references_and_steps_are_refused() -> None:
    function, inputs = made("gru")
    with pytest.raises(UserError, match="mean, masked, padding"):
        reference_of("zero", inputs, lambda: inputs)
    with pytest.raises(UserError, match="predicts 1 to 2"):
        function.inputs(inputs.events, inputs.targets._replace(horizon=np.full(USERS, 3)))
