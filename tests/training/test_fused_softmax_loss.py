"""The cross-entropy that never stores its logits has a slow twin."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from trajectory.training import fused_softmax_loss
from trajectory.training.fused_softmax_loss import SoftmaxTargets

pytestmark = pytest.mark.compiled_quickly


def _plain(asked: SoftmaxTargets, table, power: float = 0.0):
    logits = (asked.vectors @ table.T).at[:, 0].set(-jnp.inf)
    softmax = jnp.take_along_axis(jax.nn.softmax(logits, axis=-1), asked.target, axis=1)
    p = jnp.exp(asked.generate)[:, None] * softmax + asked.pointed
    return ((1 - p**power) / power * asked.weight).sum() if power else -(jnp.log(p) * asked.weight).sum()


def _asked(rows: int, pointer: bool) -> tuple[SoftmaxTargets, np.ndarray]:
    rng = np.random.default_rng(rows)
    generate = np.log(rng.uniform(0.2, 0.8, rows)) if pointer else np.zeros(rows)
    pointed = rng.uniform(0, 0.2, (rows, 3)) * (rng.random((rows, 3)) < 0.5) if pointer else np.zeros((rows, 3))
    weight = rng.random((rows, 3)) * (rng.random((rows, 3)) < 0.8)
    reals = (rng.normal(size=(rows, 8)), generate, pointed, weight, rng.normal(size=(50, 8)))
    vectors, generate, pointed, weight, table = (x.astype(np.float32) for x in reals)
    target = rng.integers(1, 50, (rows, 3)).astype(np.int32)
    return SoftmaxTargets(vectors, generate, pointed, target, weight), table


def _by_reals(function, asked: SoftmaxTargets, power: float = 0.0):
    """As a function of what can be differentiated."""
    return lambda vectors, generate, pointed, table: function(
        asked._replace(vectors=vectors, generate=generate, pointed=pointed), table, power
    )


@pytest.mark.parametrize("power", [0.0, 0.3])
@pytest.mark.parametrize("pointer", [False, True])
@pytest.mark.parametrize("rows", [1, 7, 40])
@pytest.mark.parametrize("block", [None, 7, 12, 64])  # 49 items: none cut, a whole number of blocks or not, one block
def test_it_equals_the_plain_one_in_value_and_gradient(monkeypatch, rows, pointer, block, power):
    monkeypatch.setattr(fused_softmax_loss, "ROWS", 16)
    if block:
        monkeypatch.setattr(fused_softmax_loss, "LARGE", 0)
        monkeypatch.setattr(fused_softmax_loss, "BLOCK", block)
    asked, table = _asked(rows, pointer)
    ours, plain = (
        jax.jit(jax.value_and_grad(_by_reals(function, asked, power), argnums=(0, 1, 2, 3)))(*asked[:3], table)
        for function in (fused_softmax_loss.item_loss, _plain)
    )
    np.testing.assert_allclose(ours[0], plain[0], rtol=1e-5)
    for got, expected in zip(ours[1], plain[1], strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-5)
    assert np.all(np.asarray(ours[1][3])[0] == 0), "row 0 is not an item"


def test_the_value_alone_is_the_same_and_scaling_scales_the_gradient():
    asked, table = _asked(20, True)
    asked, table = jax.tree.map(jnp.asarray, (asked, table))
    value, gradient = jax.value_and_grad(_by_reals(fused_softmax_loss.item_loss, asked))(*asked[:3], table)
    assert fused_softmax_loss.item_loss(asked, table) == value
    scaled = jax.grad(lambda *reals: 3 * _by_reals(fused_softmax_loss.item_loss, asked)(*reals))(*asked[:3], table)
    np.testing.assert_allclose(scaled, 3 * gradient, rtol=1e-6)
