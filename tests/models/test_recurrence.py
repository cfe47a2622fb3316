"""The written-out gradient of recurrent layers equals automatic differentiation of the textbook's loop."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from trajectory.models import recurrence
from trajectory.models.recurrent import RecurrentLayer

ROWS, LENGTH, INPUT, WIDTH = 4, 9, 5, 6


def _plain(cell, weights, x, keep):
    def event(carry, now):
        x, kept = now
        h, *c = (part * kept for part in carry)
        given, product = x @ weights.kernel + weights.bias, h @ weights.recurrent
        if cell == "lstm":
            i, f, g, o = jnp.split(given + product, 4, axis=-1)
            c = jax.nn.sigmoid(f + 1.0) * c[0] + jax.nn.sigmoid(i + weights.inner) * jnp.tanh(g)
            carry = jax.nn.sigmoid(o) * jnp.tanh(c), c
        else:
            (r, z, n), (r_h, z_h, n_h) = jnp.split(given, 3, axis=-1), jnp.split(product, 3, axis=-1)
            reset, update = jax.nn.sigmoid(r + r_h), jax.nn.sigmoid(z + z_h)
            carry = ((1 - update) * jnp.tanh(n + reset * (n_h + weights.inner)) + update * h,)
        return carry, carry[0]

    zero = jnp.zeros((x.shape[1], WIDTH))
    return jax.lax.scan(event, (zero, zero) if cell == "lstm" else (zero,), (x, keep))[1]


@pytest.fixture(params=["lstm", "gru"])
def case(request):
    """(cell, weights, x, keep): states are forgotten at random events of each row."""
    gates = 4 if request.param == "lstm" else 3
    rng = np.random.default_rng(0)
    shapes = (INPUT, gates * WIDTH), (gates * WIDTH,), (WIDTH, gates * WIDTH), (WIDTH,)
    weights = recurrence.Weights(*(jnp.asarray(rng.normal(0, 0.7, shape), jnp.float32) for shape in shapes))
    x = jnp.asarray(rng.normal(size=(LENGTH, ROWS, INPUT)), jnp.float32)
    keep = jnp.asarray(rng.random((LENGTH, ROWS, 1)) > 0.3, jnp.float32)
    return request.param, weights, x, keep


@partial(jax.jit, static_argnums=(0, 1))
def _value_and_gradient(states, cell, weights, x, keep):
    # Every state weighs differently, so that no error can cancel.
    share = jnp.cos(jnp.arange(LENGTH * ROWS * WIDTH).reshape(LENGTH, ROWS, WIDTH))

    def total(weights, x):
        out = states(cell, weights, x, keep)
        return (share * out).sum(), out

    return jax.value_and_grad(total, argnums=(0, 1), has_aux=True)(weights, x)


def test_states_and_gradients_are_those_of_the_plain_loop(case):
    found, expected = _value_and_gradient(recurrence.states, *case), _value_and_gradient(_plain, *case)
    jax.tree.map(partial(np.testing.assert_allclose, rtol=1e-5, atol=1e-5), found, expected)


def test_vmap_gives_each_row_its_own_gradient(case):
    cell, weights, x, keep = case

    def one(x, keep):
        return jax.grad(lambda w: (recurrence.states(cell, w, x[:, None], keep[:, None]) ** 2).sum())(weights)

    together = jax.vmap(one, in_axes=1)(x, keep)
    apart = [one(x[:, row], keep[:, row]) for row in range(ROWS)]
    jax.tree.map(lambda a, *b: np.testing.assert_allclose(a, np.stack(b), rtol=1e-5, atol=1e-5), together, *apart)


def test_advance_goes_where_states_went(case):
    cell, weights, x, _ = case
    whole = recurrence.states(cell, weights, x, jnp.ones((LENGTH, ROWS, 1)))
    carry = (jnp.zeros((ROWS, WIDTH)),) * (2 if cell == "lstm" else 1)
    for t in range(LENGTH):
        carry = recurrence.advance(cell, weights, carry, x[t])
        np.testing.assert_allclose(carry[0], whole[t], atol=1e-6)


@pytest.mark.parametrize(("cell", "gates"), [("lstm", 4), ("gru", 3)])
def test_checkpoints_keep_their_names_and_shapes(cell, gates):
    layer = RecurrentLayer(cell, WIDTH)
    params = layer.init(jax.random.key(0), jnp.zeros((1, 2, INPUT)), jnp.zeros((1, 2), bool))["params"]
    assert jax.tree.map(jnp.shape, params) == {
        "inputs": {"kernel": (INPUT, gates * WIDTH), "bias": (gates * WIDTH,)},
        "recurrent": (WIDTH, gates * WIDTH),
        "bias": (WIDTH,),
    }
