"""EASE against its definition: the best linear model of each item from the others."""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import Ridge

from tests.builders import make_histories
from trajectory.baselines import ease
from trajectory.baselines.ease import Ease
from trajectory.inference.new_users import whole_histories
from trajectory.schema import Split


def fitted(lists, **options):
    histories = make_histories(lists, **options)
    queries = whole_histories(histories)
    return Ease().fit(histories, Split("made_up", histories.offsets[1:], queries, queries, "")), queries


def test_weights_are_the_ridge_regressions_of_each_item_on_the_others(monkeypatch):
    monkeypatch.setattr(ease, "PENALTY", 2.0)
    baseline, _ = fitted([[1, 2], [1, 2, 3], [2, 3], [1, 4], [4, 4, 3]])
    x = np.array([[1, 1, 0, 0], [1, 1, 1, 0], [0, 1, 1, 0], [1, 0, 0, 1], [0, 0, 1, 1]], float)
    for item in range(4):
        others = np.delete(np.arange(4), item)
        ridge = Ridge(2.0, fit_intercept=False).fit(x[:, others], x[:, item])
        np.testing.assert_allclose(baseline.weight[1:, 1:][others, item], ridge.coef_, rtol=1e-5)
        assert baseline.weight[item + 1, item + 1] == 0


def test_scores_add_up_the_weights_of_the_distinct_items_of_a_history():
    baseline, queries = fitted([[1, 2, 2], [1, 2, 3], [2, 3], [1, 3]])
    np.testing.assert_allclose(baseline.scores(queries)[0], baseline.weight[1] + baseline.weight[2], rtol=1e-6)
