"""What training watches does not depend on how many users are scored at once."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from ml_collections import ConfigDict

from configs import common
from tests.builders import NO_FEATURES, initialise, make_model, random_histories
from trajectory.data.rows import last_rows
from trajectory.data.splits import split
from trajectory.evaluation.scorer import ModelScorer
from trajectory.evaluation.validation import Watch


def test_loss_is_the_mean_over_queries_whatever_the_batch():
    histories = random_histories(11, 30, 12, seed=5)
    _, parts = split(histories, ConfigDict({"kind": "leave_one_out"}))
    model = make_model("gru", capacity=16)
    events = last_rows(histories, NO_FEATURES, histories.offsets[:-1], histories.offsets[1:], 8)
    params = initialise(model, events)
    config = common.base("gru")
    config.batch.length = 16
    log_p = np.asarray(ModelScorer(model, params, histories, NO_FEATURES, 16).scores(parts.validation))
    expected = -log_p[np.arange(len(log_p)), histories.item[parts.validation.stop]].mean()
    for batch in (4, 10, 11):  # 4 and 10 leave a last chunk to be filled up
        config.evaluation.batch = batch
        task = SimpleNamespace(config=config, histories=histories, split=parts, scale=NO_FEATURES, model=model)
        assert Watch(task)(params)["validation/loss"] == pytest.approx(expected, rel=1e-5)
