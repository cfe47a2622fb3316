"""Which items lie near each other in histories: the counts behind a baseline, first item vectors, and the prior."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from trajectory.data.pipeline.splits import training_events
from trajectory.schema import Histories, Split

LONGEST = 10  # events between two items that count as neighbours


def training_pairs(histories: Histories, split: Split) -> sparse.csr_matrix:
    """Co-occurrence of the catalogue's items in training events at most LONGEST apart, both directions added."""
    index = np.flatnonzero(training_events(histories, split))
    index = index[(histories.item[index] > 0) & (histories.item[index] <= histories.num_items)]
    user = np.searchsorted(histories.offsets, index, side="right") - 1
    forward = co_occurrence(histories, user, index, LONGEST)
    return forward + forward.T.tocsr()


def co_occurrence(
    histories: Histories,
    user: np.ndarray,
    index: np.ndarray,
    longest: int,
    before: np.ndarray | None = None,
    after: np.ndarray | None = None,
) -> sparse.csr_matrix:
    """Entry [a, b] of the matrix [V + 1, V + 1]: the sum of 1 / d over all a that lie d steps before a b.

    `index`: flat indices of the events that count, `user` of each; both in order, items within the catalogue. Pairs
    more than `longest` events apart do not count: all pairs would be quadratic in the length. Within a step d = 1, and
    both directions get a half. Of a pair the first event has to be one of `before`, the second one of `after` (bool,
    as `index`; all are by default).
    """
    item, step, width = histories.item[index], histories.step[index], histories.num_items + 1
    every = np.ones(len(index), bool)
    before, after = (every if which is None else which for which in (before, after))
    parts = [sparse.csr_matrix((width, width))]
    for distance in range(1, longest + 1):
        pair = np.flatnonzero(user[distance:] == user[:-distance])
        if not len(pair):
            break
        first, second = item[pair], item[pair + distance]
        steps = step[pair + distance] - step[pair]
        weight = np.where(steps > 0, 1 / np.maximum(steps, 1), 0.5)
        same = (steps == 0) & before[pair + distance] & after[pair]
        ordered = before[pair] & after[pair + distance]
        rows, columns = np.append(first[ordered], second[same]), np.append(second[ordered], first[same])
        values = np.append(weight[ordered], weight[same])
        parts.append(sparse.csr_matrix((values, (rows, columns)), (width, width)))
        while len(parts) > 1 and 2 * parts[-1].nnz >= parts[-2].nnz:  # like sizes: each entry is copied log times
            parts.append(parts.pop() + parts.pop())
    return sum(parts[1:], parts[0])
