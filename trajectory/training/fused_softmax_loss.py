"""Loss of a softmax over the catalogue that never stores all logits, with its gradient found in the forward pass."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

ROWS = 256  # rows whose logits exist at one time: few enough for a processor's cache
LARGE = 65_536  # from so many items on, the catalogue is cut into blocks instead
BLOCK = 4096  # items of a block: with fewer, small products take longer
TINY = 1e-30  # the logarithm of nothing is avoided


class SoftmaxTargets(NamedTuple):
    """N states and what each should predict."""

    vectors: jax.Array  # [N, D]
    generate: jax.Array  # [N], log share that the softmax has in the mixture with the pointer; 0 = all of it
    pointed: jax.Array  # [N, M], probability that the pointer gives to each target
    target: jax.Array  # int32 [N, M], item indices from 1 on
    weight: jax.Array  # [N, M]; 0 = no target


class _TargetTerms(NamedTuple):
    """What the targets of some rows give once the softmax's normaliser is known."""

    loss: jax.Array  # [N]
    share: jax.Array  # [N, M], weight x p ** power x the part of each target's probability that the softmax gave
    d_pointed: jax.Array  # [N, M]
    d_vectors: jax.Array  # [N, D], of the targets' own logits alone


def scored(log_p: jax.Array, weight: jax.Array, power: float) -> jax.Array:
    """Losses weight * (1 - p ** power) / power of targets of log-probabilities log_p; weight * -log p where power is 0.

    The generalised cross-entropy of Zhang & Sabuncu (2018): a target counts by p ** power, so that what cannot be
    predicted bends the model less.
    """
    # Not expm1: its derivative, expm1 + 1, is 0 where p ** power is small.
    return ((1 - jnp.exp(power * log_p)) / power if power else -log_p) * weight


@functools.partial(jax.custom_vjp, nondiff_argnums=(2,))
def item_loss(targets: SoftmaxTargets, table: jax.Array, power: float = 0.0) -> jax.Array:
    """Loss of the targets (see `scored`) under softmax(vectors @ table.T) mixed with the pointer, weighted and summed.

    table [V + 1, D]; row 0 is not an item. Up to LARGE items, logits exist for ROWS rows at a time and are computed
    once: their exponentials give the loss and at once both products of its gradient (as the fused linear
    cross-entropy of Liger-Kernel, Hsu et al. 2024), so a step costs three products of N x V x D instead of four.
    Larger catalogues are gone through twice in blocks of BLOCK items, four products, since even a few rows' logits
    would fill the memory: first for the normaliser, then for the table's gradient.
    """
    return _forward(targets, table, power)[0]


def _forward(targets: SoftmaxTargets, table: jax.Array, power: float):
    by_blocks = len(table) > LARGE
    terms, d_vectors, d_table = (_blocks if by_blocks else _rows)(targets, table, power)
    d_table = d_table.at[targets.target].add(-terms.share[..., None] * targets.vectors[:, None])
    nothing: Any = None  # targets and weights are given, not learned
    d_targets = SoftmaxTargets(d_vectors, -terms.share.sum(axis=1), terms.d_pointed, target=nothing, weight=nothing)
    return terms.loss.sum(), (d_targets, d_table)


def _backward(_power: float, residual, gradient):
    return jax.tree.map(lambda part: gradient * part, residual)


item_loss.defvjp(_forward, _backward)


