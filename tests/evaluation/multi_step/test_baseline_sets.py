from __future__ import annotations

import numpy as np
import pytest
from ml_collections import ConfigDict

from tests.builders import make_histories
from trajectory.baselines.multi_step import Calibrated, multi_step_baselines
from trajectory.data.pipeline.splits import split
from trajectory.evaluation.multi_step.baseline_sets import baseline_sets
from trajectory.settings import base

STEPS, ITEMS = 2, 8


def test_sets_of_baselines_cover_and_are_smaller_the_more_a_baseline_knows() -> None:
    rng = np.random.default_rng(0)
    own = rng.integers(1, ITEMS + 1, 600)  # nine of ten events of a user are of one item
    lists = [np.where(rng.random(16) < 0.95, item, rng.integers(1, ITEMS + 1, 16)).tolist() for item in own]
    histories, parts = split(make_histories(lists, num_items=ITEMS), ConfigDict({"kind": "leave_last", "steps": STEPS}))
    config = base()
    config.evaluation.seen = "keep"
    floors = {
        floor.name: Calibrated(floor).fit(histories, parts.validation, config.evaluation)
        for floor in multi_step_baselines(histories, parts, config, STEPS)
    }
    found = baseline_sets(floors, ["popularity", "personal_frequency"], histories, parts, seed=0)
    assert [sets["baseline"] for sets in found] == ["popularity", "personal_frequency"]
    for sets in found:
        assert sets["coverage"] > 0.87
        assert sets["n"] == 600
    assert found[0]["mean_size"] == pytest.approx(0.9 * ITEMS, abs=1)
    assert found[1]["mean_size"] < 1.5
