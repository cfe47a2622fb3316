"""A transformer with a recurrent network beside it (NARM pairs the two, Li et al. 2017)."""

from __future__ import annotations

from typing import Any

import flax.linen as nn
import jax

from trajectory.models.dense import Dense
from trajectory.models.recurrent import Recurrent
from trajectory.models.transformer import Transformer

Carry = tuple[Any, Any]


class Hybrid(nn.Module):
    """Both read the same event vectors; the state is the transformer's plus a projection of the recurrent one."""

    attention: Transformer
    recurrent: Recurrent

    def setup(self) -> None:
        self.out = Dense(self.attention.width)

    def __call__(self, x: jax.Array, events: Any, place: jax.Array | None, train: bool) -> jax.Array:
        """Event vectors [B, L, width] -> states at places [B, T] of each row (None = all L), [B, T, width]."""
        return self.attention(x, events, place, train) + self.out(self.recurrent(x, events, place, train))

    def initial(self, rows: int, capacity: int) -> Carry:
        """The carries of both before any event."""
        return self.attention.initial(rows, capacity), self.recurrent.initial(rows, capacity)

    def step(self, carry: Carry, x: jax.Array, slot: jax.Array, position: jax.Array) -> tuple[Carry, jax.Array]:
        """One event a row: x [B, width] -> (carry, state [B, width])."""
        attention, attended = self.attention.step(carry[0], x, slot, position)
        recurrent, remembered = self.recurrent.step(carry[1], x, slot, position)
        return (attention, recurrent), attended + self.out(remembered)
