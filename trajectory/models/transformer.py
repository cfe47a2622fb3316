"""Causal transformer over packed rows (SASRec, Kang & McAuley 2018; pre-norm blocks with GELU as in GPT-2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from trajectory.models.attention import HIDDEN, Part, attend, shared
from trajectory.models.dense import FlatDense
from trajectory.models.dropout import Dropout


class Carry(NamedTuple):
    """Keys and values of the events so far."""

    layers: tuple[Part, ...]
    filled: jax.Array  # bool [B, C], where they lie


class Block(nn.Module):
    """Self-attention and a position-wise network, each on normalised inputs with a residual."""

    width: int
    heads: int
    dropout: float

    def setup(self) -> None:
        init = nn.initializers.normal(0.02)
        self.norm_attention, self.norm_mlp = nn.LayerNorm(), nn.LayerNorm()
        self.qkv = FlatDense(3 * self.width, kernel_init=init)
        self.out = FlatDense(self.width, kernel_init=init)
        self.up, self.down = FlatDense(4 * self.width, kernel_init=init), FlatDense(self.width, kernel_init=init)
        self.drop = Dropout(self.dropout)

    def project(self, x: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
        """x [B, L, width] -> query, key, value, each [B, heads, L, width / heads]."""
        rows, length, _ = x.shape
        split = self.qkv(self.norm_attention(x)).reshape(rows, length, 3, self.heads, self.width // self.heads)
        q, k, v = jnp.transpose(split, (2, 0, 3, 1, 4))
        return q, k, v

    def finish(self, x: jax.Array, q: jax.Array, parts: Sequence[Part], mask: jax.Array, train: bool) -> jax.Array:
        """Attention of q over parts where mask [B, Lq, Lk] allows, then the network; x and result [B, Lq, width]."""
        mixed, weight = attend(q, parts, jnp.where(mask, 0.0, HIDDEN)[:, None])
        self.sow("intermediates", "attention", weight)  # kept where somebody asks for it
        x = x + self.drop(self.out(jnp.swapaxes(mixed, 1, 2).reshape(x.shape)), train)
        return x + self.drop(self.down(nn.gelu(self.up(self.norm_mlp(x)))), train)


class Transformer(nn.Module):
    """A stack of blocks; `capacity` positions have learned vectors."""

    width: int
    layers: int
    heads: int
    dropout: float
    capacity: int
    positions: bool

    def setup(self) -> None:
        self.stack = [Block(self.width, self.heads, self.dropout) for _ in range(self.layers)]
        self.norm = nn.LayerNorm()
        if self.positions:
            self.position = nn.Embed(self.capacity, self.width, embedding_init=nn.initializers.normal(0.02))

    def _place(self, x: jax.Array, position: jax.Array) -> jax.Array:
        return x + self.position(position) if self.positions else x

    def __call__(self, x: jax.Array, events: Any, place: jax.Array | None, train: bool) -> jax.Array:
        """Event vectors [B, L, width] -> states at places [B, T] of each row (None = all L), [B, T, width]."""
        x = self._place(x, events.position)
        order = jnp.arange(x.shape[1])
        mask = (events.segment[:, :, None] == events.segment[:, None, :]) & (order[:, None] >= order[None, :])
        for block in self.stack[:-1]:
            q, k, v = block.project(x)
            x = block.finish(x, q, [(k, v)], mask, train)
        q, k, v = self.stack[-1].project(x)
        if place is not None and place.shape[1] < x.shape[1]:  # nobody reads the last block elsewhere
            x, mask = (jnp.take_along_axis(part, place[..., None], axis=1) for part in (x, mask))
            q, place = jnp.take_along_axis(q, place[:, None, :, None], axis=2), None
        x = self.norm(self.stack[-1].finish(x, q, [(k, v)], mask, train))
        return x if place is None else jnp.take_along_axis(x, place[..., None], axis=1)

    def initial(self, rows: int, capacity: int, past: Carry | None) -> Carry:
        """Empty caches; a `past` that rows share stays where it is."""
        empty = jnp.zeros((rows, self.heads, capacity, self.width // self.heads))
        return Carry(((empty, empty),) * self.layers, jnp.zeros((rows, capacity), bool))

    def step(
        self, carry: Carry, x: jax.Array, event: Any, slot: jax.Array, past: Carry | None
    ) -> tuple[Carry, jax.Array]:
        """One event a row: x [B, width] written into slot [B] of the caches -> (carry, state [B, width])."""
        x = self._place(x[:, None], event.position)
        rows = jnp.arange(len(x))
        filled, after = carry.filled.at[rows, slot].set(True), []
        mask = filled if past is None else jnp.concatenate([shared(past.filled, len(x)), filled], axis=1)
        for number, (block, (keys, values)) in enumerate(zip(self.stack, carry.layers, strict=True)):
            q, k, v = block.project(x)
            own = keys.at[rows, :, slot].set(k[:, :, 0]), values.at[rows, :, slot].set(v[:, :, 0])
            x = block.finish(x, q, [own] if past is None else [past.layers[number], own], mask[:, None], False)
            after.append(own)
        return Carry(tuple(after), filled), self.norm(x)[:, 0]
