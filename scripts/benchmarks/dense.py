"""A dense layer with its gradient, over two leading axes at once or one after the other."""

from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.timing import least
from trajectory.models.dense import Dense

ROWS, LENGTH, WIDTH, FEATURES = 128, 50, 64, 256


def dense() -> None:
    """Ours against Flax's, in turn."""
    x = jnp.asarray(np.random.default_rng(0).standard_normal((ROWS, LENGTH, WIDTH), np.float32))
    params = nn.Dense(FEATURES).init(jax.random.key(0), x)

    def descend(layer, params, x):
        return jax.grad(lambda params, x: jnp.square(layer.apply(params, x)).sum(), (0, 1))(params, x)

    ours, flax = least([partial(jax.jit(partial(descend, kind(FEATURES))), params, x) for kind in (Dense, nn.Dense)])
    print(f"dense: {ROWS} rows of {LENGTH}, {WIDTH} -> {FEATURES}: {1e3 * ours:.1f} ms, Flax {1e3 * flax:.1f} ms")
