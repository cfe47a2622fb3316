"""The explainability head: one output of a model as a smooth function of the vectors of its past events."""

from __future__ import annotations

from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from trajectory.models.heads import Pointer, States
from trajectory.models.interest_model import InterestModel
from trajectory.models.top_down import log_sums
from trajectory.schema import Events

TARGETS = ("item", "interest", "migration", "conversion")
ITEM = "item"  # the component of which item it is
CONSTANT = "constant"  # the component of an event's vector that every event has
CONTENT = "content"  # frozen content features, see content_prior.py
EPSILON = 1e-30


class ForecastTarget(NamedTuple):
    """The output of the model that is explained in each of B rows."""

    position: Any  # int32 [B], column of the event after which the forecast is made
    index: Any  # int32 [B], item or interest; a migration's destination; not read for a conversion
    source: Any  # int32 [B], the interest that a migration leaves; else not read
    horizon: Any  # int32 [B], steps ahead
    seen: Any = None  # int32 [B, S], items that cannot come (again); 0 = padding. None: all may


class ForecastFunction(nn.Module):
    """Log-probabilities of a model as a function of event vectors, which attribution moves towards a reference.

    A second input says how far the item of each event is known: the share that a repeat head gives to that item goes to
    the softmax so far as it is not known.
    """

    model: InterestModel
    target: str  # one of TARGETS

    def components(self, events: Events, item_components: dict[str, jax.Array]) -> dict[str, jax.Array]:
        """Events [B, L] -> {input: its component [B, L, width + frozen]} of their vectors, which they add up to.

        `item_components`: parts [V + 1, width] of the items' vectors by name; if there are none, the item is one input.
        """
        spec = self.model.spec
        vectors = self.model.items(events.item)
        of_items = {name: table[events.item] for name, table in item_components.items()}
        of_items = of_items or {ITEM: vectors[..., : spec.model.width]}
        result = self.model.event(vectors[..., : spec.model.width], events, False, of_items)
        frozen = spec.content.frozen
        result = {name: jnp.pad(component, ((0, 0), (0, 0), (0, frozen))) for name, component in result.items()}
        if frozen:
            result[CONTENT] = jnp.pad(vectors[..., spec.model.width :], ((0, 0), (0, 0), (spec.model.width, 0)))
        return result

    def __call__(
        self,
        x: jax.Array,
        known: jax.Array,
        events: Events,
        targets: ForecastTarget,
        item_interest: jax.Array,
        whole: jax.Array | None = None,
    ) -> jax.Array:
        """Event vectors x [B, L, width + frozen], known as far as [B, L] says -> log-probabilities of all items
        [B, V + 1], of all interests [B, K + 1], or of a conversion [B, 1].

        Interests, of `item_interest` int32 [V + 1], are sums over their items. `whole`: the vectors of the events
        themselves where x lies on an integration path to them, so that the content prior is smooth along it.
        """
        position, horizon = targets.position[:, None], targets.horizon[:, None]
        states = self.model.encode_embedded(x, events, position, horizon=horizon, whole=whole)
        if states.pointer is not None:
            states = States(states.vector, _known_pointer(states.pointer, known))
        if self.target == "conversion":
            return jax.nn.log_sigmoid(self.model.score_conversion(states))
        log_p = self.model.score(states)[:, 0]
        if targets.seen is not None:
            log_p = log_p.at[jnp.arange(len(log_p))[:, None], targets.seen].set(-jnp.inf, mode="drop")
            total = jax.nn.logsumexp(log_p, axis=-1, keepdims=True)
            log_p -= jnp.maximum(total, jnp.finfo(jnp.float32).min)  # a history may hold all items
        return log_p if self.target == "item" else log_sums(log_p, item_interest, self.model.spec.data.num_interests)

    def select(self, log_p: jax.Array, targets: ForecastTarget) -> jax.Array:
        """Each row's target among log-probabilities, [B]; a migration's log-odds of destination against source."""
        if self.target == "conversion":
            return log_p[:, 0]
        value = _gather(log_p, targets.index)
        return value - _gather(log_p, targets.source) if self.target == "migration" else value


def _known_pointer(pointer: Pointer, known: jax.Array) -> Pointer:
    """The weight of events that are not known goes to the softmax."""
    weight = pointer.weight * known[:, None]
    lost = (pointer.weight * (1 - known[:, None])).sum(-1)
    return pointer._replace(weight=weight, generate=jnp.log(jnp.exp(pointer.generate) + lost + EPSILON))


def _gather(log_p: jax.Array, index: jax.Array) -> jax.Array:
    return jnp.take_along_axis(log_p, index[:, None], axis=1)[:, 0]
