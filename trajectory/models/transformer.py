"""Causal transformer over packed rows (SASRec, Kang & McAuley 2018; pre-norm blocks with GELU as in GPT-2)."""

from __future__ import annotations

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from trajectory.models.dense import Dense
from trajectory.models.dropout import Dropout

Carry = tuple[tuple[jax.Array, jax.Array], ...]


class Block(nn.Module):
    """Self-attention and a position-wise network, each on normalised inputs with a residual."""

    width: int
    heads: int
    dropout: float

    def setup(self) -> None:
        init = nn.initializers.normal(0.02)
        self.norm_attention, self.norm_mlp = nn.LayerNorm(), nn.LayerNorm()
        self.qkv = Dense(3 * self.width, kernel_init=init)
        self.out = Dense(self.width, kernel_init=init)
        self.up, self.down = Dense(4 * self.width, kernel_init=init), Dense(self.width, kernel_init=init)
        self.drop = Dropout(self.dropout)

    def project(self, x: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
        """x [B, L, width] -> query, key, value, each [B, heads, L, width / heads]."""
        rows, length, _ = x.shape
        split = self.qkv(self.norm_attention(x)).reshape(rows, length, 3, self.heads, self.width // self.heads)
        q, k, v = jnp.transpose(split, (2, 0, 3, 1, 4))
        return q, k, v

    def finish(self, x: jax.Array, q, k, v, mask: jax.Array, train: bool) -> jax.Array:
        """Attention of q over k, v where mask [B, Lq, Lk] allows, then the network; x and result [B, Lq, width]."""
        scores = q @ jnp.swapaxes(k, 2, 3) / jnp.sqrt(q.shape[-1])
        scores = jnp.where(mask[:, None], scores, jnp.finfo(scores.dtype).min)
        mixed = jnp.swapaxes(jax.nn.softmax(scores, axis=-1) @ v, 1, 2).reshape(x.shape)
        x = x + self.drop(self.out(mixed), train)
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
            x = block.finish(x, *block.project(x), mask, train)
        q, k, v = self.stack[-1].project(x)
        if place is not None and place.shape[1] < x.shape[1]:  # nobody reads the last block elsewhere
            x, mask = (jnp.take_along_axis(part, place[..., None], axis=1) for part in (x, mask))
            q, place = jnp.take_along_axis(q, place[:, None, :, None], axis=2), None
        x = self.norm(self.stack[-1].finish(x, q, k, v, mask, train))
        return x if place is None else jnp.take_along_axis(x, place[..., None], axis=1)

    def initial(self, rows: int, capacity: int) -> Carry:
        """Empty key-value caches [rows, heads, capacity, width / heads] for each layer."""
        empty = jnp.zeros((rows, self.heads, capacity, self.width // self.heads))
        return tuple((empty, empty) for _ in range(self.layers))

    def step(self, carry: Carry, x: jax.Array, slot: jax.Array, position: jax.Array) -> tuple[Carry, jax.Array]:
        """One event a row: x [B, width] written at cache place slot [B] -> (carry, state [B, width])."""
        x = self._place(x, position)[:, None]
        rows = jnp.arange(x.shape[0])
        after = []
        for block, (keys, values) in zip(self.stack, carry, strict=True):
            q, k, v = block.project(x)
            keys = keys.at[rows, :, slot].set(k[:, :, 0])
            values = values.at[rows, :, slot].set(v[:, :, 0])
            mask = (jnp.arange(keys.shape[2]) <= slot[:, None])[:, None]
            x = block.finish(x, q, keys, values, mask, False)
            after.append((keys, values))
        return tuple(after), self.norm(x)[:, 0]
