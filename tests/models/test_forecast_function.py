from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.builders import changed
from tests.explain.cases import BACKBONES, HISTORIES, applied, made, value
from trajectory.explain.target_function import TargetFunction
from trajectory.models.forecast_function import CONSTANT, TARGETS
from trajectory.models.top_down import log_sums

pytestmark = pytest.mark.compiled_quickly


@pytest.mark.parametrize(("backbone", "kept"), [*((backbone, 0) for backbone in (*BACKBONES, "hybrid")), ("gru", 3)])
def test_shares_of_inputs_add_up_to_the_vectors_of_events(backbone: str, kept: int) -> None:
    function, inputs = made(backbone, kept=kept)
    assert {"item", "event_type", "gap", "calendar", "counts"} <= set(inputs.components)
    assert ("content" in inputs.components) == bool(kept)
    assert CONSTANT not in inputs.components
    np.testing.assert_allclose(inputs.vectors, applied(function, "embed")(inputs.events), atol=2e-6)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("backbone", BACKBONES)
def test_what_is_explained_is_what_the_model_predicts(backbone: str, target: str) -> None:
    function, inputs = made(backbone, target)
    two = jnp.full((len(inputs.mask), 1), 2)
    states = applied(function, "encode")(inputs.events, inputs.targets.position[:, None], horizon=two)
    if target == "conversion":
        expected = jax.nn.log_sigmoid(applied(function, "score_conversion")(states)[:, 0])
    else:
        log_p = applied(function, "score")(states)[:, 0]
        if target != "item":
            log_p = log_sums(log_p, HISTORIES.item_interest, len(HISTORIES.interests))
        expected = log_p[:, 2] - (log_p[:, 1] if target == "migration" else 0)
    found = value(function, inputs.vectors, jnp.ones(inputs.mask.shape), inputs)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
    if target in ("item", "interest"):
        np.testing.assert_allclose(function.log_probabilities(inputs)[:, 2], expected, rtol=1e-5, atol=1e-5)


def test_items_that_cannot_come_are_left_out_of_what_is_explained() -> None:
    function, inputs = made("gru")
    seen = np.tile(np.array([3, 5, 0], np.int32), (len(inputs.mask), 1))
    of_new = inputs._replace(targets=inputs.targets._replace(seen=seen))
    chance, left = (np.exp(function.log_probabilities(of)) for of in (inputs, of_new))
    assert left[:, [3, 5]].max() == 0
    others = [1, 2, 4, 6]
    np.testing.assert_allclose(left[:, others], chance[:, others] / chance[:, others].sum(1, keepdims=True), rtol=1e-4)


def test_interests_of_a_model_without_an_interest_head_are_sums_over_their_items() -> None:
    items, inputs = made("gru")
    model = changed(items.model, interest=False)
    params = {"params": {k: v for k, v in items.variables["params"]["model"].items() if k != "interest"}}
    function = TargetFunction.create(model, params, "interest", HISTORIES.item_interest)
    chance = np.exp(items.log_probabilities(inputs))
    expected = [chance[:, HISTORIES.item_interest == k].sum(axis=1) for k in range(4)]
    np.testing.assert_allclose(np.exp(function.log_probabilities(inputs)), np.transpose(expected), rtol=1e-4, atol=1e-7)


def test_of_an_event_that_is_not_known_the_softmax_has_the_share() -> None:
    function, inputs = made("gru")
    two = jnp.full((len(inputs.mask), 1), 2)
    states = applied(function, "encode")(inputs.events, inputs.targets.position[:, None], horizon=two)
    alone = applied(function, "score")(states._replace(pointer=None))[:, 0, 2]
    np.testing.assert_allclose(
        value(function, inputs.vectors, jnp.zeros(inputs.mask.shape), inputs), alone, rtol=1e-4, atol=1e-5
    )
    assert np.abs(alone - value(function, inputs.vectors, jnp.ones(inputs.mask.shape), inputs)).max() > 0.01
    half = jnp.tile(jnp.array([1.0, 0.3]), (len(inputs.mask), inputs.mask.shape[1] // 2))
    log_p = jax.jit(function.head.apply)(
        function.variables, inputs.vectors, half, inputs.events, inputs.targets, function.item_interest
    )
    np.testing.assert_allclose(np.exp(log_p).sum(axis=1), 1, rtol=1e-5)
