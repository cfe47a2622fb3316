"""Where a transformer looks: a rival of attribution, which tells neither sign nor target."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from flax.traverse_util import flatten_dict

from trajectory.explain.target_function import Function, Inputs
from trajectory.models.apply import apply
from trajectory.schema import UserError


def rollout(function: Function, inputs: Inputs) -> np.ndarray:
    """Share of each event's vector in the state after the newest, [B, L]: attention rollout over the blocks (Abnar &
    Zuidema 2020), heads averaged, residuals counted as half.

    Raises UserError for a backbone without attention.
    """
    weights = _weights(function, inputs)
    if not weights:
        raise UserError(
            f"method rollout needs attention; the backbone of this run is {function.model.spec.model.backbone}, without"
        )
    place = np.asarray(inputs.asked.place)
    rows = np.arange(len(place))
    share = np.zeros(inputs.there.shape, np.float32)
    share[rows, place] = 1
    for weight in reversed(weights):
        weight = np.asarray(weight).mean(axis=1)
        if weight.shape[1] == 1:  # the last block looks from the newest event only
            share = 0.5 * share + 0.5 * weight[:, 0]
        else:
            share = 0.5 * share + 0.5 * np.einsum("bl,blk->bk", share, weight)
    return share * np.asarray(inputs.there)


@jax.jit
def _weights(function: Function, inputs: Inputs) -> list[jax.Array]:
    """Attention weights [B, heads, L or 1, L] of each block in order."""
    at = inputs.x, jnp.ones(inputs.there.shape), inputs.events, inputs.asked, function.item_interest
    _, sown = apply(function.head, function.variables, *at, mutable=["intermediates"])
    found = flatten_dict(sown.get("intermediates", {}))
    return [value[0] for path, value in sorted(found.items()) if path[-1] == "attention"]
