"""Tower + backbone + heads: the one interface that every other room uses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from trajectory.models.attention import shared
from trajectory.models.content_prior import Prior
from trajectory.models.dense import FlatDense
from trajectory.models.heads import HorizonProjection, Memory, Pointer, RepeatHead, States, mix_log_probabilities
from trajectory.models.hybrid import Hybrid
from trajectory.models.item_encoder import EventEmbedding, ItemTower, comparable
from trajectory.models.recurrent import Recurrent
from trajectory.models.time_head import TimeHead, Wait
from trajectory.models.top_down import CATALOGUE, ITEM_INTEREST, scaled_to
from trajectory.models.transformer import Transformer
from trajectory.schema import Events


@dataclass(frozen=True)
class DataSpec:
    """Sizes of the data."""

    num_items: int
    num_interests: int
    num_event_types: int


@dataclass(frozen=True)
class NetworkSpec:
    """What is built between events and states, as section `model` of a config says."""

    backbone: str  # lstm | gru | transformer | hybrid
    width: int  # of item vectors
    layers: tuple[int, ...]
    attention_heads: int
    cell: str  # of a hybrid's recurrent network
    dropout: float
    event_dropout: float
    inputs: tuple[str, ...]
    positions: bool
    temperature: float  # of the softmax over cosines; 0 = over dot products
    repeat_heads: int  # 0 = no repeat head
    capacity: int  # positions that a window may have


@dataclass(frozen=True)
class ContentSpec:
    """What is known of items, as section `content` says."""

    frozen: int  # content features of an item that no learning changes; 0 = no prior
    sharpness: float  # of the prior (models/content_prior.py) at first, and the bound of what is learned beside it
    popularity: float  # of the prior at first
    ids: bool = True  # items have vectors of their own
    present: bool = False  # items have content, see schema.ItemContent
    vectors: tuple[str, ...] = ()  # its fields that are vectors and something is learned from
    codes: tuple[str, ...] = ()  # ... that are codes
    field_dropout: float = 0.0  # share of known fields that training hides


@dataclass(frozen=True)
class HeadsSpec:
    """Which heads there are besides that of the next item, as section `heads` says."""

    horizon: int = 1  # steps that heads forecast directly
    interest: bool = False
    conversion: bool = False
    time: bool = False
    reconstruct: bool = False
    contrast: bool = False
    top_down: bool = False  # items are scaled so that they add up to the interest head's interests, see top_down.py


@dataclass(frozen=True)
class Spec:
    """What a model is built from, in the groups of the config."""

    data: DataSpec
    model: NetworkSpec
    content: ContentSpec
    heads: HeadsSpec


class Carry(NamedTuple):
    """All that `step` must remember of a row's events."""

    backbone: Any
    memory: Memory | None
    events: jax.Array  # int32 [B], how many so far
    trace: jax.Array | None  # of the prior


