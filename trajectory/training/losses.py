"""Losses on packed batches, as sums over target slots; the caller divides by global counts."""

from __future__ import annotations

from typing import Any, cast

import jax
import jax.numpy as jnp
import optax

from trajectory.models.heads import pointed_at
from trajectory.models.interest_model import InterestModel
from trajectory.schema import Batch
from trajectory.training.item_loss import Asked, item_loss


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
    out = {}
    if weights["item"]:
        # Cold or empty targets point at row 0, which is no item; their weight is 0, so any other row will do.
        safe = jnp.maximum(t.item, 1)
        generate, pointed = jnp.zeros(t.position.shape), jnp.zeros(t.item.shape)
        if states.pointer is not None:
            generate, pointed = states.pointer.generate, pointed_at(states.pointer, safe)
        asked = Asked(states.vector, generate, pointed, safe, t.weight)
        flat = Asked(*(x.reshape(-1, *x.shape[2:]) for x in asked))
        out["item"] = item_loss(flat, apply(params, method="item_table"))
    if weights["interest"]:
        log_p = apply(params, states, method="score_interest")
        chosen = jnp.take_along_axis(log_p, item_interest[t.item], axis=-1)
        out["interest"] = -(chosen * t.weight).sum()
    if weights["conversion"]:
        log_odds = apply(params, states, method="score_conversion")
        loss = optax.sigmoid_binary_cross_entropy(log_odds, jnp.maximum(t.label, 0).astype(jnp.float32))
        out["conversion"] = (loss * (t.label >= 0)).sum()
    return out
