"""References that attribution compares events with: no event at all, an average one, one whose item is not known."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp

from trajectory.explain.target_function import Inputs, Reference
from trajectory.models.forecast_function import CONTENT
from trajectory.models.item_encoder import BESIDE
from trajectory.schema import UserError

REFERENCES = ("mean", "masked", "padding")


def reference_of(name: str, inputs: Inputs, background: Callable[[], Inputs] | None = None) -> Reference:
    """`mean`: vectors of the average event of `background`, without content; `masked`: the events' own, without their
    items; `padding`: of events without any input. In none of them is an item known.

    Hundreds of steps of `padding` are unlike any history: on the path from there a recurrent state may jump, which no
    number of points resolves.

    Raises UserError for another name.
    """
    known = jnp.zeros(inputs.mask.shape)
    if name == "masked":
        return Reference({k: v if k in BESIDE else jnp.zeros_like(v) for k, v in inputs.components.items()}, known)
    if name == "mean" and background is not None:
        real = background()
        weight = real.mask[..., None] / real.mask.sum()
        mean = {k: (v * weight).sum((0, 1)) * (k != CONTENT) for k, v in real.components.items()}
        return Reference({k: jnp.broadcast_to(mean[k], v.shape) for k, v in inputs.components.items()}, known)
    if name == "padding":
        return Reference(jax.tree.map(jnp.zeros_like, inputs.components), known)
    raise UserError(f"explain.reference={name!r} is unknown; expected one of {', '.join(REFERENCES)}")
