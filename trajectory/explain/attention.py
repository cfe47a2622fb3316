"""Attention rollout: where a transformer looks, compared with attribution; it has neither sign nor target."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from flax.traverse_util import flatten_dict

from trajectory.explain.target_function import Inputs, TargetFunction
from trajectory.models.apply import apply
from trajectory.schema import UserError


def rollout(function: TargetFunction, inputs: Inputs) -> np.ndarray:
    """Attention rollout over the blocks (Abnar & Zuidema 2020), heads averaged, residuals counted as half: the share of
    each event's vector in the state after the newest, [B, L].

    Raises UserError for a backbone without attention.
    """
    weights = _weights(function, inputs)
    if not weights:
        raise UserError(
            f"method rollout needs attention; the backbone of this run is {function.model.spec.model.backbone}, without"
        )
    position = np.asarray(inputs.targets.position)
    share = np.zeros(inputs.mask.shape, np.float32)
    share[np.arange(len(position)), position] = 1
    for block in reversed(weights):
        weight = np.asarray(block).mean(axis=1)
        if weight.shape[1] == 1:  # the last block looks from the newest event only
            share = 0.5 * share + 0.5 * weight[:, 0]
        else:
            share = 0.5 * share + 0.5 * np.einsum("bl,blk->bk", share, weight)
    return share * np.asarray(inputs.mask)


@jax.jit
def _weights(function: TargetFunction, inputs: Inputs) -> list[jax.Array]:
    """Attention weights [B, heads, L or 1, L] of each block in order."""
    arguments = inputs.vectors, jnp.ones(inputs.mask.shape), inputs.events, inputs.targets, function.item_interest
    _, sown = apply(function.head, function.variables, *arguments, mutable=["intermediates"])
    intermediates = flatten_dict(sown.get("intermediates", {}))
    return [value[0] for path, value in sorted(intermediates.items()) if path[-1] == "attention"]
