"""Items that add up to the interests of the interest head: a run has one forecast of interests, whichever is better.

By itself the item head is summed over the items of each interest (bottom-up), and the interest head is only learned
with. Where the interest head forecasts better, items are scaled to it: P(item) = P(interest) P(item | interest), the
first from the interest head, the second from the item head. So sums of items, paths, and explanations say the same of
interests in either case, and the log-loss of items gains what that of interests does (top-down and bottom-up
reconciliation, Athanasopoulos et al. 2009).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

if TYPE_CHECKING:
    from trajectory.models.interest_model import InterestModel

CATALOGUE, ITEM_INTEREST = "catalogue", "item_interest"  # a collection of variables, and what is in it
EPSILON = 1e-30


def log_sums(log_p: jax.Array, item_interest: jax.Array, interests: int) -> jax.Array:
    """Log-probabilities of items [..., V + 1] summed over those of each interest, [..., K + 1].

    `item_interest` int [V + 1] of each item.
    """
    flat = jnp.exp(log_p).reshape(-1, log_p.shape[-1])
    sums = jax.ops.segment_sum(flat.T, item_interest, interests + 1).T
    return jnp.log(sums + EPSILON).reshape(*log_p.shape[:-1], -1)


def scaled_to(log_interests: jax.Array, log_p: jax.Array, item_interest: jax.Array) -> jax.Array:
    """Log-probabilities of items [..., V + 1] scaled so that they add up to `log_interests` [..., K + 1].

    What these give to interests without an item goes to all others in proportion.
    """
    summed = log_sums(log_p, item_interest, log_interests.shape[-1] - 1)
    return jax.nn.log_softmax(log_p + (log_interests - summed)[..., item_interest], axis=-1)


def with_interest_head(model: InterestModel, params: Any, item_interest: np.ndarray) -> tuple[InterestModel, Any]:
    """The model whose items add up to its interest head, and its parameters."""
    heads = replace(model.spec.heads, top_down=True)
    catalogue = {CATALOGUE: {ITEM_INTEREST: np.asarray(item_interest, np.int32)}}
    return type(model)(replace(model.spec, heads=heads)), {**params, **catalogue}
