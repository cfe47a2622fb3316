"""The explainability head: one forecast of a model as a smooth function of its past events, and what events are of."""

from __future__ import annotations

from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from trajectory.models.heads import Pointer, States
from trajectory.models.interest_model import InterestModel
from trajectory.schema import Events

TARGETS = ("item", "interest", "migration", "conversion")
ITEM = "item"  # the share of which item it is
CONSTANT = "constant"  # the share of an event's vector that every event has
CONTENT = "content"  # ... that no learning changed, see prior.py
LEAST = 1e-30


class ForecastTarget(NamedTuple):
    """What is explained of each row, B of them."""

    place: Any  # int32 [B], column of the event after which the forecast is made
    index: Any  # int32 [B], item or interest; a migration's destination; not read for a conversion
    source: Any  # int32 [B], the interest that a migration leaves; else not read
    horizon: Any  # int32 [B], steps ahead


class Explained(nn.Module):
    """A model that is asked one thing of each row, in the units of its log-probability.

    Events come in as vectors, which attribution moves towards those of no event, and as how far each is known: the
    share that a repeat head gives to the item of an event goes to the softmax so far as the event is not known.
    """

    model: InterestModel
    target: str  # one of TARGETS

    def shares(self, events: Events, fields: dict[str, jax.Array]) -> dict[str, jax.Array]:
        """Events [B, L] -> {input: its share [B, L, width + kept]} of their vectors, which they add up to.

        `fields`: parts [V + 1, width] of the items' vectors by name, or none, and then the item is one input.
        """
        spec = self.model.spec
        vectors = self.model.items(events.item)
        parts = {name: table[events.item] for name, table in fields.items()} or {ITEM: vectors[..., : spec.model.width]}
        found = self.model.event(vectors[..., : spec.model.width], events, False, parts)
        found = {name: jnp.pad(share, ((0, 0), (0, 0), (0, spec.content.frozen))) for name, share in found.items()}
        if spec.content.frozen:
            found[CONTENT] = jnp.pad(vectors[..., spec.model.width :], ((0, 0), (0, 0), (spec.model.width, 0)))
        return found

    def __call__(
        self,
        x: jax.Array,
        known: jax.Array,
        events: Events,
        asked: ForecastTarget,
        item_interest: jax.Array,
        whole: jax.Array | None = None,
    ) -> jax.Array:
        """Event vectors x [B, L, width + kept], known as far as [B, L] says -> log-probabilities of all that could be
        asked: of items [B, V + 1], of interests [B, K + 1], or of a conversion [B, 1].

        `item_interest` int32 [V + 1] is read where the model has no interest head. `whole`: the vectors of which x are
        a part, on the way from a baseline, so that the prior is as smooth as the rest there.
        """
        place, horizon = asked.place[:, None], asked.horizon[:, None]
        states = self.model.encode_embedded(x, events, place, horizon=horizon, whole=whole)
        if states.pointer is not None:
            states = States(states.vector, _as_known(states.pointer, known))
        if self.target == "conversion":
            return jax.nn.log_sigmoid(self.model.score_conversion(states))
        return self.model.score(states)[:, 0] if self.target == "item" else self._interests(states, item_interest)

    def pick(self, log_p: jax.Array, asked: ForecastTarget) -> jax.Array:
        """What is asked of these log-probabilities, [B]; a migration's log-odds of destination against source."""
        if self.target == "conversion":
            return log_p[:, 0]
        value = _at(log_p, asked.index)
        return value - _at(log_p, asked.source) if self.target == "migration" else value

    def _interests(self, states: States, item_interest: jax.Array) -> jax.Array:
        if self.model.spec.heads.interest:
            return self.model.score_interest(states)[:, 0]
        chance = jnp.exp(self.model.score(states)[:, 0])
        sums = jax.ops.segment_sum(chance.T, item_interest, self.model.spec.data.num_interests + 1).T
        return jnp.log(sums + LEAST)


def _as_known(pointer: Pointer, known: jax.Array) -> Pointer:
    """What points at events that are not known goes to the softmax."""
    weight = pointer.weight * known[:, None]
    lost = (pointer.weight * (1 - known[:, None])).sum(-1)
    return pointer._replace(weight=weight, generate=jnp.log(jnp.exp(pointer.generate) + lost + LEAST))


def _at(log_p: jax.Array, index: jax.Array) -> jax.Array:
    return jnp.take_along_axis(log_p, index[:, None], axis=1)[:, 0]
