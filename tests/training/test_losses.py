"""The softmax that never stores its logits has a slow twin, and the mixture sums to one."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from trajectory.training import losses


def _plain(vectors, table, target):
    logits = (vectors @ table.T).at[:, 0].set(-jnp.inf)
    return jnp.take_along_axis(jax.nn.log_softmax(logits, axis=-1), target, axis=1)


@pytest.mark.parametrize("rows", [1, 7, 40])
def test_target_log_softmax_equals_the_plain_one_in_value_and_gradient(monkeypatch, rows):
    monkeypatch.setattr(losses, "CHUNK", 16)
    rng = np.random.default_rng(rows)
    vectors, table = rng.normal(size=(rows, 8)).astype(np.float32), rng.normal(size=(50, 8)).astype(np.float32)
    target = rng.integers(1, 50, (rows, 3)).astype(np.int32)
    weight = rng.random((rows, 3)).astype(np.float32)

    def total(function):
        return jax.jit(jax.value_and_grad(lambda v, t: (function(v, t, target) * weight).sum(), argnums=(0, 1)))

    value, gradient = total(losses.target_log_softmax)(vectors, table)
    plain_value, plain_gradient = total(_plain)(vectors, table)
    np.testing.assert_allclose(value, plain_value, rtol=1e-5)
    for ours, theirs in zip(gradient, plain_gradient, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)
    assert np.all(np.asarray(gradient[1])[0] == 0), "row 0 is not an item"
