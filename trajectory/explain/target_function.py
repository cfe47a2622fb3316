"""The function that is explained: one log-probability a row, by the vectors of its events."""

from __future__ import annotations

from typing import Any, NamedTuple

import flax.struct
import jax
import jax.numpy as jnp
import numpy as np

from trajectory.models.apply import apply
from trajectory.models.forecast_function import CONSTANT, ForecastFunction, ForecastTarget
from trajectory.models.interest_model import InterestModel
from trajectory.schema import Events, UserError


class Inputs(NamedTuple):
    """B rows of L events, with the target of each row."""

    events: Events
    targets: ForecastTarget
    mask: jax.Array  # bool [B, L], events that the forecast can see
    components: dict[str, jax.Array]  # input -> its component [B, L, D] of the events' vectors
    constant: jax.Array  # [B, L, D], the component that every event has

    @property
    def vectors(self) -> jax.Array:
        """The events' vectors [B, L, D]."""
        return sum(self.components.values(), self.constant)

    def vectors_of(self, reference: Reference) -> jax.Array:
        """The vectors [B, L, D] of a reference for these events."""
        return sum(reference.components.values(), self.constant)


class Reference(NamedTuple):
    """What attribution compares events with (the baseline of Sundararajan et al. 2017)."""

    components: dict[str, jax.Array]  # as of `Inputs`
    known: jax.Array  # float32 [B, L], how far the item of each event is known


@flax.struct.dataclass
class TargetFunction:
    """A model's log-probability of one kind of target (see `ForecastFunction`), with its parameters; a pytree."""

    model: InterestModel = flax.struct.field(pytree_node=False)
    target: str = flax.struct.field(pytree_node=False)  # one of TARGETS
    variables: Any
    item_interest: jax.Array  # int32 [V + 1]
    item_components: dict[str, Any]  # parts [V + 1, width] of the items' vectors that are inputs of their own, or none

    @classmethod
    def create(
        cls,
        model: InterestModel,
        params: Any,
        target: str,
        item_interest: np.ndarray,
        item_components: dict[str, np.ndarray] | None = None,
    ) -> TargetFunction:
        """Raises UserError if the model predicts no such target."""
        spec = model.spec
        if target == "conversion" and not spec.heads.conversion:
            raise UserError("target conversion: this run has no conversion head (heads.conversion=0)")
        if target in ("interest", "migration") and not spec.data.num_interests:
            raise UserError(f"target {target}: the items of this log have no interests (data.interest_column)")
        variables = {collection: {"model": of_model} for collection, of_model in params.items()}
        return cls(model, target, variables, jnp.asarray(item_interest), item_components or {})

    def inputs(self, events: Events, targets: ForecastTarget) -> Inputs:
        """Rows of events with the components of their vectors. Raises UserError for a step that no head predicts."""
        steps, horizon = self.model.spec.heads.horizon, targets.horizon
        if len(horizon) and not 1 <= np.min(horizon) <= np.max(horizon) <= steps:
            raise UserError(f"step {horizon[0]}: this run predicts 1 to {steps} directly (heads.horizon)")
        return _inputs(self, events, targets)

    def __call__(self, x: jax.Array, known: jax.Array, inputs: Inputs, whole: jax.Array | None = None) -> jax.Array:
        """Log-probability [B] at event vectors x [B, L, D] that are known as far as `known` [B, L] says (see
        `ForecastFunction` for `whole`).
        """
        return self.head.select(self._log_p(x, known, inputs, whole), inputs.targets)

    @property
    def head(self) -> ForecastFunction:
        """The explainability head around the model."""
        return ForecastFunction(self.model, self.target)

    @jax.jit
    def log_probabilities(self, inputs: Inputs) -> jax.Array:
        """Log-probabilities of all candidates: items [B, V + 1], interests [B, K + 1], or a conversion [B, 1]."""
        return self._log_p(inputs.vectors, jnp.ones(inputs.mask.shape), inputs, None)

    def gradient(self, x: jax.Array, known: jax.Array, inputs: Inputs) -> tuple[jax.Array, jax.Array]:
        """Derivatives by both, [B, L, D] and [B, L], at x on an integration path to the inputs' vectors."""
        return jax.grad(lambda x, known: self(x, known, inputs, inputs.vectors).sum(), argnums=(0, 1))(x, known)

    def _log_p(self, x: jax.Array, known: jax.Array, inputs: Inputs, whole: jax.Array | None) -> jax.Array:
        return apply(self.head, self.variables, x, known, inputs.events, inputs.targets, self.item_interest, whole)


class Problem(NamedTuple):
    """What a method of attribution works on: a function, B rows of inputs, and their reference."""

    function: TargetFunction
    inputs: Inputs
    reference: Reference | Inputs  # Inputs: histories of which a reference is drawn


@jax.jit
def _inputs(function: TargetFunction, events: Events, targets: ForecastTarget) -> Inputs:
    events, targets = jax.tree.map(jnp.asarray, (events, targets))
    components = apply(function.head, function.variables, events, function.item_components, method="components")
    constant = components.pop(CONSTANT)
    segment = jnp.take_along_axis(events.segment, targets.position[:, None], axis=1)
    past = jnp.arange(events.segment.shape[1]) <= targets.position[:, None]
    mask = (events.segment == segment) & (events.segment > 0) & past
    return Inputs(events, targets, mask, components, constant)
