"""Losses on packed batches, as sums over target slots; the caller divides by global counts."""

from __future__ import annotations

import functools
import operator
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import optax
from ml_collections import ConfigDict

from trajectory.models.apply import apply
from trajectory.models.heads import States, pointed_at
from trajectory.models.interest_model import InterestModel
from trajectory.models.item_encoder import TABLE, comparable
from trajectory.models.time_head import log_likelihood
from trajectory.schema import Batch, Targets
from trajectory.training import sharded_embedding
from trajectory.training.fused_softmax_loss import SoftmaxTargets, item_loss
from trajectory.training.sampled_softmax_loss import Drawn, sampled_item_loss

HEADS = ("item", "interest", "conversion", "time", "reconstruct", "contrast")
NEVER = -1e30  # not -inf: a shard without any window would have no gradient
AGAIN = 2  # told from the keys of the first look and of the draw
SHARPNESS = 10.0  # cosines of views are multiplied by it (a temperature of 0.1)


@dataclass(frozen=True)
class Objective:
    """What training minimises: the sum of the heads' losses, each times its weight.

    With a `power` q in (0, 1) the item head's loss is (1 - s ** q) / q, s the probability that the softmax of logits /
    (1 - q) gives to the target: the pseudospherical score (Good 1971; Gneiting & Raftery 2007, section 4.1). It is
    proper as the likelihood is, so probabilities stay calibrated, but its gradient counts a target by s ** q: what
    cannot be predicted, most of what shoppers do, bends the model less. Only for a plain softmax.
    """

    weights: dict[str, float]  # of each of HEADS
    item_interest: jax.Array  # int32 [V + 1], of each item
    smoothing: float = 0.0  # share of each target's probability that is spread over all items, see `_smoothed`
    power: float = 0.0

    @classmethod
    def of(cls, config: ConfigDict, item_interest: jax.Array) -> Objective:
        """The objective of a whole config."""
        weights = {name: float(config.heads.get(name, 0.0)) for name in HEADS}
        return cls(weights, item_interest, config.train.smoothing, config.train.pseudospherical_order)


def counts(batch: Batch) -> dict[str, jax.Array]:
    """What each loss is divided by, summed over this shard's rows."""
    t = batch.targets
    return {
        "item": t.weight.sum(),
        "interest": t.weight.sum(),
        "conversion": (t.label >= 0).sum().astype(jnp.float32),
        "time": (t.wait >= 0).sum().astype(jnp.float32),
        "reconstruct": _held(batch)[1].any(axis=1).sum().astype(jnp.float32),
        "contrast": _last(batch).sum().astype(jnp.float32),
    }


def sums(
    objective: Objective,
    model: InterestModel,
    params: Any,
    batch: Batch,
    key: jax.Array,
    items_axis: str | None = None,
    drawn: Drawn | None = None,
) -> dict[str, jax.Array]:
    """Summed loss of each head with a weight, over this shard's rows, in nats.

    `key` decides what is dropped; `items_axis`: the device axis that the rows of the item table in `params` are split
    over, if any; `drawn`: the items that stand for the catalogue in the softmax, if not all do.
    """
    weights = objective.weights
    t = batch.targets
    vectors = sharded_embedding.look_up(_table(params), batch.events.item, items_axis) if items_axis else None
    states = apply(
        model, params, batch.events, t.position, True, vectors, t.horizon, method="encode", rngs={"dropout": key}
    )
    out = {}
    if weights["item"]:
        out["item"] = _items(objective, model, params, states, t, items_axis, drawn)
    if weights["interest"]:
        log_p = apply(model, params, states, method="score_interest")
        chosen = jnp.take_along_axis(log_p, objective.item_interest[t.item], axis=-1)
        out["interest"] = -(chosen * t.weight).sum()
    if weights["conversion"]:
        log_odds = apply(model, params, states, method="score_conversion")
        loss = optax.sigmoid_binary_cross_entropy(log_odds, jnp.maximum(t.label, 0).astype(jnp.float32))
        out["conversion"] = (loss * (t.label >= 0)).sum()
    if weights["time"]:
        known = t.wait >= 0
        likelihood = log_likelihood(apply(model, params, states, method="wait"), jnp.where(known, t.wait, 0.0))
        out["time"] = -(likelihood * known).sum()
    if weights["reconstruct"]:
        out["reconstruct"] = _reconstructed(model, params, batch, states, drawn)
    if weights["contrast"]:
        again = {"dropout": jax.random.fold_in(key, AGAIN)}
        other = apply(model, params, batch.events, t.position, True, vectors, t.horizon, method="encode", rngs=again)
        first, second = (apply(model, params, view, method="view") for view in (states, other))
        out["contrast"] = _contrasted(first, second, _last(batch))
    return out


