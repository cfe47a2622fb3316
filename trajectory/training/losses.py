"""Losses on packed batches, as sums over target slots; the caller divides by global counts."""

from __future__ import annotations

import functools
import operator
from typing import Any, cast

import jax
import jax.numpy as jnp
import optax

from trajectory.models.heads import pointed_at
from trajectory.models.interest_model import InterestModel
from trajectory.models.items import TABLE, comparable
from trajectory.models.time_head import log_likelihood
from trajectory.schema import Batch
from trajectory.training import item_shards
from trajectory.training.item_loss import Asked, item_loss
from trajectory.training.sampled_loss import Drawn, sampled_item_loss

HEADS = ("item", "interest", "conversion", "time")


def counts(batch: Batch) -> dict[str, jax.Array]:
    """What each loss is divided by, summed over this shard's rows."""
    t = batch.targets
    return {
        "item": t.weight.sum(),
        "interest": t.weight.sum(),
        "conversion": (t.label >= 0).sum().astype(jnp.float32),
        "time": (t.wait >= 0).sum().astype(jnp.float32),
    }


def sums(
    model: InterestModel,
    params: Any,
    batch: Batch,
    item_interest: jax.Array,
    weights: dict[str, float],
    key: jax.Array,
    items_axis: str | None = None,
    drawn: Drawn | None = None,
    smoothing: float = 0.0,
    power: float = 0.0,
) -> dict[str, jax.Array]:
    """Summed negative log-likelihood of each head with a weight, over this shard's rows, in nats.

    `key` decides what is dropped; `items_axis`: the device axis that the rows of the item table in `params` are split
    over, if any; `drawn`: the items that stand for the catalogue in the softmax, if not all do; `smoothing`: see
    `_smoothed`.

    With a `power` q in (0, 1) the item head's loss is (1 - s ** q) / q, s the probability that the softmax of logits /
    (1 - q) gives to the target: the pseudospherical score (Good 1971; Gneiting & Raftery 2007, section 4.1). It is
    proper as the likelihood is, so probabilities stay honest, but its gradient counts a target by s ** q: what cannot
    be foretold, most of what shoppers do, bends the model less. Only for a plain softmax.
    """
    t, apply = batch.targets, cast(Any, model.apply)
    vectors = item_shards.look_up(_table(params), batch.events.item, items_axis) if items_axis else None
    states = apply(params, batch.events, t.position, True, vectors, t.horizon, method="encode", rngs={"dropout": key})
    out = {}
    if weights["item"]:
        # Cold or empty targets point at row 0, which is no item; their weight is 0, so any other row will do.
        safe = jnp.maximum(t.item, 1)
        generate, pointed = jnp.zeros(t.position.shape), jnp.zeros(t.item.shape)
        if states.pointer is not None:
            generate, pointed = states.pointer.generate, pointed_at(states.pointer, safe)
        compared = functools.partial(comparable, temperature=model.spec.temperature)
        asked = Asked(compared(states.vector) / (1 - power), generate, pointed, safe, t.weight)
        flat = Asked(*(x.reshape(-1, *x.shape[2:]) for x in asked))
        if items_axis:
            out["item"] = item_shards.item_loss(flat, compared(_table(params)), model.spec.num_items, items_axis, power)
        elif drawn is not None:
            out["item"] = sampled_item_loss(flat, apply(params, method="item_table"), drawn, power)
        else:
            table = apply(params, method="item_table")
            out["item"] = item_loss(flat, table, power)
            if smoothing:
                out["item"] += smoothing * _smoothed(flat, table)
    if weights["interest"]:
        log_p = apply(params, states, method="score_interest")
        chosen = jnp.take_along_axis(log_p, item_interest[t.item], axis=-1)
        out["interest"] = -(chosen * t.weight).sum()
    if weights["conversion"]:
        log_odds = apply(params, states, method="score_conversion")
        loss = optax.sigmoid_binary_cross_entropy(log_odds, jnp.maximum(t.label, 0).astype(jnp.float32))
        out["conversion"] = (loss * (t.label >= 0)).sum()
    if weights["time"]:
        known = t.wait >= 0
        likelihood = log_likelihood(apply(params, states, method="wait"), jnp.where(known, t.wait, 0.0))
        out["time"] = -(likelihood * known).sum()
    return out


def _smoothed(asked: Asked, table: jax.Array) -> jax.Array:
    """By how much the targets' logits exceed the mean logit of all items, weighted and summed.

    Times epsilon and added to the cross-entropy it gives that with targets of 1 - epsilon for the item and epsilon /
    V for every item (label smoothing, Szegedy et al. 2016, section 7), without all logits at hand.
    """
    lead = table[asked.target] - table[1:].mean(axis=0)
    return (jnp.einsum("nd,nmd->nm", asked.vectors, lead) * asked.weight).sum()


def _table(params: Any) -> jax.Array:
    """The part of the item table that is here: of another shape than the model's own, so that Flax would refuse it."""
    return functools.reduce(operator.getitem, TABLE, params)
