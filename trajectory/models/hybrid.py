"""A transformer with a recurrent network beside it (NARM pairs the two, Li et al. 2017)."""

from __future__ import annotations

from typing import Any

import flax.linen as nn
import jax

from trajectory.models.dense import FlatDense
from trajectory.models.recurrent import Recurrent
from trajectory.models.transformer import Transformer

Carry = tuple[Any, Any]


class Hybrid(nn.Module):
    """Both read the same event vectors; the state is the transformer's plus a projection of the recurrent one."""

    attention: Transformer
    recurrent: Recurrent

    def setup(self) -> None:
        self.out = FlatDense(self.attention.width)

    def __call__(self, x: jax.Array, events: Any, place: jax.Array | None, train: bool) -> jax.Array:
        """Event vectors [B, L, width] -> states at places [B, T] of each row (None = all L), [B, T, width]."""
        return self.attention(x, events, place, train) + self.out(self.recurrent(x, events, place, train))

    def initial(self, rows: int, capacity: int, past: Carry | None) -> Carry:
        """The carries of both before any event, or after the `past` that rows share."""
        return tuple(part.initial(rows, capacity, before) for part, before in self._parts(past))

    def step(
        self, carry: Carry, x: jax.Array, event: Any, slot: jax.Array, past: Carry | None
    ) -> tuple[Carry, jax.Array]:
        """One event a row, or padding: x [B, width] -> (carry, state [B, width])."""
        (attention, attended), (recurrent, remembered) = (
            part.step(own, x, event, slot, before) for own, (part, before) in zip(carry, self._parts(past), strict=True)
        )
        return (attention, recurrent), attended + self.out(remembered)

    def _parts(self, past: Carry | None) -> tuple[tuple[Any, Any], ...]:
        return tuple(zip((self.attention, self.recurrent), past or (None, None), strict=True))
