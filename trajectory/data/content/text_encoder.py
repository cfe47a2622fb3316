"""A pretrained sentence encoder: BERT with mean pooling (Reimers & Gurevych 2019), as all-MiniLM-L6-v2 is
(Wang et al. 2020).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

EPSILON = 1e-12  # of BERT's layer norms


class TextEncoder(nn.Module):
    """Tokens of texts to unit vectors; sizes are those of all-MiniLM-L6-v2."""

    vocabulary: int = 30522
    width: int = 384
    layers: int = 6
    heads: int = 12
    positions: int = 512

    @nn.compact
    def __call__(self, tokens: jax.Array) -> jax.Array:
        """Token ids int [B, L], 0 where there is none, to vectors float32 [B, width] of length 1."""
        there = tokens > 0
        x = nn.Embed(self.vocabulary, self.width, name="words")(tokens)
        x += nn.Embed(self.positions, self.width, name="positions")(jnp.arange(tokens.shape[1]))
        x += self.param("kind", nn.initializers.zeros, (self.width,))  # all of a text is its first sentence
        x = nn.LayerNorm(EPSILON, name="norm")(x)
        for i in range(self.layers):
            x = Layer(self.heads, name=f"layer_{i}")(x, there)
        mean = (x * there[..., None]).sum(axis=1) / jnp.maximum(there.sum(axis=1), 1)[:, None]
        return mean / jnp.linalg.norm(mean, axis=1, keepdims=True)


class Layer(nn.Module):
    """One layer of BERT: attention and a feed-forward network, each added and then normalised."""

    heads: int

    @nn.compact
    def __call__(self, x: jax.Array, there: jax.Array) -> jax.Array:
        """Vectors [B, L, D], of which only those `there` [B, L] are looked at."""
        batch, length, width = x.shape

        def part(name: str) -> jax.Array:
            return nn.Dense(width, name=name)(x).reshape(batch, length, self.heads, -1)

        attended = jax.nn.dot_product_attention(part("query"), part("key"), part("value"), mask=there[:, None, None])
        x = nn.LayerNorm(EPSILON, name="norm")(x + nn.Dense(width, name="out")(attended.reshape(x.shape)))
        inner = nn.gelu(nn.Dense(4 * width, name="inner")(x), approximate=False)
        return nn.LayerNorm(EPSILON, name="norm_out")(x + nn.Dense(width, name="outer")(inner))


def from_bert(weights: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Parameters of a `TextEncoder` from the weights of a Hugging Face BertModel, by their names there."""

    def dense(name: str) -> dict[str, np.ndarray]:
        return {"kernel": weights[f"{name}.weight"].T, "bias": weights[f"{name}.bias"]}

    def norm(name: str) -> dict[str, np.ndarray]:
        return {"scale": weights[f"{name}.weight"], "bias": weights[f"{name}.bias"]}

    params: dict[str, Any] = {
        "words": {"embedding": weights["embeddings.word_embeddings.weight"]},
        "positions": {"embedding": weights["embeddings.position_embeddings.weight"]},
        "kind": weights["embeddings.token_type_embeddings.weight"][0],
        "norm": norm("embeddings.LayerNorm"),
    }
    i = 0
    while f"encoder.layer.{i}.output.dense.weight" in weights:
        at = f"encoder.layer.{i}"
        params[f"layer_{i}"] = {
            **{name: dense(f"{at}.attention.self.{name}") for name in ("query", "key", "value")},
            "out": dense(f"{at}.attention.output.dense"),
            "norm": norm(f"{at}.attention.output.LayerNorm"),
            "inner": dense(f"{at}.intermediate.dense"),
            "outer": dense(f"{at}.output.dense"),
            "norm_out": norm(f"{at}.output.LayerNorm"),
        }
        i += 1
    return {"params": params}
