"""Attention over places that lie in parts, of which some belong to several rows at once."""

from __future__ import annotations

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np

HIDDEN = -1e30  # bias of a place that cannot be seen

Part = tuple[jax.Array, jax.Array]  # keys and values [U, heads, C, d], each of B / U rows that follow one another


def attend(query: jax.Array, parts: Sequence[Part], bias: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Query [B, heads, T, d] over the places of all parts -> values [B, heads, T, d], weights [B, heads, T, places].

    `bias` [B, heads or 1, T, places] is added to the scores.
    """
    score = jnp.concatenate([_product(query, jnp.swapaxes(key, 2, 3)) for key, _ in parts], axis=-1)
    weight = jax.nn.softmax(score / jnp.sqrt(query.shape[-1]) + bias, axis=-1)
    ends = np.cumsum([key.shape[2] for key, _ in parts])[:-1]
    values = [_product(w, value) for w, (_, value) in zip(jnp.split(weight, ends, axis=-1), parts, strict=True)]
    return sum(values[1:], values[0]), weight


def shared(x: jax.Array, rows: int) -> jax.Array:
    """What U rows have [U, ...], for each of the `rows` that share it [rows, ...]."""
    return jnp.repeat(x, rows // len(x), axis=0)


def _product(x: jax.Array, y: jax.Array) -> jax.Array:
    """[B, heads, T, n] by [U, heads, n, m] -> [B, heads, T, m]: rows that share a matrix are one matrix themselves."""
    (rows, heads, slots, size), few = x.shape, len(y)
    per_group = rows // few
    together = jnp.swapaxes(x.reshape(few, per_group, heads, slots, size), 1, 2).reshape(
        few, heads, per_group * slots, size
    )
    apart = jnp.swapaxes((together @ y).reshape(few, heads, per_group, slots, -1), 1, 2)
    return apart.reshape(rows, heads, slots, -1)
