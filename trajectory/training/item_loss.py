"""Cross-entropy over the catalogue that never stores all logits, with its gradient found in the forward pass."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

CHUNK = 256  # rows whose logits exist at one time: few enough for a processor's cache
TINY = 1e-30  # the logarithm of nothing is avoided


class Asked(NamedTuple):
    """N states and what each should foretell."""

    vectors: jax.Array  # [N, D]
    generate: jax.Array  # [N], log share that the softmax has in the mixture with the pointer; 0 = all of it
    pointed: jax.Array  # [N, M], probability that the pointer gives to each target
    target: jax.Array  # int32 [N, M], item indices from 1 on
    weight: jax.Array  # [N, M]; 0 = no target


@jax.custom_vjp
def item_loss(asked: Asked, table: jax.Array) -> jax.Array:
    """Weighted negative log-likelihood of the targets under softmax(vectors @ table.T) mixed with the pointer, summed.

    table [V + 1, D]; row 0 is not an item. Logits exist for CHUNK rows at a time and are computed once: their
    exponentials give the loss and at once both products of its gradient (as the fused linear cross-entropy of
    Liger-Kernel, Hsu et al. 2024), so a step costs three products of N x V x D instead of four.
    """
    return _forward(asked, table, gradient=False)[0]


def _forward(asked: Asked, table: jax.Array, gradient: bool = True):
    def chunk(total, part: Asked):
        logits = part.vectors @ table.T
        logits = jnp.where(jnp.arange(len(table)) == 0, -jnp.inf, logits)
        most = logits.max(axis=1, keepdims=True)
        raised = jnp.exp(logits - most)
        mass = raised.sum(axis=1)
        hit = table[part.target]
        log_softmax = jnp.einsum("nd,nmd->nm", part.vectors, hit) - (most[:, 0] + jnp.log(mass))[:, None]
        log_softmax = log_softmax + part.generate[:, None]
        log_p = jnp.logaddexp(log_softmax, jnp.log(part.pointed + TINY))
        loss = -(log_p * part.weight).sum()
        if not gradient:
            return (total[0] + loss, total[1]), None
        share = part.weight * jnp.exp(log_softmax - log_p)  # of each target's probability, what the softmax gave
        scale = share.sum(axis=1) / mass
        d_vectors = scale[:, None] * (raised @ table) - jnp.einsum("nm,nmd->nd", share, hit)
        d_table = total[1] + raised.T @ (scale[:, None] * part.vectors)
        d_table = d_table.at[part.target].add(-share[..., None] * part.vectors[:, None])
        d_pointed = -part.weight * jnp.exp(-log_p)
        return (total[0] + loss, d_table), (d_vectors, -share.sum(axis=1), d_pointed)

    rows = len(asked.vectors)
    size = min(CHUNK, rows)
    chunks = jax.tree.map(lambda x: _chunks(x, size), asked)
    start = (jnp.zeros(()), jnp.zeros_like(table) if gradient else None)
    (loss, d_table), parts = jax.lax.scan(chunk, start, chunks)
    if not gradient:
        return loss, None
    return loss, (*(part.reshape(-1, *part.shape[2:])[:rows] for part in parts), d_table)


def _chunks(x: jax.Array, size: int) -> jax.Array:
    rows = -(-len(x) // size) * size
    return jnp.pad(x, ((0, rows - len(x)), *((0, 0),) * (x.ndim - 1))).reshape(-1, size, *x.shape[1:])


def _backward(residual, gradient):
    d_vectors, d_generate, d_pointed, d_table = (gradient * part for part in residual)
    nothing: Any = None  # targets and weights are given, not learned
    return Asked(d_vectors, d_generate, d_pointed, target=nothing, weight=nothing), d_table


item_loss.defvjp(_forward, _backward)
