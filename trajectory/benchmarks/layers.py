"""Our layers with their gradients against Flax's, on rows of events."""

from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from trajectory.benchmarks.timing import least
from trajectory.models.dense import FlatDense
from trajectory.models.dropout import Dropout
from trajectory.training import train_step

ROWS, LENGTH, WIDTH, FEATURES, RATE = 128, 50, 64, 256, 0.5


def dense() -> None:
    """A dense layer, over two leading axes as one and as they are."""
    x = _rows()
    params = nn.Dense(FEATURES).init(jax.random.key(0), x)

    def descend(layer, params, x):
        return jax.grad(lambda params, x: jnp.square(layer.apply(params, x)).sum(), (0, 1))(params, x)

    ours, flax = least(
        [partial(jax.jit(partial(descend, kind(FEATURES))), params, x) for kind in (FlatDense, nn.Dense)]
    )
    print(f"dense: {ROWS} rows of {LENGTH}, {WIDTH} -> {FEATURES}: {1e3 * ours:.1f} ms, Flax {1e3 * flax:.1f} ms")


def dropout() -> None:
    """Dropout with a mask that is hashed, and with one that is drawn from the kind of key that training has."""
    x, key = _rows(), jax.random.key(0, impl=train_step.KEYS)

    def descend(layer, train, key, x):
        return jax.grad(lambda x: jnp.square(layer.apply({}, x, train, rngs={"dropout": key})).sum())(x)

    ways = partial(descend, Dropout(RATE), True), partial(descend, nn.Dropout(RATE), False)
    ours, flax = least([partial(jax.jit(way), key, x) for way in ways])
    print(f"dropout: {ROWS} rows of {LENGTH}, {WIDTH} wide: {1e3 * ours:.1f} ms, Flax {1e3 * flax:.1f} ms")


def _rows() -> jax.Array:
    return jnp.asarray(np.random.default_rng(0).standard_normal((ROWS, LENGTH, WIDTH), np.float32))
