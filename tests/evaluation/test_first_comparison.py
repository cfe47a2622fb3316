"""What training says at its end: the best epoch, and what counting reaches on the same validation where it is cheap."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.builders import make_histories
from trajectory.baselines.next_item import baselines
from trajectory.data.pipeline import splits
from trajectory.data.pipeline.featurize import FeatureScale
from trajectory.evaluation import first_comparison
from trajectory.evaluation.protocol import measure
from trajectory.models.interest_model import InterestModel
from trajectory.settings import base
from trajectory.training.experiment import Experiment, model_spec


@pytest.fixture
def experiment(tmp_path) -> Experiment:
    config = base("gru")
    config.data.prepared_dir = str(tmp_path)
    histories, split = splits.split(
        make_histories([[1, 2, 3, 4, 5, 6], [6, 1, 2, 1, 7], [5, 1, 2, 7, 1], [3, 6, 4, 1, 2], [7, 5, 1, 3]]),
        config.split,
    )
    model = InterestModel(model_spec(config, histories.num_items, len(histories.interests), 1))
    return Experiment(config, histories, split, FeatureScale.fit(histories, split), model)


def _told(experiment: Experiment, value: float | None) -> list[str]:
    summary = {"best_epoch": 2, "epochs": 3, f"best_{experiment.config.train.monitor}": value}
    return [*first_comparison.ending(experiment, summary)]


def test_the_best_counting_rule_of_validation_is_named(experiment):
    h, s, c = experiment.histories, experiment.split, experiment.config
    results = measure({rule.name: rule for rule in baselines(h, s, c, None)}, h, s, c)
    means = {name: by_part["validation"].means() for name, by_part in results.items()}
    reached = {name: values["ndcg@10"] for name, values in means.items() if "ndcg@10" in values}
    assert len({*reached.values()}) > 2
    best = max(reached, key=lambda name: reached[name])
    first, second = _told(experiment, 0.0)
    assert first == "best epoch 2 of 3: validation ndcg@10 0.0000"
    assert (
        f"the best of {len(reached)} counting rules on the same: {best} {reached[best]:.4f} (the model is NOT" in second
    )
    assert "(the model is ahead," in _told(experiment, 1.5)[1]


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        (("train", "monitor"), "loss", "loss is of models alone"),
        (("train", "eval_users"), 2, "training validates 2 users"),
        (("heads", "horizon"), 2, "training validates the next step"),
    ],
)
def test_what_is_not_measured_alike_is_not_compared(experiment, field, value, why):
    experiment.config[field[0]][field[1]] = value
    assert why in _told(experiment, 0.5)[1]


def test_what_takes_long_is_left_to_evaluation(experiment, monkeypatch):
    monkeypatch.setattr(first_comparison, "CHEAP", 1)
    assert _told(experiment, 0.5)[1:] == [
        "not compared with counting here, as that takes long on so many users and items"
    ]


def test_a_training_without_a_judged_epoch_says_nothing(experiment):
    assert _told(replace(experiment), None) == []
