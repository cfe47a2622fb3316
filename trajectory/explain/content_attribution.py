"""What each field of the items' content has of their vectors: texts, category, price, ids."""

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


def item_fields(model: InterestModel, params: Any, content: ItemContent) -> dict[str, np.ndarray]:
    """Parts [V + 1, width] of items' learned vectors by field, and of which item it is ("item"), that add up to them.

    They are Shapley values, exact: what a field adds to a vector, on average over all orders in which the fields could
    have become known (Lundberg & Lee 2017). What a vector is without any of them belongs to "item".
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
        some = ItemContent(hide(content.vectors), hide(content.codes), content.kept)
        variables = with_content(unflatten_dict(flat), some)
        return apply(model, variables, method=lambda m: m.items.table())[:, : spec.model.width]

    values = {
        some: np.asarray(table({name: name in some for name in names}))
        for size in range(len(names) + 1)
        for some in combinations(names, size)
    }
    found = {name: np.zeros_like(values[()]) for name in names} | {ITEM: values[()].copy()}
    for some, value in values.items():
        for name in set(names) - set(some):
            more = tuple(other for other in names if other in some or other == name)
            weight = 1 / (len(names) * math.comb(len(names) - 1, len(some)))
            found[name] += np.float32(weight) * (values[more] - value)
    return found