def _items(
    objective: Objective,
    model: InterestModel,
    params: Any,
    states: States,
    targets: Targets,
    items_axis: str | None,
    drawn: Drawn | None,
) -> jax.Array:
    """Loss of the target items, summed: over a table split by rows, over drawn items, or over the whole catalogue."""
    power = objective.power
    # Cold or empty targets point at row 0, which is no item; their weight is 0, so any other row will do.
    safe = jnp.maximum(targets.item, 1)
    generate, pointed = jnp.zeros(targets.position.shape), jnp.zeros(targets.item.shape)
    if states.pointer is not None:
        generate, pointed = states.pointer.generate, pointed_at(states.pointer, safe)
    compared = functools.partial(comparable, temperature=model.spec.model.temperature)
    softmax_targets = SoftmaxTargets(compared(states.vector) / (1 - power), generate, pointed, safe, targets.weight)
    flat = SoftmaxTargets(*(x.reshape(-1, *x.shape[2:]) for x in softmax_targets))
    if items_axis:
        table = compared(_table(params))
        return sharded_embedding.item_loss(flat, table, model.spec.data.num_items, items_axis, power)
    if drawn is not None:
        own, others = (apply(model, params, item, method="look_up") for item in (flat.target, drawn.item))
        return sampled_item_loss(flat, own, others, drawn, power)
    table = apply(model, params, method="item_table")
    loss = item_loss(flat, table, power)
    return loss + objective.smoothing * _smoothed(flat, table) if objective.smoothing else loss


def _last(batch: Batch) -> jax.Array:
    """Which target slots [B, T] are the last ones of their window."""
    t = batch.targets
    there = t.weight.any(axis=-1)
    window = jnp.take_along_axis(batch.events.segment, t.position, axis=1) * there
    return there & (window != jnp.pad(window[:, 1:], ((0, 0), (0, 1))))


def _held(batch: Batch) -> tuple[jax.Array, jax.Array]:
    """The slot [B] of the last state of each row, and which of its items [B, L] that state's window held until then."""
    t, e = batch.targets, batch.events
    slot = jnp.argmax(jnp.where(t.weight.any(axis=-1), t.position + 1, 0), axis=1)
    position = jnp.take_along_axis(t.position, slot[:, None], axis=1)
    window = jnp.take_along_axis(e.segment, position, axis=1)
    some = jnp.take_along_axis(t.weight.any(axis=-1), slot[:, None], axis=1)
    return slot, (e.segment == window) & (jnp.arange(e.item.shape[1]) <= position) & (e.item > 0) & some


def _reconstructed(model: InterestModel, params: Any, batch: Batch, states: States, drawn: Drawn | None) -> jax.Array:
    """How well the last state of each row tells the items of its window, hidden ones too, summed over rows.

    A denoising autoencoder of histories with the multinomial likelihood (Vincent et al. 2008; Liang et al. 2018).
    """
    slot, held = _held(batch)
    last = jax.tree.map(lambda x: jnp.take_along_axis(x, slot[:, None, None], axis=1), states._replace(pointer=None))
    vectors = apply(model, params, last, method="recall")[:, 0]
    weight = held / jnp.maximum(held.sum(axis=1, keepdims=True), 1)
    nothing = jnp.zeros(held.shape)
    softmax_targets = SoftmaxTargets(vectors, nothing[:, 0], nothing, jnp.maximum(batch.events.item, 1), weight)
    if drawn is None:
        return item_loss(softmax_targets, apply(model, params, method="item_table"))
    own, others = (apply(model, params, item, method="look_up") for item in (softmax_targets.target, drawn.item))
    return sampled_item_loss(softmax_targets, own, others, drawn)


def _contrasted(first: jax.Array, second: jax.Array, last: jax.Array) -> jax.Array:
    """How well each window's view [B, T, D] at its last slot is told from all others' other views, summed.

    InfoNCE (van den Oord et al. 2018) of two looks with different dropout (Gao, Yao & Chen 2021; of histories: Qiu et
    al. 2022).
    """
    normalised, other = (x.reshape(-1, x.shape[-1]) for x in (first, second))
    there = last.reshape(-1)
    log_p = jax.nn.log_softmax(jnp.where(there, SHARPNESS * normalised @ other.T, NEVER), axis=1)
    return -jnp.where(there, jnp.diagonal(log_p), 0).sum()


def _smoothed(softmax_targets: SoftmaxTargets, table: jax.Array) -> jax.Array:
    """By how much the targets' logits exceed the mean logit of all items, weighted and summed.

    Times epsilon and added to the cross-entropy it gives that with targets of 1 - epsilon for the item and epsilon /
    V for every item (label smoothing, Szegedy et al. 2016, section 7), without all logits at hand.
    """
    lead = table[softmax_targets.target] - table[1:].mean(axis=0)
    return (jnp.einsum("nd,nmd->nm", softmax_targets.vectors, lead) * softmax_targets.weight).sum()


def _table(params: Any) -> jax.Array:
    """The part of the item table that is here: of another shape than the model's own, so that Flax would refuse it."""
    return functools.reduce(operator.getitem, TABLE, params)
