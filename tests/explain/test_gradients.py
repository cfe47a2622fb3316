from __future__ import annotations

import jax
import numpy as np
import pytest

from tests.explain.cases import BACKBONES, USERS, asked, made, packed, packed_inputs, value
from trajectory.explain import batching, integrated
from trajectory.explain.gradients import (
    expected_gradients,
    gradient_times_input,
    saliency,
    smooth_gradients,
)
from trajectory.explain.integrated import integrated_gradients
from trajectory.explain.integration_path import summed, values_on_way
from trajectory.explain.references import BASELINES, baseline
from trajectory.explain.target_function import Function
from trajectory.schema import UserError

WITHOUT_PRIOR = [(backbone, name, 0) for backbone in BACKBONES for name in BASELINES]


@pytest.mark.parametrize(
    ("backbone", "name", "kept"), [*WITHOUT_PRIOR, ("gru", "padding", 3), ("transformer", "mean", 3)]
)
def test_integrated_gradients_add_up_to_what_the_events_change(backbone: str, name: str, kept: int) -> None:
    function, inputs = made(backbone, kept=kept)
    found = integrated_gradients(function, inputs, baseline(name, inputs, lambda: inputs))
    assert found.gap.max() < 0.01
    far = found.value - found.start
    assert np.abs(far).max() > 0.1
    np.testing.assert_allclose(found.events.sum(axis=1), far, atol=0.01 * np.maximum(np.abs(far), 0.1).max())
    np.testing.assert_array_equal(found.events[~np.asarray(inputs.there)], 0)
    if name == "masked":
        assert not found.values["gap"].any()
        assert found.values["item"].any()


@pytest.mark.parametrize("target", ["interest", "migration", "conversion"])
def test_every_target_is_explained_completely(target: str) -> None:
    function, inputs = made("gru", target)
    found = integrated_gradients(function, inputs, baseline("padding", inputs))
    assert found.gap.max() < 0.01
    assert np.abs(found.events).max() > 0.01


def test_the_way_is_halved_only_where_sums_miss() -> None:
    function, inputs = made("gru")
    base = baseline("padding", inputs)
    strict, loose = (integrated_gradients(function, inputs, base, gap) for gap in (1e-3, 1.0))
    assert set(loose.looks) == {8}
    assert strict.looks.max() > strict.looks.min() >= 8
    assert not ((strict.looks - 8) % 6).any()  # two halves of three points each
    assert strict.gap.max() < 1e-3 < loose.gap.max()


@pytest.mark.parametrize("backbone", BACKBONES)
def test_integrated_gradients_are_what_many_points_give(backbone: str) -> None:
    function, inputs = made(backbone)
    base = baseline("padding", inputs)
    found = integrated_gradients(function, inputs, base, 1e-4)
    assert found.looks.max() > 16  # something was halved twice
    rows, (node, weight) = np.repeat(np.arange(USERS), 256), np.polynomial.legendre.leggauss(256)
    at, weight = np.tile((node + 1) / 2, USERS), np.tile(weight / 2, USERS)
    many = summed(values_on_way, function, inputs, base, rows, at, weight, rows)
    assert found.values.keys() == many.keys()
    for name, values in found.values.items():
        np.testing.assert_allclose(values, many[name], atol=1e-3 * np.abs(found.events).max())


def test_a_gap_that_cannot_be_reached_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(integrated, "MOST", 64)
    function, inputs = made("gru")
    found = integrated_gradients(function, inputs, baseline("padding", inputs), 0.0)
    assert (found.looks >= 64).all()
    assert found.looks.max() < 2 * 64 + 8
    assert found.gap.max() < 1e-3


@pytest.mark.parametrize("backbone", BACKBONES)
def test_what_lies_in_the_same_packed_row_has_no_part(backbone: str) -> None:
    function, inputs = made(backbone)
    row = packed_inputs(function)
    first = int(packed().length[0])
    alone = integrated_gradients(function, inputs, baseline("padding", inputs), 1e-4).events[1]
    found = integrated_gradients(function, row, baseline("padding", row), 1e-4).events[0]
    assert np.flatnonzero(row.there[0]).tolist() == list(range(first, first + int(packed().length[1])))
    np.testing.assert_array_equal(found[:first], 0)
    np.testing.assert_allclose(found[first : first + len(alone[alone != 0])], alone[alone != 0], rtol=2e-3, atol=1e-4)
    np.testing.assert_array_equal(saliency(function, row)[0, :first], 0)


