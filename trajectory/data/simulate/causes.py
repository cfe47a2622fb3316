"""The causes planted in a synthetic log: which items they are of, where they lie, which fire.

A cause. Trigger and distractor items occur nowhere but in cue baskets: one event of the basket is a trigger, one (or
`distractors` of them) a distractor, in random order, so both are exactly as frequent (distractors so many times as
frequent) and exactly as close to whatever follows. When a trigger fires, one of the next `reach` events of the user
becomes its target. The lag is uniform and counted from the end of the trigger's basket: the target always lies in a
later basket, and no order within a basket matters. `probability_with` is the chance that the target is among these
events, by the trigger or by ordinary draws. `probability_without` is the chance by ordinary draws alone, on average
over the same occasions, and so after the distractor of the same number, which is of the same interest; the target's
share of its interest is solved to give it. (Beside several distractors it is so after these; triggers then are of rarer
interests, and their targets come by ordinary draws half as often.)
No cause disturbs another: windows of a user's cue baskets never overlap, and no target takes another target's place.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from trajectory.data.simulate.base import ranks, require
from trajectory.data.simulate.planted import Baskets, Synthetic


def roles_of(p: Synthetic) -> np.ndarray:
    """Item indices [3, causes] of triggers, distractors and targets: cause j is of interest j modulo `interests`."""
    cause = np.arange(p.causes)
    trigger = cause % p.interests * p.items_per_interest + 3 * (cause // p.interests)
    return trigger + np.arange(3)[:, None]


def table(p: Synthetic, roles: np.ndarray) -> pl.DataFrame:
    """The table of the causes' truth."""
    return pl.DataFrame(
        {
            "trigger": roles[0] + 1,
            "target": roles[2] + 1,
            "distractor": roles[1] + 1,
            "interest": p.names[np.arange(p.causes) % p.interests],
            "probability_with": np.full(p.causes, p.probability_with),
            "probability_without": np.full(p.causes, p.probability_without),
            "lag_min": np.ones(p.causes, np.int64),
            "lag_max": np.full(p.causes, p.reach),
        }
    )


def item_shares(p: Synthetic, mix: np.ndarray, roles: np.ndarray) -> np.ndarray:
    """Share of each item in the ordinary draws of its interest, [interests, items]: Zipf beside the planted items."""
    ordinary = np.ones((p.interests, p.items_per_interest), bool)
    ordinary.ravel()[roles.ravel()] = False
    shares = ordinary / np.maximum(ordinary.cumsum(axis=1), 1) ** p.zipf
    targets = np.zeros_like(shares)
    if p.causes:
        targets.ravel()[roles[2]] = _target_share(p, mix)[np.arange(p.causes) % p.interests]
    return shares / shares.sum(axis=1, keepdims=True) * (1 - targets.sum(axis=1, keepdims=True)) + targets


def _target_share(p: Synthetic, mix: np.ndarray) -> np.ndarray:
    """Share of a target in its interest, [interests], that makes `probability_without` true on average, by bisection.

    A user's triggers of an interest with mass m come at the rate m (1 - m): two events of one basket, two interests.
    """
    mass = mix[:5000, :: max(1, p.weeks // 4)].reshape(-1, p.interests).astype(np.float64)  # enough for an average
    if p.users < 500:  # too few for an average: that of the law
        mass = np.random.default_rng(0).dirichlet(np.full(p.interests, p.concentration), 2000)
    weight = mass * (1 - mass)
    weight /= np.maximum(weight.sum(axis=0), 1e-12)
    by_noise = p.noise / (p.items - 2 * p.causes)

    def chance(share: np.ndarray) -> np.ndarray:
        return (weight * (1 - (1 - (1 - p.noise) * mass * share - by_noise) ** p.reach)).sum(axis=0)

    low, high = np.zeros(p.interests), np.full(p.interests, 0.9 / p.causes_per_interest)
    lowest, highest = chance(low).max(), chance(high).min()
    require(
        lowest <= p.probability_without <= highest,
        f"probability_without={p.probability_without}: these users reach {lowest:.4f} to {highest:.4f} only",
    )
    for _ in range(40):
        middle = (low + high) / 2
        above = chance(middle) > p.probability_without
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return (low + high) / 2


@dataclass(frozen=True)
class Cues:
    """Cue baskets: flat event indices, cause numbers of trigger and distractor, which fired (only those have a lag)."""

    trigger_event: np.ndarray
    distractor_event: np.ndarray  # [distractors, cues]
    trigger: np.ndarray
    distractor: np.ndarray  # [distractors, cues]
    fired: np.ndarray
    lag: np.ndarray
    target_event: np.ndarray


def cues(
    p: Synthetic,
    baskets: Baskets,
    interest: np.ndarray,
    ordinary: np.ndarray,  # bool, events drawn from the mix
    free: np.ndarray,  # bool, events that may give way to a target
    rng: np.random.Generator,
) -> Cues:
    """At most one cue basket for each whole block of `spacing` baskets: `reach` more baskets of it always follow."""
    blocks = baskets.count // p.spacing
    first = np.repeat(np.cumsum(baskets.count) - baskets.count, blocks) + ranks(blocks) * p.spacing
    no_burst = np.diff(np.searchsorted(baskets.burst, np.stack([first, first + p.spacing])), axis=0)[0] == 0
    basket = first + rng.integers(0, p.spacing - p.reach, first.size)
    basket = basket[no_burst & (baskets.size[basket] > p.distractors)]
    size, begin = baskets.size[basket], baskets.begin[basket]
    chosen = (rng.random(size.size) * size).astype(np.int64)
    after = (rng.random(size.size) * (size - 1)).astype(np.int64)
    others = [(chosen + 1 + (after + number) % (size - 1)) % size for number in range(p.distractors)]
    cue = begin + np.stack([chosen, *others])  # different events of the basket
    causes = np.bincount(np.arange(p.causes) % p.interests, minlength=p.interests)  # of each interest
    keep = ((ordinary[cue]) & (causes[interest[cue]] > 0)).all(axis=0)
    keep &= (interest[cue[0]] != interest[cue[1:]]).all(axis=0)
    cue, end = cue[:, keep], (begin + size)[keep]
    number = (rng.random(cue.shape) * causes[interest[cue]]).astype(np.int64) * p.interests + interest[cue]
    rate = (p.probability_with - p.probability_without) / (1 - p.probability_without)  # ordinary draws do the rest
    fired = rng.random(end.size) < rate
    window = end[fired, None] + np.arange(p.reach)
    lag = 1 + np.where(free[window], rng.random(window.shape), -1).argmax(axis=1)
    return Cues(cue[0], cue[1:], number[0], number[1:], fired, lag, end[fired] + lag - 1)
