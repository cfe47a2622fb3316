"""Loss of a softmax over drawn items instead of the whole catalogue, for very large ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from trajectory.training.fused_softmax_loss import TINY, SoftmaxTargets, scored

UNIFORM = 0.5  # share of the draws that comes from the catalogue and not from the events


class Drawn(NamedTuple):
    """Items drawn for one step."""

    item: jax.Array  # int32 [S], with replacement
    log_expected: jax.Array  # [S], log of how often each is expected among S draws


class Negatives(NamedTuple):
    """What items are drawn from: half of them are those of training events that are predicted, half any items alike.

    Items that are numbered domain after domain (data/store/union.py) are drawn from one domain at a time.
    """

    draws: int  # a step
    events: jax.Array  # int32 [E], items of training events, domain after domain
    log_q: jax.Array  # [V + 1], log-probability that a draw from its domain is this item
    last: jax.Array  # int32 [1 + domains], 0 and the last item of each domain
    ends: jax.Array  # int32 [1 + domains], where each domain's events end

    @classmethod
    def of(cls, draws: int, events: np.ndarray, num_items: int, last: Sequence[int] = ()) -> Negatives:
        """From the items of training events; items 1 to `num_items` can be drawn. `last` item of each domain."""
        bounds = np.array([0, *(last or (num_items,))], np.int32)
        known = np.sort(events[(events > 0) & (events <= num_items)].astype(np.int32))
        ends = np.searchsorted(known, bounds, side="right")
        count = np.bincount(known, minlength=num_items + 1)
        size = np.diff(bounds)
        q = (1 - UNIFORM) * count[1:] / np.repeat(np.maximum(np.diff(ends), 1), size) + UNIFORM / np.repeat(size, size)
        log_q = np.log(np.append(1.0, q))  # item 0 is never drawn, never used
        whole = [jnp.asarray(x, jnp.int32) for x in (known, bounds, ends)]
        return cls(draws, whole[0], jnp.asarray(log_q, jnp.float32), whole[1], whole[2])

    def draw(self, key: jax.Array, item: jax.Array | int = 1) -> Drawn:
        """The items of one step, of the domain of this item."""
        count = self.draws
        domain = jnp.searchsorted(self.last, item, side="left") - 1
        which, event, any_item = jax.random.split(key, 3)
        popular = self.events[jax.random.randint(event, (count,), self.ends[domain], self.ends[domain + 1])]
        uniform = jax.random.randint(any_item, (count,), self.last[domain] + 1, self.last[domain + 1] + 1, jnp.int32)
        item = jnp.where(jax.random.bernoulli(which, UNIFORM, (count,)), uniform, popular)
        return Drawn(item, self.log_q[item] + jnp.log(count))


def sampled_item_loss(
    targets: SoftmaxTargets, own: jax.Array, others: jax.Array, drawn: Drawn, power: float = 0.0
) -> jax.Array:
    """As item_loss, with the softmax's normaliser estimated from S items drawn for all states together.

    The sum of exp(logit) over the items other than the target is estimated by importance sampling: each draw j counts
    exp(logit_j - log(S q_j)), draws of the target nothing, and the target itself is taken exactly (logQ
    correction, Bengio & Senécal 2008; that the target must not be corrected: Khrylchenko et al. 2025). The expected
    normaliser is the true one, so with many draws this is item_loss. Costs N x S x D instead of N x V x D. `own` [N, M,
    D] and `others` [S, D] are the vectors of the targets and of the drawn items.
    """
    logits = targets.vectors @ others.T - drawn.log_expected
    logit = jnp.einsum("nd,nmd->nm", targets.vectors, own)

    def log_softmax(target: jax.Array, logit: jax.Array) -> jax.Array:  # of one target slot [N]: [N, M, S] never is
        rest = jnp.where(drawn.item == target[:, None], -jnp.inf, logits)
        return logit - jnp.logaddexp(logit, jax.nn.logsumexp(rest, axis=1))

    chosen = jax.lax.map(lambda slot: log_softmax(*slot), (targets.target.T, logit.T)).T + targets.generate[:, None]
    log_p = jnp.logaddexp(chosen, jnp.log(targets.pointed + TINY))
    return scored(log_p, targets.weight, power).sum()
