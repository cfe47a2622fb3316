"""The item tower: item ids to vectors, and the same vectors as the output table of the tied softmax."""

from __future__ import annotations

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from trajectory.models.dense import FlatDense
from trajectory.models.dropout import Dropout, EventDropout
from trajectory.schema import CODES

# Where the table lies among the parameters of an InterestModel, and at the end of its path in any tree made from them.
TABLE = ("params", "items", "ids", "embedding")
BESIDE = ("event_type", "counts", "gap", "calendar", "features")  # inputs of an event beside its item
SHORT = 1e-12  # added to squared lengths: the vector of a filled-up row has none


class ItemTower(nn.Module):
    """A vector per item, of its id, of its content, or of both; index 0 (padding, an unknown item) is the zero vector.

    Content comes in the Flax collection "content" (see `schema.ItemContent`). Each field becomes a vector of the width,
    what is not known of an item a learned one; they are summed, each times a gate that looks at all of them (gated
    multimodal units, Arevalo et al. 2017), and the sum goes through a residual layer. Ids are added after it. Beside
    what is learned an item keeps `frozen` numbers of its content as they are (see prior.py).
    """

    num_items: int
    width: int  # of what is learned
    by_id: bool = True
    vectors: tuple[str, ...] = ()  # names of the fields that are vectors
    codes: tuple[str, ...] = ()  # names of those that are codes
    field_dropout: float = 0.0  # share of what is known that training hides
    frozen: int = 0  # numbers of the content as they are
    plain: bool = True  # a table of ids holds all of it, content comes from nowhere else

    def setup(self) -> None:
        # Standard deviation as in BERT4Rec and SASRec+: small vectors keep the first softmax close to uniform; beside
        # content they are smaller still, so that at first they do not hide it.
        init = nn.initializers.normal(0.002 if self.fields else 0.02)
        if self.by_id:
            width = self.width + self.frozen if self.plain else self.width
            self.ids = nn.Embed(self.num_items + 1, width, embedding_init=init)
        if self.fields:
            self.content = Content(self.width, self.vectors, self.codes, self.field_dropout)

    @property
    def fields(self) -> bool:
        """Whether something is learned from content."""
        return bool(self.vectors or self.codes)

    def __call__(self, item: jax.Array, train: bool = False) -> jax.Array:
        """Item indices [...] -> vectors [..., width + frozen]; `train` hides fields."""
        there = (item > 0)[..., None]
        if self.plain:
            return self.ids(item) * there
        x = self.content(item, train) if self.fields else jnp.zeros((*item.shape, self.width))
        if self.by_id:
            x += self.ids(item)
        if self.frozen:
            x = jnp.concatenate([comparable(x, 1.0), jnp.asarray(self.get_variable("content", "frozen"))[item]], -1)
        return x * there

    def table(self) -> jax.Array:
        """All vectors [V + 1, width + frozen]; row 0 is never scored."""
        if self.plain:
            return self.ids.embedding
        return self(jnp.arange(self.num_items + 1))


class Content(nn.Module):
    """The fields of items as one vector each (see `ItemTower`)."""

    width: int
    vectors: tuple[str, ...]
    codes: tuple[str, ...]
    dropout: float

    @nn.compact
    def __call__(self, item: jax.Array, train: bool) -> jax.Array:
        """Item indices [...] -> vectors [..., width]."""
        init = nn.initializers.normal(0.02)
        known, parts = [], []
        for name in self.vectors:
            field = jnp.asarray(self.get_variable("content", "vectors")[name])[item]
            known.append((field != 0).any(-1))
            parts.append(FlatDense(self.width, use_bias=False, name=f"{name}_in")(field))
        for name in self.codes:
            code = jnp.asarray(self.get_variable("content", "codes")[name])[item]
            known.append(code > 0)
            parts.append(nn.Embed(CODES, self.width, embedding_init=init, name=f"{name}_codes")(code))
        there = jnp.stack(known, -1)
        if train and self.dropout:
            there &= jax.random.uniform(self.make_rng("dropout"), there.shape) >= self.dropout
        unknown = self.param("unknown", init, (len(parts), self.width))
        fields = jnp.where(there[..., None], jnp.stack(parts, -2), unknown)
        flat = fields.reshape(*fields.shape[:-2], -1)
        gate = jax.nn.sigmoid(FlatDense(len(parts), name="gate")(flat))
        x = nn.LayerNorm(name="norm")((gate[..., None] * fields).sum(-2))
        inner = nn.gelu(FlatDense(2 * self.width, name="inner")(x))
        x += FlatDense(self.width, kernel_init=nn.initializers.zeros, name="out")(inner)
        return 0.02 * nn.LayerNorm(name="norm_out")(x)


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
    num_event_types: int
    dropout: float
    event_dropout: float

    # log(1 + seconds) of twenty years is 20.3: 32 buckets of 0.65 each span a second to twenty years.
    GAP_BUCKETS = 32
    GAP_BUCKET = 0.65

    @nn.compact
    def __call__(self, item_vectors: jax.Array, events, train: bool, apart: dict[str, jax.Array] | None = None) -> Any:
        """Item vectors [B, L, width] and the events they belong to -> event vectors [B, L, width].

        With `apart`, parts of the item vectors by name, it gives {input: its share}, the same shape each, instead: with
        "constant", the vector of an event without any input, they add up to the event vectors. The deviation that the
        normalisation divides by counts as fixed (Ali et al. 2022, XAI for Transformers, section 3.2), which makes
        shares of a sum.
        """
        init = nn.initializers.normal(0.02)
        parts = dict(apart or {}) if "item" in self.inputs else {}

        def table(rows: int, name: str) -> nn.Embed:
            return nn.Embed(rows, self.width, embedding_init=init, name=name)

        if "item" in self.inputs and apart is None:
            parts["item"] = EventDropout(self.event_dropout)(item_vectors, train)
        if "event_type" in self.inputs:
            parts["event_type"] = table(self.num_event_types + 1, "kind")(events.event_type)  # its name in checkpoints
        if "counts" in self.inputs:
            parts["counts"] = FlatDense(self.width, use_bias=False, name="counts")(events.counts)
        if "gap" in self.inputs:
            bucket = jnp.ceil(events.gap / self.GAP_BUCKET).astype(jnp.int32)
            parts["gap"] = table(self.GAP_BUCKETS, "gap")(jnp.clip(bucket, 0, self.GAP_BUCKETS - 1))
        if "calendar" in self.inputs:
            parts["calendar"] = table(25, "hour")(events.hour) + table(8, "weekday")(events.weekday)
        if "features" in self.inputs and events.features.shape[-1]:
            parts["features"] = FlatDense(self.width, name="features")(events.features)
        x = sum(parts.values(), jnp.zeros_like(item_vectors))
        # Normalised as in BERT: the small vectors that suit the tied softmax would hardly move a recurrent state.
        norm = nn.LayerNorm(name="norm")
        y = Dropout(self.dropout)(norm(x), train)
        if apart is None:
            return y
        learned = norm.variables["params"]
        factor = jax.lax.rsqrt(x.var(-1, keepdims=True) + norm.epsilon) * learned["scale"]
        shares = {name: factor * (part - part.mean(-1, keepdims=True)) for name, part in parts.items()}
        return shares | {"constant": jnp.broadcast_to(learned["bias"], x.shape)}
