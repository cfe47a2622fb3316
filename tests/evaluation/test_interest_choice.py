"""A run has one forecast of interests, the one that validation prefers, which all that it says agrees with."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

from tests.test_run import NEW, untrained
from trajectory.evaluation.interest_choice import choose, with_interest_forecast
from trajectory.evaluation.report import evaluate_run
from trajectory.run import load_run
from trajectory.schema import UserError
from trajectory.training.checkpoint import Checkpoints
from trajectory.training.interest_forecast import FILE, InterestForecast

pytestmark = pytest.mark.compiled_quickly


@pytest.fixture
def run(tmp_path):
    return load_run(untrained(tmp_path, **{"split.steps": 1, "evaluation.bootstrap": 20}))


def preferring(run, by):
    """The run's folder with an interest head that says what is most in validation ("head"), or what is least."""
    h, validation = run.experiment.histories, run.experiment.split.validation
    counts = np.bincount(h.item_interest[h.item[validation.stop]], minlength=len(h.interests) + 1).astype(np.float32)
    bias = np.log(counts + 1e-6) if by == "head" else -20 * np.log(counts + 1e-6)
    step, params = run.step, run.content_model[1]
    inner = params["params"]["interest"]
    leaves = {name: np.zeros_like(x) for name, x in inner.items()} | {"bias": bias.astype(np.float32)}
    checkpoints = Checkpoints(run.workdir)
    checkpoints.save_best(step + 1, {"params": {**params["params"], "interest": leaves}})
    checkpoints.wait()
    checkpoints.close()
    return load_run(run.workdir)


@pytest.mark.parametrize("by", ["items", "head"])
def test_validation_chooses_and_all_that_is_said_agrees(run, by):
    changed = with_interest_forecast(preferring(run, by))
    stored = json.loads((run.workdir / FILE).read_text())
    assert stored["by"] == by
    assert (stored["log_loss"]["head"] < stored["log_loss"]["items"]) == (by == "head")
    assert stored["users"] == len(run.experiment.split.validation.user)
    evaluation, _ = evaluate_run(changed)
    assert evaluation["protocol"]["interests"] == changed.interests_are
    ahead = changed.forecast(NEW, steps=2).frame.filter(level="interest", statement="at_step", step=1, rank=1)
    why = changed.explain(NEW, "interest", method="gradient_times_input")
    assert any(changed.interests_are in note for note in why.notes)
    named = why.frame.group_by("user").agg(pl.col("target").first(), pl.col("log_probability").first().exp())
    both = ahead.join(named, on="user")
    assert len(both) == 2
    assert both["id"].to_list() == both["target"].to_list()
    np.testing.assert_allclose(both["probability"], both["log_probability"], rtol=1e-4)


def test_what_was_chosen_stays_until_the_checkpoint_is_another(run, monkeypatch):
    first = with_interest_forecast(run)
    assert first is not run
    assert with_interest_forecast(first) is first
    assert choose(first) == first.interest_forecast
    (run.workdir / FILE).write_text((run.workdir / FILE).read_text().replace("step 3", "step 2"))
    again = load_run(run.workdir)
    assert again.interest_forecast == InterestForecast("items", again.checkpoint, {}, 0)
    assert "not compared with the interest head yet" in again.interests_are


def test_a_damaged_choice_is_told(run):
    with_interest_forecast(run)
    (run.workdir / FILE).write_text('{"by": 3}')
    with pytest.raises(UserError, match=r"interests\.json is damaged \(by is 3\); delete it"):
        load_run(run.workdir)
