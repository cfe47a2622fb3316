"""The area under the ROC curve by hand, and against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from trajectory.metrics.auc import auc

OUTCOME = np.array([True, False, True, False])


@pytest.mark.parametrize(
    ("score", "area"),
    [([4, 3, 2, 1], 3 / 4), ([1, 1, 1, 1], 1 / 2), ([2, 2, 3, 1], 3.5 / 4), ([-np.inf, 0, 0, 0], 1 / 4)],
)
def test_pairs_in_order_count_and_ties_half(score: list[float], area: float) -> None:
    assert auc(OUTCOME, np.array(score)).tolist() == [pytest.approx(area)]


def test_resamples_count_rows_as_often_as_drawn() -> None:
    weights = np.array([[1, 1, 1, 1], [1, 2, 0, 1], [2, 1, 1, 1], [1, 0, 1, 0]], np.float32)
    np.testing.assert_allclose(auc(OUTCOME, np.array([2.0, 3.0, 4.0, 1.0]), weights), [3 / 4, 1 / 3, 2 / 3, np.nan])


def test_of_nothing_there_is_no_area() -> None:
    assert np.isnan(auc(np.zeros(0, bool), np.zeros(0))).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
def test_it_is_scikit_learns(dtype: type) -> None:
    rng = np.random.default_rng(0)
    outcome, score = rng.random(300) < 0.3, rng.normal(size=300).round(1).astype(dtype)  # many ties
    weights = rng.integers(0, 4, (7, 300))
    assert auc(outcome, score)[0] == pytest.approx(roc_auc_score(outcome, score), abs=1e-12)
    want = [roc_auc_score(outcome, score, sample_weight=row) for row in weights]
    np.testing.assert_allclose(auc(outcome, score, weights), want, rtol=1e-12)