def _rows(targets: SoftmaxTargets, table: jax.Array, power: float):
    """What the targets give, gradient by `vectors`, and by `table` but for the targets' own logits; by rows."""
    items = table[1:]

    def chunk(d_items, part: SoftmaxTargets):
        logits = part.vectors @ items.T
        most = logits.max(axis=1)
        raised = jnp.exp(logits - most[:, None])
        mass = raised.sum(axis=1)
        terms = _target_terms(part, table, most + jnp.log(mass), power)
        scale = (terms.share.sum(axis=1) / mass)[:, None]
        d_vectors = scale * (raised @ items) + terms.d_vectors
        return d_items + raised.T @ (scale * part.vectors), (terms, d_vectors)

    count = len(targets.vectors)
    chunks = jax.tree.map(lambda x: _chunks(x, min(ROWS, count)), targets)
    d_items, parts = jax.lax.scan(chunk, jnp.zeros_like(items), chunks)
    terms, d_vectors = jax.tree.map(lambda part: part.reshape(-1, *part.shape[2:])[:count], parts)
    return terms, d_vectors, jnp.pad(d_items, ((1, 0), (0, 0)))


def _chunks(x: jax.Array, size: int) -> jax.Array:
    rows = -(-len(x) // size) * size
    return jnp.pad(x, ((0, rows - len(x)), *((0, 0),) * (x.ndim - 1))).reshape(-1, size, *x.shape[1:])


def _blocks(targets: SoftmaxTargets, table: jax.Array, power: float):
    """As `_rows`, all rows at once, some items at a time; nothing as large as the table exists but its gradient."""
    vectors, items = targets.vectors, len(table) - 1
    size = min(BLOCK, items)
    whole = items // size

    def block(number):
        return jax.lax.dynamic_slice_in_dim(table, 1 + number * size, size)

    rest = table[1 + whole * size :]  # the last items, fewer than a block

    def more(so_far, part):
        return normalise(so_far, vectors @ part.T, part)

    start = (jnp.full(len(vectors), -jnp.inf), jnp.zeros(len(vectors)), jnp.zeros_like(vectors))
    so_far = jax.lax.fori_loop(0, whole, lambda i, so_far: more(so_far, block(i)), start)
    most, mass, mean = more(so_far, rest)
    log_mass = most + jnp.log(mass)
    terms = _target_terms(targets, table, log_mass, power)
    scale = terms.share.sum(axis=1)[:, None]
    scaled = scale * vectors

    def by_items(part):
        return jnp.exp(vectors @ part.T - log_mass[:, None]).T @ scaled

    def fill(number, d_table):
        return jax.lax.dynamic_update_slice_in_dim(d_table, by_items(block(number)), 1 + number * size, 0)

    d_table = jax.lax.fori_loop(0, whole, fill, jnp.zeros_like(table))
    d_table = d_table.at[1 + whole * size :].set(by_items(rest))
    return terms, scale / mass[:, None] * mean + terms.d_vectors, d_table


def normalise(so_far, logits: jax.Array, items: jax.Array):
    """Further items [I, D] with their logits [N, I] taken into a softmax (online softmax, Milakov & Gimelshein 2018).

    `so_far` and what is returned: largest logit [N], sum of exp(logit - largest) [N], that sum with each item's vector
    as factor [N, D].
    """
    most_before, mass, mean = so_far
    most = jnp.maximum(most_before, logits.max(axis=1, initial=-jnp.inf))
    raised, fade = jnp.exp(logits - most[:, None]), jnp.exp(most_before - most)
    return most, fade * mass + raised.sum(axis=1), fade[:, None] * mean + raised @ items


def _target_terms(targets: SoftmaxTargets, table: jax.Array, log_mass: jax.Array, power: float) -> _TargetTerms:
    hit = table[targets.target]
    log_softmax = jnp.einsum("nd,nmd->nm", targets.vectors, hit) - log_mass[:, None] + targets.generate[:, None]
    log_p = jnp.logaddexp(log_softmax, jnp.log(targets.pointed + TINY))
    weight = targets.weight * jnp.exp(power * log_p)
    share = weight * jnp.exp(log_softmax - log_p)
    d_pointed = -weight * jnp.exp(-log_p)
    return _TargetTerms(
        scored(log_p, targets.weight, power).sum(axis=1), share, d_pointed, -jnp.einsum("nm,nmd->nd", share, hit)
    )
