from __future__ import annotations

import numpy as np

from tests.builders import make_histories
from trajectory.baselines.user_item_frequency import PRIOR, overall_rates, shrunk_frequencies
from trajectory.schema import Queries

HISTORIES = make_histories(  # item 3 is unknown to the catalogue, item 1 comes twice in one basket
    [[1, 1, 2, 1, 3, 2], [2, 2, 1]], steps=[[0, 0, 0, 1, 2, 3], [0, 1, 2]], num_items=2
)


def test_overall_rates_are_of_training_steps() -> None:
    training = np.array([1, 1, 1, 1, 1, 0, 1, 1, 0], bool)  # five steps
    np.testing.assert_allclose(overall_rates(HISTORIES, training), [0, 3 / 6, 4 / 6])


def test_own_rates_count_steps_of_the_history_and_are_drawn_to_the_overall_ones() -> None:
    queries = Queries(*np.array([[0, 0, 1], [0, 3, 6], [5, 5, 8], [6, 6, 9]]))
    overall = np.array([0, 0.2, 0.5])
    found = shrunk_frequencies(HISTORIES, queries, overall) * (np.array([[3], [2], [2]]) + PRIOR) - PRIOR * overall
    np.testing.assert_allclose(found, [[0, 2, 1], [0, 1, 0], [0, 0, 2]], atol=1e-12)
