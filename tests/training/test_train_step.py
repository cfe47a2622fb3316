"""What a training step is made of, read from its lowered program."""

from __future__ import annotations

import re

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from ml_collections import ConfigDict

from tests.builders import NO_FEATURES, initialise, make_model, random_histories
from trajectory.data.pipeline.batches import TrainingData
from trajectory.data.pipeline.splits import split
from trajectory.settings import BACKBONES, base
from trajectory.training import losses
from trajectory.training.losses import Objective
from trajectory.training.train_step import TrainStep, initial_state

HEADS = dict.fromkeys(losses.HEADS, 0.0) | {"item": 1.0, "interest": 0.5, "conversion": 0.5, "time": 0.3}
ITEM = dict.fromkeys(losses.HEADS, 0.0) | {"item": 1.0}


def _data():
    histories = random_histories(20, 30, 12)
    _, parts = split(histories, ConfigDict({"kind": "leave_one_out"}))
    config = base().batch
    config.rows, config.length, config.targets = 4, 16, 16
    return histories, TrainingData(histories, parts, NO_FEATURES, config, 0).plan(0).batch(0)


def _lowered(backbone: str, products: str) -> str:
    histories, batch = _data()
    model, tx = make_model(backbone), optax.adam(1e-3)
    step = TrainStep(model, tx, Objective(HEADS, jnp.asarray(histories.item_interest)), products=products)
    state = initial_state(model, tx, batch, 0)
    after, metrics = jax.eval_shape(step, state, batch)
    assert all(leaf.dtype != jnp.bfloat16 for leaf in jax.tree.leaves((after, metrics)))
    return jax.jit(step).lower(state, batch).as_text()


@pytest.mark.parametrize("backbone", BACKBONES)
def test_bfloat16_rounds_the_factors_of_every_product_and_nothing_else(backbone):
    products = re.findall(r"stablehlo\.dot_general.*", _lowered(backbone, "bfloat16"))
    assert len(products) > 10
    for product in products:
        assert "lhs_precision_type = bf16, rhs_precision_type = bf16, accumulation_type = f32" in product
        assert "xbf16" not in product, "the arrays themselves stay float32"
    assert "bf16" not in _lowered(backbone, "float32")


@pytest.mark.parametrize("temperature", [0.0, 0.2])
def test_smoothing_is_cross_entropy_with_a_share_of_each_target_spread_over_all_items(temperature):
    histories, batch = _data()
    model = make_model("transformer", repeat=False, dropout=0.0, temperature=temperature)
    params = initialise(model, batch.events)
    interests = jnp.asarray(histories.item_interest)
    step = TrainStep(model, optax.adam(1e-3), Objective(ITEM, interests, smoothing=0.3))
    gradient, metrics = jax.jit(step.gradient)(params, jax.random.key(0), batch)

    def plain(params):
        states = model.apply(params, batch.events, batch.targets.position, method="encode")
        log_p = model.apply(params, states, method="score")[..., 1:]
        wanted = 0.7 * jax.nn.one_hot(batch.targets.item[..., 0] - 1, 30) + 0.3 / 30
        weight = batch.targets.weight[..., 0]
        return -((wanted * log_p).sum(-1) * weight).sum() / weight.sum()

    value, expected = jax.jit(jax.value_and_grad(plain))(params)
    np.testing.assert_allclose(float(metrics["loss"]), float(value), rtol=1e-5)
    for a, b in zip(jax.tree.leaves(gradient), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


@pytest.mark.parametrize("temperature", [0.0, 0.2])
def test_a_power_makes_the_loss_the_pseudospherical_score(temperature):
    histories, batch = _data()
    model = make_model("transformer", repeat=False, dropout=0.0, temperature=temperature)
    params = initialise(model, batch.events)
    interests = jnp.asarray(histories.item_interest)
    step = TrainStep(model, optax.adam(1e-3), Objective(ITEM, interests, power=0.3))
    gradient, metrics = jax.jit(step.gradient)(params, jax.random.key(0), batch)

    def plain(params):
        states = model.apply(params, batch.events, batch.targets.position, method="encode")
        p = jnp.exp(model.apply(params, states, method="score")[..., 1:])
        sharpness = 1 / (1 - 0.3)
        own = (p * jax.nn.one_hot(batch.targets.item[..., 0] - 1, 30)).sum(-1)
        own = jnp.where(own > 0, own, 1.0)  # no target
        score = own ** (sharpness - 1) / (p**sharpness).sum(-1) ** (1 - 1 / sharpness)
        weight = batch.targets.weight[..., 0]
        return ((1 - score) / 0.3 * weight).sum() / weight.sum()

    value, expected = jax.jit(jax.value_and_grad(plain))(params)
    np.testing.assert_allclose(float(metrics["loss"]), float(value), rtol=1e-5)
    for a, b in zip(jax.tree.leaves(gradient), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)
