"""Items scaled to the interest head add up to it, and keep their order within an interest."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest

from tests.explain.cases import BACKBONES, HISTORIES, applied, made, value
from trajectory.explain.target_function import TargetFunction
from trajectory.models.top_down import log_sums, with_interest_head

pytestmark = pytest.mark.compiled_quickly

K = len(HISTORIES.interests)


@pytest.mark.parametrize("backbone", BACKBONES)
def test_items_add_up_to_the_interest_head_and_keep_their_shares_of_an_interest(backbone: str) -> None:
    function, inputs = made(backbone)
    states = applied(function, "encode")(inputs.events, inputs.targets.position[:, None])
    plain = np.exp(applied(function, "score")(states)[:, 0])
    head = np.exp(applied(function, "score_interest")(states)[:, 0])
    params = {"params": function.variables["params"]["model"]}
    model, variables = with_interest_head(function.model, params, HISTORIES.item_interest)
    scaled = np.exp(model.apply(variables, states, method="score")[:, 0])
    np.testing.assert_allclose(scaled.sum(1), 1, rtol=1e-5)
    for k in range(1, K + 1):
        of = HISTORIES.item_interest == k
        np.testing.assert_allclose(scaled[:, of].sum(1), head[:, k] / (1 - head[:, 0]), rtol=1e-4)
        np.testing.assert_allclose(
            scaled[:, of] / scaled[:, of].sum(1, keepdims=True), plain[:, of] / plain[:, of].sum(1, keepdims=True), 1e-4
        )


def test_interests_that_are_explained_are_those_of_the_chosen_forecast() -> None:
    function, inputs = made("gru", "interest")
    params = {"params": function.variables["params"]["model"]}
    model, variables = with_interest_head(function.model, params, HISTORIES.item_interest)
    head = TargetFunction.create(model, variables, "interest", HISTORIES.item_interest)
    of_head = head.inputs(inputs.events, inputs.targets)
    two = jnp.full((len(inputs.mask), 1), 2)
    states = applied(function, "encode")(inputs.events, inputs.targets.position[:, None], horizon=two)
    chance = np.exp(applied(function, "score_interest")(states)[:, 0])
    expected = chance[:, 1:] / chance[:, 1:].sum(1, keepdims=True)
    np.testing.assert_allclose(np.exp(head.log_probabilities(of_head))[:, 1:], expected, rtol=1e-4)
    known = jnp.ones(inputs.mask.shape)
    assert (
        np.abs(value(head, of_head.vectors, known, of_head) - value(function, inputs.vectors, known, inputs)).max()
        > 0.01
    )


def test_sums_of_items_are_in_the_places_of_their_interests() -> None:
    log_p = jnp.log(jnp.array([[1e-9, 0.1, 0.2, 0.3, 0.4]]))
    np.testing.assert_allclose(np.exp(log_sums(log_p, jnp.array([0, 1, 3, 1, 0]), 3)), [[0.4, 0.4, 0, 0.2]], atol=1e-6)
