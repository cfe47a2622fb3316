"""Item vectors from co-occurrence: neighbours lie close, only training events count, nothing breaks them."""

from __future__ import annotations

import numpy as np
import pytest
from ml_collections import ConfigDict

from tests.builders import make_histories, random_histories
from trajectory.data.pipeline.splits import split
from trajectory.training.item_init import LIKENESS, first_vectors

KIND = ConfigDict({"kind": "leave_one_out"})


def _cosine(vectors):
    return vectors @ vectors.T / np.linalg.norm(vectors, axis=1) / np.linalg.norm(vectors, axis=1)[:, None]


def _two_groups(last: int = 0, users: int = 200):
    """Users buy within items 1 to 5 or within 6 to 10, and `last` as the two held-out items."""
    rng = np.random.default_rng(0)
    lists = [(rng.permutation(5) + 1 + 5 * (user % 2)).tolist() for user in range(users)]
    return split(make_histories([items + [last or items[0]] * 2 for items in lists], num_items=12), KIND)


def test_items_of_the_same_histories_lie_closer_than_others():
    cosine = _cosine(first_vectors(*_two_groups(), 4))
    same = np.arange(1, 11)[:, None] // 5.5 // 1 == np.arange(1, 11) // 5.5 // 1
    assert cosine[1:11, 1:11][same].min() > cosine[1:11, 1:11][~same].max() + 0.3


def test_held_out_events_change_nothing():
    np.testing.assert_array_equal(first_vectors(*_two_groups(11), 4), first_vectors(*_two_groups(12), 4))


@pytest.mark.parametrize("width", [4, 64])  # 64: wider than the catalogue
def test_all_vectors_have_one_length_also_of_items_without_neighbours(width):
    vectors = first_vectors(*_two_groups(), width)
    assert vectors.shape == (13, width)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 0.02 * width**0.5, rtol=1e-5)


@pytest.mark.parametrize("alike", [False, True])
def test_products_approximate_the_positive_pointwise_mutual_information_and_likeness(alike):
    histories, parts = split(random_histories(300, 12, 9), KIND)
    content = np.random.default_rng(1).standard_normal((13, 4)).astype(np.float32)
    content /= np.linalg.norm(content, axis=1, keepdims=True)
    vectors = first_vectors(histories, parts, 13, content if alike else None).astype(np.float64)
    counts = np.zeros((13, 13))
    for first, end in zip(histories.offsets[:-1], parts.train_end, strict=True):
        items = histories.item[first:end]
        for i in range(len(items)):
            for j in range(i + 1, len(items)):
                counts[items[i], items[j]] += 1 / (j - i)
                counts[items[j], items[i]] += 1 / (j - i)
    near = counts.sum(1)
    with np.errstate(divide="ignore", invalid="ignore"):
        information = np.log(counts / (near[:, None] * near**0.75 / (near**0.75).sum()))
    information = np.where(np.isfinite(information), np.maximum(information, 0), 0)
    information = (information + information.T) / 2
    np.fill_diagonal(information, 0)
    if alike:
        cosine = content @ content.T - 9 * np.eye(13)
        nearest = np.where(cosine >= np.sort(cosine, axis=1)[:, [3]], np.maximum(cosine, 0), 0)  # ten of thirteen
        information += LIKENESS * (nearest + nearest.T) / 2
    values, directions = np.linalg.eigh(information)
    whole = directions * np.sqrt(np.maximum(values, 0))
    expected = _cosine(whole[1:])
    np.testing.assert_allclose(_cosine(vectors[1:]), expected, atol=1e-3)


def test_a_log_whose_training_has_no_pairs_gets_random_vectors():
    vectors = first_vectors(*split(make_histories([[1, 2, 3], [2, 3, 1]], num_items=3), KIND), 4)
    assert np.isfinite(vectors).all()
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 0.04, rtol=1e-5)


def test_items_of_like_content_lie_close_also_where_no_history_has_them():
    histories, parts = _two_groups()
    sorts = np.zeros((13, 3), np.float32)
    sorts[1:6, 0], sorts[6:11, 1], sorts[11], sorts[12, 2] = 1, 1, [0, 1, 0], 1
    cosine = _cosine(first_vectors(histories, parts, 4, sorts))
    assert cosine[11, 6:11].min() > 0.9, "never bought, but of the sort of 6 to 10"
    assert max(cosine[11, 1:6].max(), cosine[12, 1:12].max()) < 0.5
    assert _cosine(first_vectors(histories, parts, 4))[11, 6:11].max() < 0.9


def test_what_is_nearest_does_not_depend_on_how_many_are_compared_at_a_time(monkeypatch):
    histories, parts = split(random_histories(300, 12, 9), KIND)
    content = np.random.default_rng(0).standard_normal((histories.num_items + 1, 5))
    content = (content / np.linalg.norm(content, axis=1, keepdims=True)).astype(np.float32)
    whole = first_vectors(histories, parts, 4, content)
    monkeypatch.setattr("trajectory.training.item_init.BLOCK", 40)
    np.testing.assert_allclose(first_vectors(histories, parts, 4, content), whole, atol=1e-6)
