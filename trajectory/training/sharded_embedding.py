"""An item table split by rows over devices: looking items up, and the cross-entropy over the catalogue."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from trajectory.training.fused_softmax_loss import BLOCK, TINY, SoftmaxTargets, normalise, scored

NEVER = -1e30  # logit of a row that is no item; finite, as a device may hold no item at all


def look_up(table: jax.Array, item: jax.Array, axis: str) -> jax.Array:
    """Vectors [rows, ..., D] of this device's item indices [rows, ...] from all shards; 0 for index 0.

    table [(V + 1) / n, D]: this device's rows. Each device answers for the rows it has, for everyone's indices.
    """
    everyones = jax.lax.all_gather(item, axis, tiled=True)
    row = everyones - jax.lax.axis_index(axis) * len(table)
    here = (row >= 0) & (row < len(table)) & (everyones > 0)
    vectors = table[jnp.where(here, row, 0)] * here[..., None]
    return jax.lax.psum_scatter(vectors, axis, scatter_dimension=0, tiled=True)


def item_loss(targets: SoftmaxTargets, table: jax.Array, num_items: int, axis: str, power: float = 0.0) -> jax.Array:
    """As item_loss.item_loss for this device's N states, with this device's rows [(V + 1) / n, D] of the table.

    Each device finds the log-sum-exp of its part of the catalogue for everyone's states, and each puts together what
    all found for its own ones (vocabulary-parallel cross-entropy, Megatron-LM, Shoeybi et al. 2019). The gradient by
    `table` is that of all devices' losses; it must not be summed again.
    """
    row = jnp.arange(len(table)) + jax.lax.axis_index(axis) * len(table)
    bias = jnp.where((row > 0) & (row <= num_items), 0.0, NEVER)
    parts = _log_mass(jax.lax.all_gather(targets.vectors, axis, tiled=True), table, bias)
    parts = jax.lax.all_to_all(parts.reshape(-1, len(targets.vectors)), axis, split_axis=0, concat_axis=0)
    hit = look_up(table, targets.target, axis)
    log_softmax = jnp.einsum("nd,nmd->nm", targets.vectors, hit) - jax.nn.logsumexp(parts, axis=0)[:, None]
    log_p = jnp.logaddexp(log_softmax + targets.generate[:, None], jnp.log(targets.pointed + TINY))
    return scored(log_p, targets.weight, power).sum()


@jax.custom_vjp
def _log_mass(vectors: jax.Array, items: jax.Array, bias: jax.Array) -> jax.Array:
    """log sum exp(vectors @ items.T + bias) over items, [N], some items at a time."""
    return _forward(vectors, items, bias)[0]


def _forward(vectors: jax.Array, items: jax.Array, bias: jax.Array):
    def block(so_far, part):
        items, bias = part
        return normalise(so_far, vectors @ items.T + bias, items), None

    start = (jnp.full(len(vectors), NEVER), jnp.zeros(len(vectors)), jnp.zeros_like(vectors))
    (most, mass, mean), _ = jax.lax.scan(block, start, _blocks(items, bias))
    log_mass = most + jnp.log(mass)
    return log_mass, (vectors, items, bias, log_mass, mean / mass[:, None])


def _backward(residual, gradient: jax.Array):
    vectors, items, bias, log_mass, mean = residual
    scaled = gradient[:, None] * vectors

    def block(_, part):
        items, bias = part
        return None, jnp.exp(vectors @ items.T + bias - log_mass[:, None]).T @ scaled

    _, d_items = jax.lax.scan(block, None, _blocks(items, bias))
    return gradient[:, None] * mean, d_items.reshape(-1, items.shape[1])[: len(items)], None


_log_mass.defvjp(_forward, _backward)


def _blocks(items: jax.Array, bias: jax.Array) -> tuple[jax.Array, jax.Array]:
    """In equal blocks of at most BLOCK, the last one filled up with what is no item."""
    number = -(-len(items) // BLOCK)
    size = -(-len(items) // number)
    more = number * size - len(items)
    items = jnp.pad(items, ((0, more), (0, 0)))
    return items.reshape(-1, size, items.shape[1]), jnp.pad(bias, (0, more), constant_values=NEVER).reshape(-1, size)
