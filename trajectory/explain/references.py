"""What attribution compares events with: no event at all, an average one, one whose item is not known."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp

from trajectory.explain.target_function import Base, Inputs
from trajectory.models.forecast_function import CONTENT
from trajectory.models.item_encoder import BESIDE
from trajectory.schema import UserError

BASELINES = ("mean", "masked", "padding")


def baseline(name: str, inputs: Inputs, background: Callable[[], Inputs] | None = None) -> Base:
    """`mean`: vectors of the average event that `background` gives, without content; `masked`: the events' own, without
    their items; `padding`: of events without any input. In none of them is an item known.

    Hundreds of steps of `padding` are unlike any history: on the way from there a recurrent state may jump, which no
    number of points resolves.

    Raises UserError for another name.
    """
    known = jnp.zeros(inputs.there.shape)
    if name == "masked":
        shares = {k: v if k in BESIDE else jnp.zeros_like(v) for k, v in inputs.shares.items()}
        return Base(shares, known)
    if name == "mean" and background is not None:
        real = background()
        weight = real.there[..., None] / real.there.sum()
        mean = {k: (v * weight).sum((0, 1)) * (k != CONTENT) for k, v in real.shares.items()}
        return Base({k: jnp.broadcast_to(mean[k], v.shape) for k, v in inputs.shares.items()}, known)
    if name == "padding":
        return Base(jax.tree.map(jnp.zeros_like, inputs.shares), known)
    raise UserError(f"baseline {name!r} is unknown; expected one of {', '.join(BASELINES)}")
