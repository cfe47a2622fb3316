"""Heads: what is read from a state. How far ahead it looks, and the repeat head's pointer at the user's own past."""

from __future__ import annotations

from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from trajectory.models.attention import HIDDEN, attend, shared
from trajectory.models.dense import FlatDense


class HorizonProjection(nn.Module):
    """Projects a state to what comes k steps later, so that all heads forecast each step of a horizon directly (the
    direct strategy of multi-step forecasting, Taieb et al. 2012, section 2.2, with one network for all steps).
    """

    horizon: int
    width: int

    def setup(self) -> None:
        self.step = nn.Embed(self.horizon + 1, self.width, embedding_init=nn.initializers.normal(0.02))
        self.inner = FlatDense(2 * self.width)
        self.outer = FlatDense(
            self.width, kernel_init=nn.initializers.zeros_init()
        )  # training begins with one state for all

    def __call__(self, state: jax.Array, horizon: jax.Array) -> jax.Array:
        """States [B, T, D], steps ahead int32 [B, T] -> states [B, T, D]."""
        ahead = self.step(horizon)
        return state + self.outer(nn.gelu(self.inner(jnp.concatenate([state, ahead], axis=-1)))) + ahead


class Memory(NamedTuple):
    """The past events a pointer may point at, C places a row."""

    key: jax.Array  # [B, heads, C, size]
    item: jax.Array  # int32 [B, C]
    interest: jax.Array  # int32 [B, C], of the item
    segment: jax.Array  # int32 [B, C]; 0 = empty
    age: jax.Array  # float32 [B, C], days
    place: jax.Array  # int32 [B, C], grows by one from event to event


class Pointer(NamedTuple):
    """The share of the next step's probability that goes to the user's own past items."""

    generate: jax.Array  # [B, T], log share left to the softmax over the catalogue
    weight: jax.Array  # [B, T, C], probability of pointing at each place; sums to 1 - exp(generate)
    item: jax.Array  # int32 [B, C], what lies at each place
    interest: jax.Array  # int32 [B, C], its interest


class RepeatHead(nn.Module):
    """Points at past events, by content and by recency, with a learned share (pointer mixture, Merity et al. 2017;
    repeat and explore modes, RepeatNet, Ren et al. 2019), and adds a summary of what it points at to the state (NARM,
    Li et al. 2017).
    """

    heads: int
    width: int
    size: int = 16

    def setup(self) -> None:
        self.summary = FlatDense(self.width)
        self.query = FlatDense(self.heads * self.size)
        self.keys = FlatDense(self.heads * self.size, use_bias=False)
        self.share = FlatDense(self.heads + 1)
        # Heads begin with different memories: from nearly flat (how often) to steep (how recently).
        self.recency = self.param("recency", lambda _: jnp.linspace(0.0, 1.0, self.heads))
        self.decay = self.param("decay", lambda _: jnp.linspace(0.0, 1.0, self.heads))

    def key(self, x: jax.Array) -> jax.Array:
        """Event vectors [B, L, D] -> keys [B, heads, L, size]."""
        return self._by_head(self.keys(x))

    def __call__(
        self, state: jax.Array, slot: jax.Array, memory: Memory, past: Memory | None = None
    ) -> tuple[jax.Array, Pointer]:
        """States [B, T, D] of the events in slots [B, T] of the memory -> states with a summary, where they point.

        They see a `past` too, if there is one, of which each row [U, C] is that of B / U rows that follow one another.
        """
        place, segment, age = (
            jnp.take_along_axis(x, slot, 1)[..., None] for x in (memory.place, memory.segment, memory.age)
        )
        parts = [memory] if past is None else [past, memory]
        item, interest, segments, ages, places = (
            jnp.concatenate([shared(x, len(state)) for x in memories], axis=1)
            for memories in zip(*(part[1:] for part in parts), strict=True)
        )
        visible = (places[:, None] <= place) & (item > 0)[:, None] & (segments[:, None] == segment)
        days = jnp.maximum(age - ages[:, None], 0.0)
        events = jnp.maximum(place - places[:, None], 0).astype(jnp.float32)
        per_head = (slice(None), None, None)
        fading = jnp.abs(self.recency)[per_head] * jnp.log1p(events)[:, None]
        fading += jnp.abs(self.decay)[per_head] * jnp.log1p(days)[:, None]
        bias = jnp.where(visible[:, None], -fading, HIDDEN)
        summary, weight = attend(self._by_head(self.query(state)), [(part.key, part.key) for part in parts], bias)
        # Where nothing is visible, nothing is summed up either.
        visible_any = visible.any(-1)
        summary = jnp.swapaxes(summary * visible_any[:, None, :, None], 1, 2)
        state = state + self.summary(summary.reshape(*slot.shape, -1))
        share = jax.nn.log_softmax(self.share(state), axis=-1)
        # Where nothing can be pointed at (only unknown items so far), the softmax gets everything.
        generate = jnp.where(visible_any, share[..., 0], 0.0)
        mixed = jnp.einsum("bhtc,bth->btc", weight, jnp.exp(share[..., 1:]))
        return state, Pointer(generate, mixed * visible_any[..., None], item, interest)

    def _by_head(self, x: jax.Array) -> jax.Array:
        return jnp.swapaxes(x.reshape(*x.shape[:2], self.heads, self.size), 1, 2)


def mix_log_probabilities(log_softmax: jax.Array, pointer: Pointer, at: jax.Array) -> jax.Array:
    """Log-probabilities [B, T, n] of the mixture of a softmax and the pointer; `at` [B, C]: index of each place."""
    rows, slots, _ = log_softmax.shape
    b, t = jnp.arange(rows)[:, None, None], jnp.arange(slots)[None, :, None]
    pointed = jnp.zeros_like(log_softmax).at[b, t, at[:, None, :]].add(pointer.weight)
    return jnp.log(jnp.exp(log_softmax + pointer.generate[..., None]) + pointed + 1e-30)


def pointed_at(pointer: Pointer, target: jax.Array) -> jax.Array:
    """Probability [B, T, M] that the pointer gives to each target item [B, T, M] (without the softmax's share)."""
    hit = target[..., None] == pointer.item[:, None, None, :]
    return jnp.einsum("btmc,btc->btm", hit.astype(pointer.weight.dtype), pointer.weight)


class States(NamedTuple):
    """What the heads read at T positions of each row."""

    vector: jax.Array  # [B, T, width]
    pointer: Pointer | None
