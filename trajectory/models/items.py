"""The item tower: item ids to vectors, and the same vectors as the output table of the tied softmax."""

from __future__ import annotations

import flax.linen as nn
import jax
import jax.numpy as jnp

from trajectory.models.dense import Dense
from trajectory.models.dropout import Dropout, EventDropout

# Where the table lies among the parameters of an InterestModel, and at the end of its path in any tree made from them.
TABLE = ("params", "items", "ids", "embedding")
SHORT = 1e-12  # added to squared lengths: the vector of a filled-up row has none


class ItemTower(nn.Module):
    """A vector per item; index 0 (padding, an unknown item) is the zero vector."""

    num_items: int
    width: int

    def setup(self) -> None:
        # Standard deviation as in BERT4Rec and SASRec+: small vectors keep the first softmax close to uniform.
        self.ids = nn.Embed(self.num_items + 1, self.width, embedding_init=nn.initializers.normal(0.02))

    def __call__(self, item: jax.Array) -> jax.Array:
        """Item indices [...] -> vectors [..., width]."""
        return self.ids(item) * (item > 0)[..., None]

    def table(self) -> jax.Array:
        """All vectors [V + 1, width]; row 0 is never scored."""
        return self.ids.embedding


def comparable(x: jax.Array, temperature: float) -> jax.Array:
    """Vectors [..., width] of which a product of two is what the softmax is over: their cosine / temperature.

    Temperature 0 leaves them as they are. Lengths then cannot grow to fit what training has seen often (CORE, Hou et
    al. 2022, section 3.3).
    """
    if not temperature:
        return x
    return x * jax.lax.rsqrt(temperature * (jnp.square(x).sum(-1, keepdims=True) + SHORT))


class EventEmbedding(nn.Module):
    """The vector of an event: its item plus whatever else of it the config names as input."""

    inputs: tuple[str, ...]
    width: int
    num_kinds: int
    dropout: float
    event_dropout: float

    # log(1 + seconds) of twenty years is 20.3: 32 buckets of 0.65 each span a second to twenty years.
    GAP_BUCKETS = 32
    GAP_BUCKET = 0.65

    @nn.compact
    def __call__(self, item_vectors: jax.Array, events, train: bool) -> jax.Array:
        """Item vectors [B, L, D] and the events they belong to -> event vectors [B, L, D]."""
        init = nn.initializers.normal(0.02)

        def table(rows: int, name: str) -> nn.Embed:
            return nn.Embed(rows, self.width, embedding_init=init, name=name)

        if "item" in self.inputs:
            x = EventDropout(self.event_dropout)(item_vectors, train)
        else:
            x = jnp.zeros_like(item_vectors)
        if "kind" in self.inputs:
            x += table(self.num_kinds + 1, "kind")(events.kind)
        if "counts" in self.inputs:
            x += Dense(self.width, use_bias=False, name="counts")(events.counts)
        if "gap" in self.inputs:
            bucket = jnp.ceil(events.gap / self.GAP_BUCKET).astype(jnp.int32)
            x += table(self.GAP_BUCKETS, "gap")(jnp.clip(bucket, 0, self.GAP_BUCKETS - 1))
        if "calendar" in self.inputs:
            x += table(25, "hour")(events.hour) + table(8, "weekday")(events.weekday)
        if "features" in self.inputs and events.features.shape[-1]:
            x += Dense(self.width, name="features")(events.features)
        # Normalised as in BERT: the small vectors that suit the tied softmax would hardly move a recurrent state.
        return Dropout(self.dropout)(nn.LayerNorm(name="norm")(x), train)
