"""Losses on packed batches, as sums over target slots; the caller divides by global counts."""

from __future__ import annotations

from typing import Any, cast

import jax
import jax.numpy as jnp
import optax

from trajectory.models.heads import pointed_at
from trajectory.models.interest_model import InterestModel
from trajectory.schema import Batch

CHUNK = 512  # rows whose logits exist at one time


@jax.custom_vjp
def target_log_softmax(vectors: jax.Array, table: jax.Array, target: jax.Array) -> jax.Array:
    """Log-softmax over items 1..V at the targets, without ever storing all logits.

    vectors [N, D], table [V + 1, D] (row 0 is not an item), target int32 [N, M] -> [N, M]. The backward pass computes
    the logits of a chunk of rows again (as the fused losses of Liger-Kernel and Cut Cross-Entropy do).
    """
    return _forward(vectors, table, target)[0]


def _chunks(x: jax.Array) -> jax.Array:
    size = min(CHUNK, x.shape[0])
    rows = -(-x.shape[0] // size) * size
    return jnp.pad(x, ((0, rows - x.shape[0]), (0, 0))).reshape(-1, size, x.shape[1])


def _logits(vectors: jax.Array, table: jax.Array) -> jax.Array:
    return (vectors @ table.T).at[:, 0].set(-jnp.inf)


def _forward(vectors, table, target):
    def chunk(_, inputs):
        v, t = inputs
        logits = _logits(v, table)
        norm = jax.nn.logsumexp(logits, axis=-1)
        return None, (jnp.take_along_axis(logits, t, axis=1) - norm[:, None], norm)

    _, (log_probability, norm) = jax.lax.scan(chunk, None, (_chunks(vectors), _chunks(target)))
    rows = vectors.shape[0]
    return log_probability.reshape(-1, target.shape[1])[:rows], (vectors, table, target, norm)


def _backward(residual, gradient):
    vectors, table, target, norm = residual

    def chunk(total, inputs):
        v, t, g, n = inputs
        probability = jnp.exp(_logits(v, table) - n[:, None])
        d_logits = -probability * g.sum(1, keepdims=True)
        d_logits = d_logits.at[jnp.arange(v.shape[0])[:, None], t].add(g)
        return total + d_logits.T @ v, d_logits @ table

    inputs = (_chunks(vectors), _chunks(target), _chunks(gradient), norm)
    d_table, d_vectors = jax.lax.scan(chunk, jnp.zeros_like(table), inputs)
    return d_vectors.reshape(-1, vectors.shape[1])[: vectors.shape[0]], d_table, None


target_log_softmax.defvjp(_forward, _backward)


def counts(batch: Batch) -> dict[str, jax.Array]:
    """What each loss is divided by, summed over this shard's rows."""
    t = batch.targets
    return {
        "item": t.weight.sum(),
        "interest": t.weight.sum(),
        "conversion": (t.label >= 0).sum().astype(jnp.float32),
    }


def sums(
    model: InterestModel, params: Any, batch: Batch, item_interest: jax.Array, weights: dict[str, float], rngs: Any
) -> dict[str, jax.Array]:
    """Summed negative log-likelihood of each head with a weight, over this shard's rows, in nats."""
    t, apply = batch.targets, cast(Any, model.apply)
    train = rngs is not None
    states = apply(params, batch.events, t.position, train, method="encode", rngs=rngs)
    rows, slots, width = t.item.shape
    out = {}
    if weights["item"]:
        table = apply(params, method="item_table")
        # Cold or empty targets point at row 0, whose logit is -inf; their weight is 0, so any finite row will do.
        safe = jnp.maximum(t.item, 1)
        log_p = target_log_softmax(states.flat, table, safe.reshape(-1, width)).reshape(rows, slots, width)
        if states.pointer is not None:
            pointed = pointed_at(states.pointer, safe)
            log_p = jnp.logaddexp(log_p + states.pointer.generate[..., None], jnp.log(pointed + 1e-30))
        out["item"] = -(log_p * t.weight).sum()
    if weights["interest"]:
        log_p = apply(params, states, method="score_interest")
        chosen = jnp.take_along_axis(log_p, item_interest[t.item], axis=-1)
        out["interest"] = -(chosen * t.weight).sum()
    if weights["conversion"]:
        log_odds = apply(params, states, method="score_conversion")
        loss = optax.sigmoid_binary_cross_entropy(log_odds, jnp.maximum(t.label, 0).astype(jnp.float32))
        out["conversion"] = (loss * (t.label >= 0)).sum()
    return out
