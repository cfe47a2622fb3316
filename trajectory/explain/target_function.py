"""What is explained: one log-probability a row as a function of its events' vectors."""

from __future__ import annotations

from typing import Any, NamedTuple

import flax.struct
import jax
import jax.numpy as jnp
import numpy as np

from trajectory.models.apply import apply
from trajectory.models.forecast_function import CONSTANT, Explained, ForecastTarget
from trajectory.models.interest_model import InterestModel
from trajectory.schema import Events, UserError


class Inputs(NamedTuple):
    """What a function is asked about: B rows of L events."""

    events: Events
    asked: ForecastTarget
    there: jax.Array  # bool [B, L], events that the forecast can see
    shares: dict[str, jax.Array]  # input -> its share [B, L, D] of the events' vectors
    constant: jax.Array  # [B, L, D], the share that every event has

    @property
    def x(self) -> jax.Array:
        """The events' vectors [B, L, D]."""
        return sum(self.shares.values(), self.constant)

    def compared(self, base: Base) -> jax.Array:
        """The vectors [B, L, D] of what the events are compared with."""
        return sum(base.shares.values(), self.constant)


class Base(NamedTuple):
    """What attribution compares inputs with."""

    shares: dict[str, jax.Array]  # as of `Inputs`
    known: jax.Array  # float32 [B, L], how far the event is known there


@flax.struct.dataclass
class Function:
    """A model's log-probability of one kind of target (see `Explained`); an argument of what is jitted."""

    model: InterestModel = flax.struct.field(pytree_node=False)
    target: str = flax.struct.field(pytree_node=False)  # one of TARGETS
    variables: Any
    item_interest: jax.Array  # int32 [V + 1]
    fields: dict[str, Any]  # parts [V + 1, width] of the items' vectors that count as inputs of their own, or none

    @classmethod
    def of(
        cls,
        model: InterestModel,
        params: Any,
        target: str,
        item_interest: np.ndarray,
        fields: dict[str, np.ndarray] | None = None,
    ) -> Function:
        """Raises UserError if the model foretells no such target."""
        spec = model.spec
        if target == "conversion" and not spec.heads.conversion:
            raise UserError("target conversion: this run has no conversion head (heads.conversion=0)")
        if target in ("interest", "migration") and not spec.data.num_interests:
            raise UserError(f"target {target}: the items of this log have no interests (data.interest_column)")
        return cls(model, target, {"params": {"model": params["params"]}}, jnp.asarray(item_interest), fields or {})

    def inputs(self, events: Events, asked: ForecastTarget) -> Inputs:
        """Rows of events with the shares of their vectors. Raises UserError for a step that no head looks at."""
        steps = self.model.spec.heads.horizon
        if len(asked.horizon) and not 1 <= np.min(asked.horizon) <= np.max(asked.horizon) <= steps:
            raise UserError(f"step {asked.horizon[0]}: this run foretells 1 to {steps} directly (heads.horizon)")
        return _inputs(self, events, asked)

    def __call__(self, x: jax.Array, known: jax.Array, inputs: Inputs, whole: jax.Array | None = None) -> jax.Array:
        """Log-probability [B] at event vectors x [B, L, D] that are known as far as `known` [B, L] says (see
        `Explained` for `whole`).
        """
        return self.head.pick(self._log_p(x, known, inputs, whole), inputs.asked)

    @property
    def head(self) -> Explained:
        """The explainability head around the model."""
        return Explained(self.model, self.target)

    @jax.jit
    def foretold(self, inputs: Inputs) -> jax.Array:
        """Log-probabilities of all that could be asked: items [B, V + 1], interests [B, K + 1], or [B, 1]."""
        return self._log_p(inputs.x, jnp.ones(inputs.there.shape), inputs, None)

    def gradient(self, x: jax.Array, known: jax.Array, inputs: Inputs) -> tuple[jax.Array, jax.Array]:
        """Its derivatives by both, [B, L, D] and [B, L], where x is a part of the inputs' vectors."""
        return jax.grad(lambda x, known: self(x, known, inputs, inputs.x).sum(), argnums=(0, 1))(x, known)

    def _log_p(self, x: jax.Array, known: jax.Array, inputs: Inputs, whole: jax.Array | None) -> jax.Array:
        return apply(self.head, self.variables, x, known, inputs.events, inputs.asked, self.item_interest, whole)


@jax.jit
def _inputs(function: Function, events: Events, asked: ForecastTarget) -> Inputs:
    events, asked = jax.tree.map(jnp.asarray, (events, asked))
    shares = apply(function.head, function.variables, events, function.fields, method="shares")
    segment = jnp.take_along_axis(events.segment, asked.place[:, None], axis=1)
    before = jnp.arange(events.segment.shape[1]) <= asked.place[:, None]
    there = (events.segment == segment) & (events.segment > 0) & before
    return Inputs(events, asked, there, {k: v for k, v in shares.items() if k != CONSTANT}, shares[CONSTANT])
