"""What a user comes to within several steps, drawn jointly from a forecast: how far its outcomes go together.

Each step brings as many items as a step drawn from the user's own history had, each drawn from the step's distribution.
So the items of a user depend on each other through the size of its baskets, and because a line that is one item is no
other. What goes together beyond that (items bought with each other, a user that differs from its forecast at all its
steps) is not in it, and neither is that a basket has no item twice, or that none comes again where seen items cannot.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from trajectory.baselines.user_item_frequency import items_by_step
from trajectory.schema import Histories, Queries


def sampled_visits(
    histories: Histories, queries: Queries, probability: np.ndarray, draws: int, seed: int
) -> Iterator[np.ndarray]:
    """For each step h, whether each column came within steps 1..h in each draw: bool [draws, n, C - 1].

    `probability` [n, H, C] are the columns' shares at each step, of items or of interests; column 0 is left out of what
    comes back, not of what is drawn.
    """
    rng = np.random.default_rng(seed)
    n, steps, columns = probability.shape
    length, _, step, _ = items_by_step(histories, queries)
    sizes = np.bincount(step, minlength=int(length.sum()))
    first = np.cumsum(length) - length
    visited = np.zeros((draws, n, columns), bool)
    for h in range(steps):
        size = sizes[first + rng.integers(length, size=(draws, n))].ravel()
        cell = np.repeat(np.arange(draws * n), size)
        # One search for all rows: each row's cumulated shares end where the next row's begin.
        upto = np.cumsum(probability[:, h].astype(np.float64), axis=1)
        upto = upto / upto[:, -1:] + np.arange(n)[:, None]
        drawn = np.searchsorted(upto.ravel(), cell % n + rng.random(len(cell)), side="right")
        visited.reshape(-1, columns)[cell, np.minimum(drawn - cell % n * columns, columns - 1)] = True
        yield visited[:, :, 1:]
