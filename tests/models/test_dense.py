"""The fast dense layer has a slow twin: Flax's own."""

from __future__ import annotations

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from trajectory.models.dense import FlatDense


@pytest.mark.parametrize("shape", [(3,), (4, 3), (5, 4, 3), (2, 5, 4, 3)])
@pytest.mark.parametrize("bias", [True, False])
def test_it_equals_the_plain_one_in_parameters_value_and_gradient(shape, bias):
    x = jax.random.normal(jax.random.key(0), shape)
    ours, plain = FlatDense(6, use_bias=bias), nn.Dense(6, use_bias=bias)
    params = plain.init(jax.random.key(1), x)
    for a, b in zip(jax.tree.leaves(ours.init(jax.random.key(1), x)), jax.tree.leaves(params), strict=True):
        np.testing.assert_array_equal(a, b)

    def loss(layer):
        return jax.value_and_grad(lambda params, x: jnp.square(layer.apply(params, x)).sum(), (0, 1))(params, x)

    assert ours.apply(params, x).shape == (*shape[:-1], 6)
    for a, b in zip(jax.tree.leaves(loss(ours)), jax.tree.leaves(loss(plain)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)
