"""Dropout whose mask costs a few integer operations a value."""

from __future__ import annotations

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np


class Dropout(nn.Module):
    """Dropout with a mask hashed from the place of each value and two random words, not drawn bit by bit.

    On a CPU the draws of nn.Dropout cost more than what they hide (trajectory bench --only=dropout). The hash is
    lowbias32 (Wellons, "Hash Prospector"), with one word added before it and one within, so that no two draws
    are each other's shift.
    """

    rate: float

    @nn.compact
    def __call__(self, x: jax.Array, train: bool) -> jax.Array:
        """x of any shape -> x / (1 - rate), or 0 with probability `rate`; x itself where nothing is trained."""
        if not train or not self.rate:
            return x
        if self.rate == 1:
            return jnp.zeros_like(x)
        return jnp.where(_kept(self.make_rng("dropout"), x.shape, self.rate), x / (1 - self.rate), 0)


class EventDropout(nn.Module):
    """Hides whole events: their item becomes unknown (Tan, Xu & Liu 2016, section 3.1, leave them out)."""

    rate: float

    @nn.compact
    def __call__(self, item_vectors: jax.Array, train: bool) -> jax.Array:
        """Item vectors [B, L, D] -> the same, but all zero with probability `rate`; unchanged outside training."""
        if not train or not self.rate:
            return item_vectors
        return item_vectors * _kept(self.make_rng("dropout"), (*item_vectors.shape[:-1], 1), self.rate)


def _kept(key: jax.Array, shape: tuple[int, ...], rate: float) -> jax.Array:
    before, within = jax.random.bits(key, (2,), jnp.uint32)
    word = jax.lax.iota(jnp.uint32, int(np.prod(shape))).reshape(shape) + before
    word = (word ^ (word >> 16)) * jnp.uint32(0x21F0AAAD) + within
    word = (word ^ (word >> 15)) * jnp.uint32(0x735A2D97)
    return (word ^ (word >> 15)) >> 8 >= round(rate * 2**24)
