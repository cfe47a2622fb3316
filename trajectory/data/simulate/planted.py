"""What is planted into a synthetic log, and its baskets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trajectory.data.simulate.base import at_least, require, shares
from trajectory.data.simulate.mixes import Mixing
from trajectory.schema import STANDARD_EVENT_TYPES


@dataclass(frozen=True)
class Synthetic(Mixing):
    """What is planted beside migrations and seasons; raises UserError where the numbers contradict each other."""

    baskets: float = 60.0  # baskets of a user over the whole log, mean of a Poisson law (at least 1)
    basket_size: int = 5  # events of a basket: uniform from 1 to this; a burst has exactly this many
    items_per_interest: int = 50
    zipf: float = 1.0  # exponent of an item's share by its rank within the interest
    bursting: float = 0.2  # share of users with one burst
    repeating: float = 0.0  # share of events whose interest is that of an event of the user's basket before
    noise: float = 0.1  # share of events outside bursts (before a few give way to targets)
    causes: int = 30  # triggers; each has one target and one distractor, all three of one interest
    probability_with: float = 0.6  # that the target is among the next `reach` events after its trigger's basket
    probability_without: float = 0.02  # the same without the trigger
    reach: int = 5  # events
    distractors: int = 1  # in a trigger's basket, which must have that many other events
    spacing: int = 8  # baskets of a block; a block has at most one cue basket
    event_types: tuple[str, ...] = STANDARD_EVENT_TYPES  # of an event, drawn independently of all else
    event_type_shares: tuple[float, ...] = (0.6, 0.2, 0.1, 0.03, 0.07)  # of events, sums to 1

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(self, 1, "basket_size", "items_per_interest", "reach", "distractors")
        shares(self, "bursting", "repeating", "noise")
        require(self.baskets > 0, f"baskets={self.baskets}: expected more than 0")
        require(
            0 <= self.probability_without < self.probability_with <= 1,
            f"expected 0 <= probability_without < probability_with <= 1, "
            f"got {self.probability_without} and {self.probability_with}",
        )
        require(
            self.distractors < max(self.basket_size, 2),
            f"distractors={self.distractors}: expected fewer than basket_size={self.basket_size}",
        )
        require(self.spacing > self.reach, f"spacing={self.spacing}: expected more than reach={self.reach}")
        require(
            self.causes >= 0 and 3 * self.causes_per_interest < self.items_per_interest,
            f"causes={self.causes}: expected fewer, {self.items_per_interest} items of an interest must hold "
            "3 items a cause and an ordinary one",
        )
        require(
            len(self.event_types) == len(self.event_type_shares) and bool(np.isclose(sum(self.event_type_shares), 1)),
            f"event_type_shares={self.event_type_shares}: expected "
            f"one share for each of {len(self.event_types)} event types, sum 1",
        )

    @property
    def causes_per_interest(self) -> int:
        """Causes of an interest, at most."""
        return -(-self.causes // self.interests)

    @property
    def items(self) -> int:
        """Size of the catalogue."""
        return self.interests * self.items_per_interest


@dataclass(frozen=True)
class Baskets:
    """All baskets by user and time, and which of them are bursts."""

    count: np.ndarray  # [users], baskets of each user
    user: np.ndarray  # [baskets]
    second: np.ndarray  # [baskets], since START
    size: np.ndarray  # [baskets], events
    begin: np.ndarray  # [baskets], flat index of the first event
    burst: np.ndarray  # [bursts], flat index of a basket
    burst_interest: np.ndarray  # [bursts]
