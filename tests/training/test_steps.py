"""What a training step is made of, read from its lowered program."""

from __future__ import annotations

import re

import jax
import jax.numpy as jnp
import optax
import pytest
from ml_collections import ConfigDict

from configs import common
from tests.builders import NO_FEATURES, make_model, random_histories
from trajectory.data.batches import TrainingData
from trajectory.data.splits import split
from trajectory.schema import UserError
from trajectory.training.steps import TrainStep, initial_state

HEADS = ConfigDict({"item": 1.0, "interest": 0.5, "conversion": 0.5})


def _lowered(backbone: str, products: str) -> str:
    histories = random_histories(20, 30, 12)
    _, parts = split(histories, ConfigDict({"kind": "leave_one_out"}))
    config = common.base().batch
    config.rows, config.length, config.targets = 4, 16, 16
    batch = TrainingData(histories, parts, NO_FEATURES, config, 0).plan(0).batch(0)
    model, tx = make_model(backbone), optax.adam(1e-3)
    step = TrainStep(model, tx, HEADS, jnp.asarray(histories.item_interest), True, products=products)
    state = initial_state(model, tx, batch, 0)
    after, metrics = jax.eval_shape(step, state, batch)
    assert all(leaf.dtype != jnp.bfloat16 for leaf in jax.tree.leaves((after, metrics)))
    return jax.jit(step).lower(state, batch).as_text()


@pytest.mark.parametrize("backbone", ["lstm", "gru", "transformer"])
def test_bfloat16_rounds_the_factors_of_every_product_and_nothing_else(backbone):
    products = re.findall(r"stablehlo\.dot_general.*", _lowered(backbone, "bfloat16"))
    assert len(products) > 10
    for product in products:
        assert "lhs_precision_type = bf16, rhs_precision_type = bf16, accumulation_type = f32" in product
        assert "xbf16" not in product, "the arrays themselves stay float32"
    assert "bf16" not in _lowered(backbone, "float32")


def test_unknown_products_are_refused():
    with pytest.raises(UserError, match=r"train\.products='float16' is unknown; expected float32 or bfloat16"):
        _lowered("gru", "float16")
