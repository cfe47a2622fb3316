from __future__ import annotations

import numpy as np

from tests.builders import make_histories
from trajectory.inference.sampled_visits import sampled_visits
from trajectory.schema import Queries

# Baskets of 1 and of 3 items, and single ones; what comes after the first two steps does not count.
HISTORIES = make_histories([[1, 1, 2, 3, 1, 2, 3], [1, 2, 3]], steps=[[0, 1, 1, 1, 2, 2, 2], [0, 1, 2]], num_items=3)
QUERIES = Queries(*np.array([[0, 1], [0, 7], [4, 9], [7, 10]]))
CHANCE = np.array([[[0, 0.5, 0.3, 0.2], [0, 0.1, 0.9, 0]], [[0, 0.5, 0.3, 0.2], [0, 0.1, 0.9, 0]]])


def test_steps_bring_as_many_items_as_those_of_the_history_had() -> None:
    first, second = (drawn.copy() for drawn in sampled_visits(HISTORIES, QUERIES, CHANCE, 20_000, seed=0))
    assert first.shape == (20_000, 2, 3)
    none = 1 - CHANCE[0, :, 1:]
    of_baskets = (none + none**3) / 2  # one item or three, as likely
    np.testing.assert_allclose(first.mean(axis=0), 1 - np.stack([of_baskets[0], none[0]]), atol=0.015)
    np.testing.assert_allclose(second.mean(axis=0), 1 - np.stack([of_baskets.prod(0), none.prod(0)]), atol=0.015)
    assert (second >= first).all()


def test_items_of_a_user_depend_on_each_other() -> None:
    first = next(iter(sampled_visits(HISTORIES, QUERIES, CHANCE, 20_000, seed=0)))
    assert (first[:, 1].sum(axis=1) == 1).all(), "a single item is no other"
    both = (first[:, 0, 0] & first[:, 0, 2]).mean()
    three = 1 - 0.5**3 - 0.8**3 + 0.3**3
    assert abs(both - three / 2) < 0.015, "only a basket of three has two of them"
