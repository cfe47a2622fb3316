"""Loss of a softmax over drawn items instead of the whole catalogue, for very large ones."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from trajectory.training.item_loss import TINY, Asked, scored

UNIFORM = 0.5  # share of the draws that comes from the catalogue and not from the events


class Drawn(NamedTuple):
    """Items drawn for one step."""

    item: jax.Array  # int32 [S], with replacement
    log_expected: jax.Array  # [S], log of how often each is expected among S draws


class Negatives(NamedTuple):
    """What items are drawn from: half of them are those of training events, half are any items alike."""

    draws: int  # a step
    events: jax.Array  # int32 [E], items of training events
    log_q: jax.Array  # [V + 1], log-probability that a draw is this item

    @classmethod
    def of(cls, draws: int, events: np.ndarray, num_items: int) -> Negatives:
        """From the items of training events; items 1 to `num_items` can be drawn."""
        known = events[(events > 0) & (events <= num_items)].astype(np.int32)
        share = np.bincount(known, minlength=num_items + 1) / max(len(known), 1)
        q = (1 - UNIFORM) * share + UNIFORM / num_items
        q[0] = 1.0  # never drawn, never used
        return cls(draws, jnp.asarray(known), jnp.asarray(np.log(q), jnp.float32))

    def draw(self, key: jax.Array) -> Drawn:
        """The items of one step."""
        count = self.draws
        which, event, any_item = jax.random.split(key, 3)
        popular = self.events[jax.random.randint(event, (count,), 0, len(self.events))]
        uniform = jax.random.randint(any_item, (count,), 1, len(self.log_q), jnp.int32)
        item = jnp.where(jax.random.bernoulli(which, UNIFORM, (count,)), uniform, popular)
        return Drawn(item, self.log_q[item] + jnp.log(count))


def sampled_item_loss(asked: Asked, table: jax.Array, drawn: Drawn, power: float = 0.0) -> jax.Array:
    """As item_loss, with the softmax's normaliser estimated from S items drawn for all states together.

    The sum of exp(logit) over the items other than the target is estimated by importance sampling: each draw j counts
    exp(logit_j - log(S q_j)), draws of the target nothing, and the target itself is taken exactly (logQ
    correction, Bengio & Senécal 2008; that the target must not be corrected: Khrylchenko et al. 2025). The expected
    normaliser is the true one, so with many draws this is item_loss. Costs N x S x D instead of N x V x D.
    """
    logits = asked.vectors @ table[drawn.item].T - drawn.log_expected
    own = jnp.einsum("nd,nmd->nm", asked.vectors, table[asked.target])

    def log_softmax(target: jax.Array, logit: jax.Array) -> jax.Array:  # of one target slot [N]: [N, M, S] never is
        others = jnp.where(drawn.item == target[:, None], -jnp.inf, logits)
        return logit - jnp.logaddexp(logit, jax.nn.logsumexp(others, axis=1))

    chosen = jax.lax.map(lambda slot: log_softmax(*slot), (asked.target.T, own.T)).T + asked.generate[:, None]
    log_p = jnp.logaddexp(chosen, jnp.log(asked.pointed + TINY))
    return scored(log_p, asked.weight, power).sum()
