"""The loops of an LSTM or GRU layer over the events of rows, with the gradient written out.

Differentiating a scan adds up the gradient of the recurrent weights at every event and keeps every value on the way.
Here the loop forward writes gates over the input products they come from, the loop backward finds only the gradients
of what went into the gates, and each weight's gradient is then one matrix product over all events (Appleyard et al.
2016). Arrays are time-major: [L, B, ...].
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax


class Weights(NamedTuple):
    """Gates lie side by side: input, forget, new, output of an LSTM (G = 4); reset, update, new of a GRU (G = 3)."""

    kernel: jax.Array  # [D, G * H], of the events
    bias: jax.Array  # [G * H]
    recurrent: jax.Array  # [H, G * H], of the state before
    inner: jax.Array  # [H], bias of an LSTM's input gate, and within what a GRU's reset gate lets through


def advance(cell: str, weights: Weights, carry: tuple[jax.Array, ...], x: jax.Array) -> tuple[jax.Array, ...]:
    """One event further: x [B, D], carry (h, c) or (h,) each [B, H] -> the next carry."""
    product = x @ weights.kernel
    if cell == "lstm":
        h, c = carry
        return _lstm(weights, h, c, product)[1:]
    (h,), both = carry, 2 * carry[0].shape[-1]
    return _gru(weights, h, product[:, :both], product[:, both:])[-1:]


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def states(cell: str, weights: Weights, x: jax.Array, keep: jax.Array) -> jax.Array:
    """x [L, B, D] -> states [L, B, H]; keep [L, B, 1] is 0 where the state before an event is forgotten, else 1."""
    return _forward(cell, weights, x, keep)[0]


def _forward(cell: str, weights: Weights, x: jax.Array, keep: jax.Array):
    length, rows, _ = x.shape
    empty = jnp.zeros((length, rows, len(weights.inner)), x.dtype)
    start, both = empty[0], 2 * len(weights.inner)

    def lstm(t, carry):
        h, c, gates, cells, out = carry
        kept = _at(keep, t)
        gate, h, c = _lstm(weights, h * kept, c * kept, _at(gates, t))
        return h, c, _put(gates, gate, t), _put(cells, c, t), _put(out, h, t)

    def gru(t, carry):
        h, gates, new, inner, out = carry
        gate, candidate, within, h = _gru(weights, h * _at(keep, t), _at(gates, t), _at(new, t))
        return h, _put(gates, gate, t), _put(new, candidate, t), _put(inner, within, t), _put(out, h, t)

    if cell == "lstm":
        carry = (start, start, _product(x, weights.kernel), empty, empty)
        *_, gates, cells, out = lax.fori_loop(0, length, lstm, carry)
        return out, (weights, x, keep, out, gates, cells)
    carry = (start, _product(x, weights.kernel[:, :both]), _product(x, weights.kernel[:, both:]), empty, empty)
    _, gates, new, inner, out = lax.fori_loop(0, length, gru, carry)
    return out, (weights, x, keep, out, gates, new, inner)


def _backward(cell: str, residual: Any, d_out: jax.Array):
    weights, x, keep, out, *kept = residual
    before = _before(out, keep)
    if cell == "lstm":
        d_gates = _lstm_backward(weights.recurrent, keep, d_out, *kept)
        d_x = _product(d_gates, weights.kernel.T)
        d_bias = d_gates.sum((0, 1))
        d_inner = d_bias[: out.shape[-1]]
        d_kernel, d_recurrent = _over_events(x, d_gates), _over_events(before, d_gates)
    else:
        d_gates, d_new, d_within = _gru_backward(weights.recurrent, keep, d_out, before, *kept)
        both = d_gates.shape[-1]
        d_x = _product(d_gates, weights.kernel[:, :both].T) + _product(d_new, weights.kernel[:, both:].T)
        d_bias = jnp.concatenate([d_gates.sum((0, 1)), d_new.sum((0, 1))])
        d_inner = d_within.sum((0, 1))
        d_kernel = jnp.concatenate([_over_events(x, d_gates), _over_events(x, d_new)], axis=1)
        d_recurrent = jnp.concatenate([_over_events(before, d_gates), _over_events(before, d_within)], axis=1)
    nothing: Any = None  # where states are forgotten is given, not learned
    return Weights(d_kernel, d_bias, d_recurrent, d_inner), d_x, nothing


states.defvjp(_forward, _backward)


def _lstm(weights: Weights, h: jax.Array, c: jax.Array, product: jax.Array):
    """(all gates, next h, next c)."""
    ones = jnp.ones_like(weights.inner)
    # All gates in one tanh: the sigmoid of y is (1 + tanh(y / 2)) / 2. One is added to what the forget gate sees.
    scale = jnp.concatenate([ones / 2, ones / 2, ones, ones / 2])
    bias = weights.bias + jnp.concatenate([weights.inner, ones, 0 * ones, 0 * ones])
    gates = scale * jnp.tanh(scale * (product + h @ weights.recurrent + bias)) + (1 - scale)
    i, f, g, o = jnp.split(gates, 4, axis=-1)
    c = f * c + i * g
    return gates, o * jnp.tanh(c), c


def _lstm_backward(recurrent, keep, d_out, gates, cells):
    """Gradient of what went into the gates [L, B, 4 * H]."""
    across = recurrent.T

    def body(carry, now):
        d_h, d_c = carry
        d_state, kept, gate, cell, cell_before = now
        i, f, g, o = jnp.split(gate, 4, axis=-1)
        d_h, seen = d_h + d_state, jnp.tanh(cell)
        d_c = d_c + d_h * o * (1 - seen * seen)
        d_i, d_f, d_g = d_c * g * i * (1 - i), d_c * cell_before * f * (1 - f), d_c * i * (1 - g * g)
        d_gate = jnp.concatenate([d_i, d_f, d_g, d_h * seen * o * (1 - o)], axis=-1)
        return (d_gate @ across * kept, d_c * f * kept), d_gate

    zero = jnp.zeros_like(d_out[0])
    now = (d_out, keep, gates, cells, _before(cells, keep))
    return lax.scan(body, (zero, zero), now, reverse=True)[1]


def _gru(weights: Weights, h: jax.Array, gates_product: jax.Array, new_product: jax.Array):
    """(reset and update gates, new, what the reset gate sees, next h)."""
    both = gates_product.shape[-1]
    seen = gates_product + h @ weights.recurrent[:, :both] + weights.bias[:both]
    gates = 0.5 + 0.5 * jnp.tanh(0.5 * seen)  # a sigmoid, faster than XLA's
    reset, update = jnp.split(gates, 2, axis=-1)
    within = h @ weights.recurrent[:, both:] + weights.inner
    new = jnp.tanh(new_product + reset * within + weights.bias[both:])
    return gates, new, within, new + update * (h - new)


def _gru_backward(recurrent, keep, d_out, before, gates, new, within):
    """Gradients of what went into the gates [L, B, 2 * H] and into new, and of what the reset gate saw [L, B, H]."""
    both = gates.shape[-1]
    across_gates, across_new = recurrent[:, :both].T, recurrent[:, both:].T

    def body(d_h, now):
        d_state, kept, h, gate, candidate, inner = now
        reset, update = jnp.split(gate, 2, axis=-1)
        d_h = d_h + d_state
        d_new = d_h * (1 - update) * (1 - candidate * candidate)
        d_within = d_new * reset
        d_update = d_h * (h - candidate) * update * (1 - update)
        d_gate = jnp.concatenate([d_new * inner * reset * (1 - reset), d_update], axis=-1)
        d_h = (d_h * update + d_gate @ across_gates + d_within @ across_new) * kept
        return d_h, (d_gate, d_new, d_within)

    now = (d_out, keep, before, gates, new, within)
    return lax.scan(body, jnp.zeros_like(d_out[0]), now, reverse=True)[1]


def _before(x: jax.Array, keep: jax.Array) -> jax.Array:
    """What the loop knew before each event: the value after the event before it, unless that was forgotten."""
    return jnp.pad(x[:-1], ((1, 0), (0, 0), (0, 0))) * keep


def _product(x: jax.Array, w: jax.Array) -> jax.Array:
    return (x.reshape(-1, x.shape[-1]) @ w).reshape(*x.shape[:2], -1)


def _over_events(x: jax.Array, y: jax.Array) -> jax.Array:
    # Two flat matrices: XLA turns a contraction over two axes into copies and a slower product.
    return x.reshape(-1, x.shape[-1]).T @ y.reshape(-1, y.shape[-1])


def _at(x: jax.Array, t: jax.Array) -> jax.Array:
    return lax.dynamic_index_in_dim(x, t, keepdims=False)


def _put(x: jax.Array, value: jax.Array, t: jax.Array) -> jax.Array:
    return lax.dynamic_update_index_in_dim(x, value, t, 0)
