"""Numbers that cannot be are refused before anything is read."""

from __future__ import annotations

import pytest

from trajectory.schema import UserError
from trajectory.settings import base
from trajectory.training import limits


@pytest.mark.parametrize("model", ["gru", "transformer", "hybrid"])
def test_the_defaults_are_within_them(model):
    limits.check(base(model))


@pytest.mark.parametrize(
    ("section", "field", "value", "words"),
    [
        ("batch", "rows", 0, "batch.rows=0: expected at least 1"),
        ("model", "width", -5, "model.width=-5: expected at least 1"),
        ("model", "layers", (), r"model.layers=\(\): expected at least one number"),
        ("model", "layers", (8, 0), r"model.layers=\(8, 0\): expected at least 1"),
        ("model", "dropout", 1.0, "model.dropout=1.0: expected at least 0 and less than 1"),
        ("model", "dropout", float("nan"), "model.dropout=nan"),
        ("optim", "learning_rate", float("inf"), "optim.learning_rate=inf"),
        ("evaluation", "cutoffs", (10, -1), "evaluation.cutoffs"),
        ("forecast", "steps", 0, "forecast.steps=0: expected at least 1"),
        ("logging", "every_steps", 0, "logging.every_steps=0"),
    ],
)
def test_what_cannot_be_is_named(section, field, value, words):
    config = base("gru")
    config[section][field] = value
    with pytest.raises(UserError, match=words):
        limits.check(config)
