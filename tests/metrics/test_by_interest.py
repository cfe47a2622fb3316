from __future__ import annotations

from dataclasses import replace

import numpy as np

from tests.builders import make_histories
from trajectory.metrics.by_interest import by_interest


def test_chances_of_items_are_summed_over_their_interests() -> None:
    histories = make_histories([[1, 2], [4, 3]], num_items=4, interests=2)
    chance = np.array([[[9, 0.1, 0.2, 0.3, 0.4], [9, 0.4, 0.3, 0.2, 0.1]]])  # column 0 is no item
    np.testing.assert_allclose(by_interest(histories, chance), [[[0, 0.4, 0.6], [0, 0.6, 0.4]]])
    none = replace(histories, interests=(), item_interest=np.zeros(5, np.int32))
    np.testing.assert_allclose(by_interest(none, chance), [[[1], [1]]])