@pytest.mark.parametrize("backbone", BACKBONES)
def test_what_comes_after_the_forecast_has_no_part(backbone: str) -> None:
    function, inputs = made(backbone)
    early = function.inputs(inputs.events, asked(np.full(USERS, 1)))
    found = integrated_gradients(function, early, baseline("padding", early))
    assert (np.asarray(early.there).sum(axis=1) == 2).all()
    assert found.gap.max() < 0.01
    np.testing.assert_array_equal(found.events[:, 2:], 0)
    assert (found.events[:, :2] != 0).all()


@pytest.mark.parametrize(("limit", "most"), [("CELLS", 24), ("CHANCES", 14)])  # three rows, or two
def test_pieces_do_not_change_what_is_found(monkeypatch: pytest.MonkeyPatch, limit: str, most: int) -> None:
    function, inputs = made("gru")
    base = baseline("padding", inputs)
    whole = integrated_gradients(function, inputs, base)
    monkeypatch.setattr(batching, limit, most)
    assert len(list(batching.pieces(10, inputs, function))) == (4 if limit == "CELLS" else 5)
    pieces = integrated_gradients(function, inputs, base)
    np.testing.assert_allclose(pieces.events, whole.events, rtol=1e-4, atol=1e-5)


def test_gradient_times_input_is_the_first_order_of_leaving_for_the_baseline() -> None:
    function, inputs = made("gru", "conversion")
    base = baseline("padding", inputs)
    found = gradient_times_input(function, inputs, base)
    step = 1e-2
    near = jax.tree.map(lambda x: x * (1 - step), inputs.shares)
    known = np.full(inputs.there.shape, 1.0 - step, np.float32)
    fell = np.asarray(value(function, inputs.x, np.ones_like(known), inputs)) - np.asarray(
        value(function, sum(near.values(), inputs.constant), known, inputs)
    )
    np.testing.assert_allclose(found.events.sum(axis=1), fell / step, rtol=0.05, atol=0.02)


def test_expected_gradients_add_up_on_average_and_know_their_mean_baseline() -> None:
    function, inputs = made("gru", "conversion")
    found = expected_gradients(function, inputs, inputs, samples=512)
    assert found.gap.max() < 0.1
    again = expected_gradients(function, inputs, inputs, samples=512)
    np.testing.assert_array_equal(found.events, again.events)
    other = expected_gradients(function, inputs, inputs, samples=512, seed=1)
    assert np.corrcoef(found.events.ravel(), other.events.ravel())[0, 1] > 0.98


def test_smooth_gradients_are_gradients_of_noisy_vectors() -> None:
    function, inputs = made("gru", "conversion")
    base = baseline("padding", inputs)
    plain, smooth = gradient_times_input(function, inputs, base), smooth_gradients(function, inputs, base, samples=256)
    assert not np.array_equal(plain.events, smooth.events)
    assert np.corrcoef(plain.events.ravel(), smooth.events.ravel())[0, 1] > 0.9


def test_saliency_is_the_length_of_the_gradient() -> None:
    function, inputs = made("transformer")
    found = saliency(function, inputs)
    by_x = jax.jit(Function.gradient)(function, inputs.x, np.ones(inputs.there.shape, np.float32), inputs)[0]
    np.testing.assert_allclose(found, np.linalg.norm(by_x, axis=-1), rtol=1e-4, atol=1e-6)
    assert found.shape == (USERS, inputs.there.shape[1])


def test_unknown_baselines_and_steps_are_refused() -> None:
    function, inputs = made("gru")
    with pytest.raises(UserError, match="mean, masked, padding"):
        baseline("zero", inputs, lambda: inputs)
    with pytest.raises(UserError, match="foretells 1 to 2"):
        function.inputs(inputs.events, inputs.asked._replace(horizon=np.full(USERS, 3)))
