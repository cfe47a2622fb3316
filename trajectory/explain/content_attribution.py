"""Shapley values of content fields (texts, category, price) and ids in the vectors of items."""

from __future__ import annotations

import math
from itertools import combinations
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax.traverse_util import flatten_dict, unflatten_dict

from trajectory.models.apply import apply
from trajectory.models.forecast_function import ITEM
from trajectory.models.interest_model import InterestModel
from trajectory.models.item_encoder import TABLE
from trajectory.models.item_table import with_content
from trajectory.schema import ItemContent


def item_components(model: InterestModel, params: Any, content: ItemContent) -> dict[str, np.ndarray]:
    """Exact Shapley values [V + 1, width] of each content field, and of the item's id ("item"), in items' vectors.

    A field's value is what it adds to a vector, on average over all orders in which the fields could have become known
    (Lundberg & Lee 2017); all values add up to the vector. What a vector is without any field belongs to "item".
    """
    spec = model.spec
    names = (*spec.content.vectors, *spec.content.codes, *([ITEM] if spec.content.ids else []))

    @jax.jit
    def table(known: dict[str, jax.Array]) -> jax.Array:
        def hide(fields: dict[str, Any]) -> dict[str, Any]:
            return {name: jnp.asarray(values) * known[name] for name, values in fields.items() if name in known}

        flat = flatten_dict(params)
        if ITEM in known:
            flat[TABLE] = flat[TABLE] * known[ITEM]
        visible = ItemContent(hide(content.vectors), hide(content.codes), content.frozen)
        variables = with_content(unflatten_dict(flat), visible)
        return apply(model, variables, method=lambda m: m.items.table())[:, : spec.model.width]

    by_coalition = {
        coalition: np.asarray(table({name: name in coalition for name in names}))
        for size in range(len(names) + 1)
        for coalition in combinations(names, size)
    }
    values = {name: np.zeros_like(by_coalition[()]) for name in names} | {ITEM: by_coalition[()].copy()}
    for coalition, vectors in by_coalition.items():
        for name in set(names) - set(coalition):
            larger = tuple(other for other in names if other in coalition or other == name)
            weight = 1 / (len(names) * math.comb(len(names) - 1, len(coalition)))
            values[name] += np.float32(weight) * (by_coalition[larger] - vectors)
    return values
