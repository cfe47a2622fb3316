"""LSTM and GRU over packed rows: the state restarts at each window's first event.

Hochreiter & Schmidhuber 1997 (LSTM, forget bias 1 after Jozefowicz et al. 2015); Cho et al. 2014 (GRU, reset after
the recurrent product, as in cuDNN, so that input products leave the loop).
"""

from __future__ import annotations

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from trajectory.models import recurrence
from trajectory.models.attention import shared
from trajectory.models.dropout import Dropout

GATES = {"lstm": 4, "gru": 3}  # of each cell
Carry = tuple[tuple[jax.Array, ...], ...]


class InputProduct(nn.Module):
    """Kernel and bias of the input products, as nn.Dense has them; the loop applies them itself."""

    features: int

    @nn.compact
    def __call__(self, size: int) -> tuple[jax.Array, jax.Array]:
        """The kernel [size, features] and the bias [features]."""
        kernel = self.param("kernel", nn.initializers.lecun_normal(), (size, self.features))
        return kernel, self.param("bias", nn.initializers.zeros_init(), (self.features,))


class RecurrentLayer(nn.Module):
    """One layer; its loops are in recurrence.py."""

    cell: str  # lstm | gru
    width: int

    def setup(self) -> None:
        gates = GATES[self.cell]
        self.inputs = InputProduct(gates * self.width)
        self.recurrent = self.param("recurrent", _orthogonal_blocks, (self.width, gates * self.width))
        self.bias = self.param("bias", nn.initializers.zeros_init(), (self.width,))

    def zero(self, rows: int) -> tuple[jax.Array, ...]:
        """The state before the first event: (h, c) for LSTM, (h,) for GRU, each [rows, width]."""
        zero = jnp.zeros((rows, self.width))
        return (zero, zero) if self.cell == "lstm" else (zero,)

    def advance(self, carry: tuple[jax.Array, ...], x: jax.Array) -> tuple[jax.Array, ...]:
        """One event further: x [B, D] -> the next state."""
        return recurrence.advance(self.cell, self._weights(x.shape[-1]), carry, x)

    def __call__(self, x: jax.Array, fresh: jax.Array) -> jax.Array:
        """x [B, L, D], fresh [B, L] (True where a window begins) -> states [B, L, width]."""
        keep = 1.0 - jnp.swapaxes(fresh, 0, 1).astype(x.dtype)[..., None]
        states = recurrence.states(self.cell, self._weights(x.shape[-1]), jnp.swapaxes(x, 0, 1), keep)
        return jnp.swapaxes(states, 0, 1)

    def _weights(self, size: int) -> recurrence.Weights:
        return recurrence.Weights(*self.inputs(size), self.recurrent, self.bias)


def _orthogonal_blocks(key: jax.Array, shape: tuple[int, int]) -> jax.Array:
    width, total = shape
    keys = jax.random.split(key, total // width)
    return jnp.concatenate([nn.initializers.orthogonal()(k, (width, width)) for k in keys], axis=1)


class Recurrent(nn.Module):
    """A stack of recurrent layers of given widths with dropout after each (the document's 128 -> 64 is one setting)."""

    cell: str
    widths: tuple[int, ...]
    dropout: float

    def setup(self) -> None:
        self.stack = [RecurrentLayer(self.cell, width) for width in self.widths]
        self.drop = Dropout(self.dropout)

    def __call__(self, x: jax.Array, events: Any, place: jax.Array | None, train: bool) -> jax.Array:
        """Event vectors [B, L, D] -> states at places [B, T] of each row (None = all L), [B, T, widths[-1]]."""
        before = jnp.pad(events.segment[:, :-1], ((0, 0), (1, 0)))
        fresh = events.segment != before
        for layer in self.stack:
            x = self.drop(layer(x, fresh), train)
        return x if place is None else jnp.take_along_axis(x, place[..., None], axis=1)

    def initial(self, rows: int, capacity: int, past: Carry | None) -> Carry:
        """The carry before any event, or after the `past` that rows share; recurrent states need no capacity."""
        if past is not None:
            return jax.tree.map(lambda state: shared(state, rows), past)
        return tuple(layer.zero(rows) for layer in self.stack)

    def step(
        self, carry: Carry, x: jax.Array, event: Any, slot: jax.Array, past: Carry | None
    ) -> tuple[Carry, jax.Array]:
        """One event a row, or padding: x [B, D] -> (carry, state [B, widths[-1]])."""
        after, real = [], event.segment > 0
        for layer, before in zip(self.stack, carry, strict=True):
            state = layer.advance(before, x)
            after.append(tuple(jnp.where(real, new, old) for new, old in zip(state, before, strict=True)))
            x = state[0]
        return tuple(after), x
