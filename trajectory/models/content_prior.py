"""What is likely before anything is learned: what is like the last events, and what is popular."""

from __future__ import annotations

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from trajectory.models.item_encoder import SHORT

KEPT = (0.3, 0.7, 0.95)  # of each trace after one more event, at first


class Prior(nn.Module):
    """Of items' F frozen features the last is the log of how popular an item is, the others are its content,
    and that of what lies beside it (`with_behaviour` in data/content/content.py).

    Content leaves fading traces, h_t = a h_(t-1) + x_t for a few decays a (linear recurrences, LRU, Orvieto et al.
    2023); their directions are summed. A few numbers are learned, so that it means the same in a domain that training
    never saw; and what it says, the network beside it need not learn: popularity above all, another in each domain.
    """

    sharpness: float  # by which cosines of content are multiplied, at first
    popularity: float  # power of an item's training events to which it is likely, at first

    def setup(self) -> None:
        start = np.log(np.array(KEPT) / (1 - np.array(KEPT)))
        self.decay = self.param("decay", lambda _: jnp.asarray(start, jnp.float32))
        first = [self.sharpness / len(KEPT)] * len(KEPT) + [self.popularity]
        self.log_share = self.param("log_share", lambda _: jnp.log(jnp.array(first)))

    def __call__(self, x: jax.Array, events: Any, place: jax.Array | None, whole: jax.Array | None = None) -> jax.Array:
        """x [B, L, F] -> its part of the states at places [B, T] of each row (None = all L), [B, T, F].

        Of traces that are a part of those of `whole` [B, L, F] the lengths of the latter count: what such parts give
        adds up to what the whole gives.
        """
        trace = self._traces(x, events, place)
        return self._weighed(trace, trace if whole is None else self._traces(whole, events, place))

    def _traces(self, x: jax.Array, events: Any, place: jax.Array | None) -> jax.Array:
        before = jnp.pad(events.segment[:, :-1], ((0, 0), (1, 0)))
        keep = jnp.where((events.segment == before)[..., None, None], jax.nn.sigmoid(self.decay)[:, None], 0.0)

        def join(
            earlier: tuple[jax.Array, jax.Array], later: tuple[jax.Array, jax.Array]
        ) -> tuple[jax.Array, jax.Array]:
            return earlier[0] * later[0], earlier[1] * later[0] + later[1]

        own = jnp.broadcast_to(x[:, :, None, :-1], (*x.shape[:2], len(KEPT), x.shape[2] - 1))
        trace = jax.lax.associative_scan(join, (keep, own), axis=1)[1]
        if place is not None:
            trace = jnp.take_along_axis(trace, place[..., None, None], axis=1)
        return trace

    def initial(self, rows: int, size: int) -> jax.Array:
        """The traces [B, K, F - 1] before any event."""
        return jnp.zeros((rows, len(KEPT), size - 1))

    def step(self, before: jax.Array, x: jax.Array, real: jax.Array) -> tuple[jax.Array, jax.Array]:
        """One event a row, or padding: x [B, F] -> (traces, their part of the states [B, F])."""
        faded = jax.nn.sigmoid(self.decay)[:, None] * before
        after = jnp.where(real[:, None, None], faded + x[:, None, :-1], before)
        return after, self._weighed(after, after)

    def _weighed(self, trace: jax.Array, whole: jax.Array) -> jax.Array:
        share = jnp.exp(self.log_share)
        length = jax.lax.rsqrt(jnp.square(whole).sum(-1, keepdims=True) + SHORT)
        like = (share[:-1, None] * length * trace).sum(-2)
        return jnp.concatenate([like, jnp.broadcast_to(share[-1], (*like.shape[:-1], 1))], -1)
