"""Coverage, novelty and diversity of lists, worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from trajectory.metrics.beyond_accuracy import coverage, diversity, novelty


def test_coverage_counts_items_once_and_no_empty_slot():
    assert coverage(np.array([[1, 2], [2, 0]]), num_items=4) == 0.5


def test_novelty_is_the_mean_surprise_in_bits():
    popularity = np.array([0.0, 6.0, 0.0, 0.0])  # with one added to each of four: 7/10, 1/10
    found = novelty(np.array([[1, 2], [1, 0]]), popularity)
    assert found == pytest.approx([(-np.log2(0.7) - np.log2(0.1)) / 2, -np.log2(0.7)])


def test_diversity_is_the_share_of_pairs_of_different_interests():
    interest = np.array([0, 1, 1, 2, 0, 0])
    lists = np.array([[1, 2, 3], [1, 2, 0], [4, 5, 0], [1, 0, 0]])
    # 2 of 3 pairs; none of 1; items without an interest differ; a single item has no pair.
    np.testing.assert_allclose(diversity(lists, interest), [2 / 3, 0.0, 1.0, np.nan])
