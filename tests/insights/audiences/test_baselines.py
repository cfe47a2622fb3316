"""The usual scores of database marketing."""

from __future__ import annotations

import numpy as np

from trajectory.insights.audiences.baselines import rfm


def test_who_came_lately_often_and_spent_most_scores_highest():
    since, frequency, spent = np.array([1.0, 30, 90, 60, 10]), np.array([9, 2, 1, 1, 5]), np.array([90, 9, 1, 2, 50])
    score = rfm(since, frequency, spent)
    assert np.floor(score[0]) == 16  # three fifths of 5, and the highest rank
    np.testing.assert_array_equal(np.argsort(-score), [0, 4, 1, 3, 2])
