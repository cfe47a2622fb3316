"""A model as a scorer: neither batch nor padding has a say; conversions are asked of the right events."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from ml_collections import ConfigDict

from tests.builders import NO_FEATURES, initialise, make_histories, make_model, random_histories
from trajectory.calibration.categorical import Calibration
from trajectory.data.pipeline.featurize import last_rows
from trajectory.data.pipeline.splits import split
from trajectory.evaluation.validation import training_queries
from trajectory.inference.direct import DirectForecaster
from trajectory.inference.new_users import whole_histories
from trajectory.inference.predictor import Predictor
from trajectory.inference.scorer import ModelScorer
from trajectory.schema import Queries


@pytest.fixture(scope="module")
def case():
    histories = random_histories(6, 30, 12, seed=3)
    model = make_model("gru", capacity=16)
    events = last_rows(histories, NO_FEATURES, histories.offsets[:-1], histories.offsets[1:], 8)
    return histories, ModelScorer(Predictor(model, initialise(model, events), histories, NO_FEATURES, 16))


def test_scores_are_those_of_the_history_alone(case):
    histories, scorer = case
    _, parts = split(histories, ConfigDict({"kind": "leave_one_out"}))
    together = np.asarray(scorer.score(parts.test).items)
    for row in range(len(parts.test.user)):
        alone = np.asarray(scorer.score(Queries(*(column[row : row + 1] for column in parts.test))).items)
        np.testing.assert_allclose(together[row, 1:], alone[0, 1:], atol=2e-5)


def test_nothing_after_the_query_is_read(case):
    histories, scorer = case
    _, parts = split(histories, ConfigDict({"kind": "leave_one_out"}))
    before = np.asarray(scorer.score(parts.validation).items)
    item = np.array(histories.item)
    for stop, end in zip(parts.validation.stop, histories.offsets[1:], strict=True):
        item[stop:end] = item[stop:end] % 30 + 1
    changed = ModelScorer(scorer.predictor.replace(histories=replace(histories, item=item)))
    np.testing.assert_array_equal(before, np.asarray(changed.score(parts.validation).items))


def test_conversions_are_read_in_pieces_as_in_one(case):
    histories, scorer = case
    start, stop = histories.offsets[:-1], histories.offsets[1:]
    whole = scorer.conversion(start, start, stop)
    assert len(whole) == histories.num_events
    # With room for all 12 events of a history, pieces of half the length see the same history.
    wide = ModelScorer(scorer.predictor.replace(length=32))
    np.testing.assert_allclose(whole, wide.conversion(start, start, stop), atol=1e-5)


def test_training_queries_ask_for_the_last_training_step():
    histories = make_histories([[1, 2, 3, 4, 5], [1, 2, 3], [1, 2]])
    _, parts = split(histories, ConfigDict({"kind": "leave_one_out"}))
    found = training_queries(histories, parts)
    np.testing.assert_array_equal(found.user, [0, 2])  # the second has one training step only
    np.testing.assert_array_equal(found.stop, [2, 9])
    np.testing.assert_array_equal(found.end, [3, 10])


def test_both_heads_are_read_of_the_model_once(case, monkeypatch):
    histories, scorer = case
    _, parts = split(histories, ConfigDict({"kind": "leave_one_out"}))
    read, events = [], Predictor.events
    monkeypatch.setattr(Predictor, "events", lambda self, *ranges: read.append(1) or events(self, *ranges))
    items, interests = scorer.score(parts.test)
    assert len(read) == 1
    assert items.shape == (len(parts.test.user), histories.num_items + 1)
    assert interests.shape == (len(parts.test.user), scorer.predictor.model.spec.data.num_interests + 1)
    for scores in (items, interests):
        np.testing.assert_allclose(np.exp(np.asarray(scores)).sum(axis=1), 1, rtol=1e-5)


def test_a_history_of_the_whole_catalogue_leaves_nothing_to_forecast():
    histories = make_histories([list(range(1, 31)), [1, 2, 3]], num_items=30)
    model = make_model("gru", capacity=16, horizon=2)
    events = last_rows(histories, NO_FEATURES, histories.offsets[:-1], histories.offsets[1:], 8)
    predictor = Predictor(model, initialise(model, events), histories, NO_FEATURES, 16, filter_seen=True)
    forecast = DirectForecaster(predictor, 2).forecast(whole_histories(histories))
    assert np.isneginf(forecast.log_probability[0]).all()
    np.testing.assert_allclose(np.exp(forecast.log_probability[1]).sum(axis=1), 1, rtol=1e-5)
    assert not np.isnan(forecast.log_interests).any()
    assert not forecast.within[0].any()
    assert np.isneginf(Calibration("temperature", 0.5).apply(forecast.log_probability[0])).all()
