"""Cross-entropy over the catalogue: against its bare products, and at a million items."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from trajectory.benchmarks.timing import least, peak_gib
from trajectory.training.fused_softmax_loss import SoftmaxTargets, item_loss

TARGETS, ITEMS = 2048, 12_101  # those of Amazon Beauty
FLOP = "6 x targets x items x width FLOP"


def softmax() -> None:
    """The loss and its gradient against the three products."""
    print(f"softmax ({TARGETS:,} targets)  | bare products | loss and gradient | ratio  ({FLOP})")
    for width in (64, 128):
        part, table = asked(TARGETS, ITEMS, width)
        ways = (
            partial(jax.jit(partial(bare, rows=512)), part.vectors, table),
            partial(jax.jit(gradients), part, table),
        )
        plain, ours = least(ways)
        rate = 6 * TARGETS * ITEMS * width / plain / 1e9
        print(
            f"width {width:18d} | {1e3 * plain:10.1f} ms | {1e3 * ours:14.1f} ms | {ours / plain:.2f}  ({rate:.0f}e9/s)"
        )


def gradients(part: SoftmaxTargets, table: jax.Array) -> Any:
    """The loss with its gradient by states and by table."""
    return jax.value_and_grad(lambda v, t: item_loss(part._replace(vectors=v), t), (0, 1))(part.vectors, table)


def bare(states: jax.Array, table: jax.Array, rows: int) -> tuple[jax.Array, jax.Array]:
    """Forward product, and products towards states and table, so many rows at a time."""

    def chunk(total, part):
        logits = part @ table.T
        return total + logits.T @ part, logits @ table

    return jax.lax.scan(chunk, jnp.zeros_like(table), states.reshape(-1, rows, states.shape[1]))


def million() -> None:
    """Seconds and peak memory of a step whose catalogue is gone through in blocks."""
    part, table = asked(1600, 1_000_000, 64)
    tx = optax.adam(1e-3)

    def step(table, state):
        loss, (by_states, gradient) = gradients(part, table)
        updates, state = tx.update(gradient, state)
        return optax.apply_updates(table, updates), state, (loss, by_states)

    train = jax.jit(step, donate_argnums=(0, 1))
    held: list[Any] = [table, jax.jit(tx.init)(table)]
    del table  # the first step takes its memory over

    def once():
        held[0], held[1], loss = train(*held)
        return loss

    (seconds,) = least([once], rounds=3)
    print(f"million: a step in {seconds:.1f} s; peak {peak_gib():.2f} GiB of the whole process")


def asked(targets: int, items: int, width: int) -> tuple[SoftmaxTargets, jax.Array]:
    """Random states with one target each, and a table of items [items + 1, width]."""
    rng = np.random.default_rng(0)
    vectors, table = (jnp.asarray(rng.standard_normal((n, width), np.float32) * 0.1) for n in (targets, items + 1))
    target = jnp.asarray(rng.integers(1, items + 1, (targets, 1), np.int32))
    return SoftmaxTargets(vectors, jnp.zeros(targets), jnp.zeros((targets, 1)), target, jnp.ones((targets, 1))), table
