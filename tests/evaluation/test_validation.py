"""What training watches does not depend on how many users are scored at once."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from ml_collections import ConfigDict

from tests.builders import NO_FEATURES, initialise, make_model, random_histories
from trajectory.data.pipeline.featurize import last_rows
from trajectory.data.pipeline.splits import split
from trajectory.evaluation.validation import ValidationMonitor
from trajectory.inference.direct import DirectForecaster
from trajectory.inference.predictor import Predictor
from trajectory.inference.scorer import ModelScorer
from trajectory.settings import base

pytestmark = pytest.mark.compiled_quickly


def test_loss_is_the_mean_over_queries_whatever_the_batch():
    histories = random_histories(11, 30, 12, seed=5)
    _, parts = split(histories, ConfigDict({"kind": "leave_one_out"}))
    model = make_model("gru", capacity=16)
    events = last_rows(histories, NO_FEATURES, histories.offsets[:-1], histories.offsets[1:], 8)
    params = initialise(model, events)
    config = base("gru")
    config.batch.length = 16
    log_p = np.asarray(ModelScorer(Predictor(model, params, histories, NO_FEATURES, 16)).score(parts.validation).items)
    expected = -log_p[np.arange(len(log_p)), histories.item[parts.validation.stop]].mean()
    for batch in (4, 11):  # 4 leaves a last chunk to be filled up
        config.evaluation.batch = batch
        experiment = SimpleNamespace(
            config=config, histories=histories, split=parts, feature_scale=NO_FEATURES, model=model, content=None
        )
        assert ValidationMonitor(experiment)(params)["validation/loss"] == pytest.approx(expected, rel=1e-5)


def test_several_held_out_steps_are_watched_one_by_one():
    """The next step's metrics are of the first of them; ahead_... are means over them, as foretold directly."""
    histories = random_histories(9, 30, 14, seed=2)
    config = base("gru")
    config.split.kind, config.split.steps, config.heads.horizon, config.batch.length = "leave_last", 2, 3, 16
    _, parts = split(histories, config.split)
    model = make_model("gru", capacity=16, horizon=3)
    events = last_rows(histories, NO_FEATURES, histories.offsets[:-1], histories.offsets[1:], 8)
    params = initialise(model, events)
    experiment = SimpleNamespace(
        config=config, histories=histories, split=parts, feature_scale=NO_FEATURES, model=model, content=None
    )
    found = ValidationMonitor(experiment)(params)
    predictor = Predictor(model, params, histories, NO_FEATURES, 16)
    ahead = DirectForecaster(predictor, 2).forecast(parts.validation).log_probability
    rows = np.arange(len(ahead))
    surprise = [-ahead[rows, h, histories.item[parts.validation.stop + h]] for h in range(2)]
    assert found["validation/loss"] == pytest.approx(surprise[0].mean(), rel=1e-5)
    config.evaluation.seen = "keep"
    found = ValidationMonitor(experiment)(params)
    assert found["validation/ahead_log_loss"] == pytest.approx(np.mean(surprise), rel=1e-4)