class InterestModel(nn.Module):
    """Events to states, states to probabilities over items and interests, and of a conversion."""

    spec: Spec

    def setup(self) -> None:
        data, network, content, heads = self.spec.data, self.spec.model, self.spec.content, self.spec.heads
        self.items = ItemTower(
            data.num_items,
            network.width,
            content.ids,
            content.vectors,
            content.codes,
            content.field_dropout,
            content.frozen,
            plain=not content.present,
        )
        self.event = EventEmbedding(
            network.inputs, network.width, data.num_event_types, network.dropout, network.event_dropout
        )
        if self._attends:
            attention = Transformer(
                network.layers[0],
                len(network.layers),
                network.attention_heads,
                network.dropout,
                network.capacity,
                network.positions,
            )
            self.backbone: Any = (
                attention
                if network.backbone == "transformer"
                else Hybrid(attention, Recurrent(network.cell, (2 * network.layers[0],), network.dropout))
            )
            if network.layers[0] != network.width:
                self.widen = FlatDense(network.layers[0], use_bias=False)
        else:
            self.backbone = Recurrent(network.backbone, network.layers, network.dropout)
        if content.frozen:
            self.prior = Prior(content.sharpness, content.popularity)
            self.narrow = FlatDense(network.width, kernel_init=nn.initializers.zeros)
        elif network.layers[-1] != network.width:
            self.narrow = FlatDense(network.width)
        if heads.horizon > 1:
            self.ahead = HorizonProjection(heads.horizon, network.width)
        if network.repeat_heads:
            self.repeat = RepeatHead(network.repeat_heads, network.width)
        if heads.interest:
            self.interest = FlatDense(data.num_interests + 1)
        if heads.conversion:
            self.conversion = FlatDense(1)
        if heads.time:
            self.time = TimeHead()
        if heads.reconstruct:
            self.reconstruct = FlatDense(network.width + content.frozen)
        if heads.contrast:
            self.contrast = FlatDense(network.width)

    def embed(self, events: Events, train: bool = False, item_vectors: jax.Array | None = None) -> jax.Array:
        """Events [B, L] -> event vectors [B, L, width + frozen]; `item_vectors` of that shape if they are at hand."""
        learned, frozen = self._parts(self.items(events.item, train) if item_vectors is None else item_vectors)
        x = self.event(learned, events, train)
        return jnp.concatenate([x, frozen], -1) if self.spec.content.frozen else x

    def encode(
        self,
        events: Events,
        position: jax.Array | None = None,
        train: bool = False,
        item_vectors: jax.Array | None = None,
        horizon: jax.Array | None = None,
    ) -> States:
        """Events [B, L] -> states at positions [B, T] of each row (all L of them by default); see `embed`.

        `horizon` int32 [B, T]: how many steps ahead the heads are to look from each state (1 by default).
        """
        return self.encode_embedded(self.embed(events, train, item_vectors), events, position, train, horizon)

    def encode_embedded(
        self,
        x: jax.Array,
        events: Events,
        position: jax.Array | None = None,
        train: bool = False,
        horizon: jax.Array | None = None,
        whole: jax.Array | None = None,
    ) -> States:
        """As `encode`, from vectors as `embed` makes them (attribution differentiates with respect to them).

        `whole`: vectors of which x are a part, for the prior.
        """
        hidden = self._look(self._output(self.backbone(self._input(x), events, position, train)), horizon)
        learned, frozen = self._parts(x)
        beside = None
        if self.spec.content.frozen:
            beside = self.prior(frozen, events, position, None if whole is None else self._parts(whole)[1])
        if not self.spec.model.repeat_heads:
            return self._together(hidden, None, beside)
        column = jnp.broadcast_to(jnp.arange(x.shape[1]), x.shape[:2])
        memory = Memory(self.repeat.key(learned), events.item, events.interest, events.segment, events.age, column)
        return self._together(*self.repeat(hidden, column if position is None else position, memory), beside)

    def score(self, states: States) -> jax.Array:
        """States at [B, T] -> log-probabilities of the next item [B, T, V + 1]; index 0 has -inf."""
        table = self.item_table()
        no_item = jnp.zeros(len(table)).at[0].set(-jnp.inf)  # added, not set: a copy of all logits would cost more
        flat = comparable(states.vector.reshape(-1, states.vector.shape[-1]), self.spec.model.temperature)
        log_softmax = jax.nn.log_softmax(flat @ table.T + no_item, axis=-1).reshape(*states.vector.shape[:2], -1)
        if states.pointer is not None:
            log_softmax = (
                mix_log_probabilities(log_softmax, states.pointer, states.pointer.item).at[..., 0].set(-jnp.inf)
            )
        if self.spec.heads.top_down:
            item_interest: jax.Array = self.get_variable(CATALOGUE, ITEM_INTEREST)
            return scaled_to(self.score_interest(states), log_softmax, item_interest)
        return log_softmax

    def score_interest(self, states: States) -> jax.Array:
        """States at [B, T] -> log-probabilities of the next interest [B, T, K + 1] (0 = items without one)."""
        log_softmax = jax.nn.log_softmax(self.interest(states.vector), axis=-1)
        if states.pointer is not None:
            log_softmax = mix_log_probabilities(log_softmax, states.pointer, states.pointer.interest)
        return log_softmax

    def score_conversion(self, states: States) -> jax.Array:
        """States at [B, T] -> log-odds [B, T] that the user converts within the horizon."""
        return self.conversion(states.vector)[..., 0]

    def recall(self, states: States) -> jax.Array:
        """States at [B, T] -> vectors [B, T, width + frozen], compared with those of the items that came before."""
        return comparable(self.reconstruct(states.vector), self.spec.model.temperature)

    def view(self, states: States) -> jax.Array:
        """States at [B, T] -> unit vectors [B, T, width]: what a history is like, told apart from others."""
        return comparable(self.contrast(states.vector), 1.0)

    def wait(self, states: States) -> Wait:
        """States at [B, T] -> how the time until the step they look at is distributed."""
        return self.time(states.vector)

    def item_table(self) -> jax.Array:
        """Item vectors [V + 1, width + frozen] as the softmax compares them with states (see `comparable`)."""
        return comparable(self.items.table(), self.spec.model.temperature)

    def look_up(self, item: jax.Array) -> jax.Array:
        """Rows of `item_table` for item indices [...], [..., width + frozen]."""
        return comparable(self.items(item), self.spec.model.temperature)

    def start(self, rows: int, capacity: int, past: Carry | None = None) -> Carry:
        """The carry of `rows` users before any event, with room for `capacity` events each.

        With the carry of other rows as their `past`, they go on from there: each of its rows is shared by as many that
        follow one another, and is not copied for them.
        """
        memory = None
        if self.spec.model.repeat_heads:
            place = jnp.zeros((rows, capacity))
            empty = place.astype(jnp.int32)
            key = jnp.zeros((rows, self.repeat.heads, capacity, self.repeat.size))
            memory = Memory(key, empty, empty, empty, place, empty)
        events = jnp.zeros((rows,), jnp.int32) if past is None else shared(past.events, rows)
        trace = self.prior.initial(rows, self.spec.content.frozen) if self.spec.content.frozen else None
        if past is not None and past.trace is not None:
            trace = shared(past.trace, rows)
        return Carry(self.backbone.initial(rows, capacity, past and past.backbone), memory, events, trace)

    def step(self, carry: Carry, event: Events, past: Carry | None = None) -> tuple[Carry, States]:
        """One event a row (Events [B, 1]) -> (carry, states at [B, 1]); a row whose event is padding keeps its carry.

        Gives what `encode` gives on the whole history, up to rounding; at most `capacity` events a row. `past` as in
        `start`.
        """
        x, rows, real = self.embed(event), jnp.arange(len(carry.events)), event.segment[:, 0] > 0
        slot = carry.events if past is None else carry.events - shared(past.events, len(rows))
        # What is written outside is dropped: so padding leaves caches as they are, and nothing copies them.
        into = jnp.where(real, slot, jnp.iinfo(slot.dtype).max)
        backbone, hidden = self.backbone.step(carry.backbone, self._input(x)[:, 0], event, into, past and past.backbone)
        hidden = self._look(self._output(hidden[:, None]), None)
        (learned, frozen), trace, beside = self._parts(x), carry.trace, None
        if trace is not None:
            trace, beside = self.prior.step(trace, frozen[:, 0], real)
            beside = beside[:, None]
        memory, pointer = carry.memory, None
        if memory is not None:
            key = memory.key.at[rows, :, into].set(self.repeat.key(learned)[:, :, 0])
            new = event.item[:, 0], event.interest[:, 0], event.segment[:, 0], event.age[:, 0], carry.events
            memory = Memory(key, *(a.at[rows, into].set(b) for a, b in zip(memory[1:], new, strict=True)))
            hidden, pointer = self.repeat(hidden, slot[:, None], memory, past and past.memory)
        return Carry(backbone, memory, carry.events + real, trace), self._together(hidden, pointer, beside)

    @property
    def _attends(self) -> bool:
        return self.spec.model.backbone in ("transformer", "hybrid")

    def _parts(self, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        """What is learned of vectors [..., width + frozen], and what is frozen."""
        return x[..., : self.spec.model.width], x[..., self.spec.model.width :]

    def _look(self, x: jax.Array, horizon: jax.Array | None) -> jax.Array:
        if self.spec.heads.horizon == 1:
            return x
        return self.ahead(x, jnp.ones(x.shape[:2], jnp.int32) if horizon is None else horizon)

    def _input(self, x: jax.Array) -> jax.Array:
        x, _ = self._parts(x)
        return self.widen(x) if self._attends and self.spec.model.layers[0] != self.spec.model.width else x

    def _output(self, x: jax.Array) -> jax.Array:
        return self.narrow(x) if self.spec.content.frozen or self.spec.model.layers[-1] != self.spec.model.width else x

    def initialise(self, events: Events) -> jax.Array:
        """Touches every parameter once; only for `init`."""
        states = self.encode(events, jnp.zeros((events.item.shape[0], 1), jnp.int32))
        parts = [self.score(states).sum()]
        if self.spec.heads.interest:
            parts.append(self.score_interest(states).sum())
        if self.spec.heads.conversion:
            parts.append(self.score_conversion(states).sum())
        if self.spec.heads.time:
            parts.append(self.wait(states).zero.sum())
        if self.spec.heads.reconstruct:
            parts.append(self.recall(states).sum())
        if self.spec.heads.contrast:
            parts.append(self.view(states).sum())
        return jnp.stack(parts)

    def _together(self, hidden: jax.Array, pointer: Pointer | None, beside: jax.Array | None) -> States:
        """States from what is learned and what is known before; the first is bounded as cosines are, so that it cannot
        drown the second by being sure of what training saw.
        """
        if beside is None:
            return States(hidden, pointer)
        bounded = self.spec.content.sharpness * hidden * jax.lax.rsqrt(1 + jnp.square(hidden).sum(-1, keepdims=True))
        return States(jnp.concatenate([bounded, beside], -1), pointer)
