"""A model whose items have content as one with a plain table of vectors: what is forecast with needs no content."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import jax
import numpy as np
from flax.traverse_util import flatten_dict, unflatten_dict

from trajectory.models.apply import apply
from trajectory.models.interest_model import ContentSpec, InterestModel
from trajectory.models.item_encoder import TABLE
from trajectory.schema import Events, ItemContent


def with_content(params: Any, content: ItemContent | None) -> Any:
    """Variables of a model from its parameters and the content of its items."""
    if content is None:
        return params
    fields = {"vectors": content.vectors, "codes": content.codes}
    return {**params, "content": {"items": {"content": fields, "frozen": content.frozen}}}


def initialise(model: InterestModel, key: jax.Array, events: Events, content: ItemContent | None) -> Any:
    """Fresh parameters."""

    @jax.jit  # one program: operation by operation, dozens of small ones would be compiled
    def fresh(key: jax.Array, content: ItemContent | None) -> Any:
        given, rngs = with_content({}, content), {"params": key}
        return apply(model, given, events, method="initialise", rngs=rngs, mutable=["params"])[1]

    return fresh(key, content)


def export_item_table(model: InterestModel, params: Any, content: ItemContent | None) -> tuple[InterestModel, Any]:
    """The same model with the vectors of its items in a table, and its parameters; as it is if it has one already."""
    if content is None or not model.spec.content.present:
        return model, params
    return with_table(model, params, item_table(model, params, content))


def item_table(model: InterestModel, params: Any, content: ItemContent) -> np.ndarray:
    """The vectors of all items, float32 [V + 1, any], made from their content."""
    table = jax.jit(lambda v: apply(model, v, method=lambda m: m.items.table()))
    return np.array(table(with_content(params, content)))


def with_table(model: InterestModel, params: Any, table: np.ndarray) -> tuple[InterestModel, Any]:
    """The model and its parameters with `table` in the place of all that made the vectors of its items."""
    kept = {path: x for path, x in flatten_dict(params).items() if path[:2] != TABLE[:2]}
    prior = ContentSpec(model.spec.content.frozen, model.spec.content.sharpness, model.spec.content.popularity)
    return InterestModel(replace(model.spec, content=prior)), unflatten_dict(kept | {TABLE: table})
