"""Teachers: what they predict is their mean probability, of training events alone, and it reaches the batches."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from ml_collections import ConfigDict

from tests.builders import NO_FEATURES, applied, initialise, make_histories, make_model, random_histories
from trajectory.data.pipeline.featurize import last_rows
from trajectory.data.pipeline.splits import split
from trajectory.run import Run
from trajectory.schema import UserError
from trajectory.settings import base
from trajectory.training import distillation, loop
from trajectory.training.experiment import Experiment

ITEMS, LENGTH, TOP_K = 30, 16, 5


def _experiment(histories, backbone: str = "gru", kind: str = "leave_one_out", **fields) -> Experiment:
    config = base(backbone)
    config.batch.rows, config.batch.length, config.batch.targets = 4, LENGTH, LENGTH
    config.distil.top_k = TOP_K
    config.distil.update(ConfigDict(fields))
    config.split.kind, config.split.steps = kind, 2
    histories, parts = split(histories, config.split)
    return Experiment(config, histories, parts, NO_FEATURES, make_model(backbone, items=ITEMS, repeat=False))


def _run(experiment: Experiment, seed: int = 0, folder: str = "") -> Run:
    params = initialise(experiment.model, experiment.training_data().plan(0).batch(0).events, seed)
    return Run.from_experiment(Path(folder or f"run{seed}"), experiment, params, 1)


@pytest.fixture
def taught(monkeypatch):
    """A function that gives the soft targets of an experiment by given runs."""

    def teach(experiment: Experiment, *runs: Run):
        monkeypatch.setattr(distillation, "load_run", {run.workdir: run for run in runs}.__getitem__)
        experiment.config.distil.teachers = ",".join(str(run.workdir) for run in runs)
        return distillation.soft_targets(experiment)

    return teach


@pytest.mark.parametrize("seen", ["filter", "keep"])
def test_it_is_the_mean_probability_of_the_teachers_after_each_training_event(taught, seen):
    histories = random_histories(8, ITEMS, 10)
    experiment = _experiment(histories, share=0.4)
    experiment.config.evaluation.seen = seen
    runs = [_run(_experiment(histories, backbone), seed) for seed, backbone in enumerate(("gru", "transformer"))]
    soft = taught(experiment, *runs)
    checked = 0
    for start, end in zip(histories.offsets[:-1], experiment.split.train_end, strict=True):
        history = histories.item[start : end - 1]
        events = last_rows(histories, NO_FEATURES, np.array([start]), np.array([end - 1]), LENGTH)
        mean = np.mean([_probabilities(run, events)[: len(history)] for run in runs], axis=0)
        for at in range(len(history)):
            if seen == "filter":
                mean[at, history[: at + 1]] = 0
            best = np.argsort(-mean[at])[:TOP_K]
            np.testing.assert_array_equal(soft.item[start + at], best)
            np.testing.assert_allclose(soft.share[start + at], 0.4 * mean[at, best] / mean[at, best].sum(), rtol=1e-4)
            checked += 1
        assert not soft.share[end - 1 : end + 2].any(), "held-out events, and the last one of training, teach nothing"
    assert checked > 20


def _probabilities(run: Run, events):
    states = applied(run.model, run.params, events, method="encode")
    return np.exp(applied(run.model, run.params, states, method="score")[0])


def test_a_target_shares_its_weight_with_what_teachers_hold_most_likely(taught):
    experiment = _experiment(random_histories(12, ITEMS, 10), share=0.4)
    soft = taught(experiment, _run(experiment))
    plan, plain = experiment.training_data(soft).plan(3), experiment.training_data().plan(3)
    for number in range(plan.num_batches):
        targets, before = plan.batch(number).targets, plain.batch(number).targets
        real = before.weight[..., 0] > 0
        np.testing.assert_array_equal(targets.item[..., :1], before.item)
        np.testing.assert_allclose(targets.weight[..., :1], 0.6 * before.weight, rtol=1e-6)
        np.testing.assert_allclose(targets.weight[real].sum(-1), 1, rtol=1e-5)
        assert not targets.weight[~real].any()
        row, column, at = plan.places(number)
        flat = np.zeros(before.position.shape, int)
        flat[row, column] = at
        there = np.take_along_axis(flat, before.position, axis=1)[real]
        np.testing.assert_array_equal(targets.item[real][:, 1:], soft.item[there])
        np.testing.assert_array_equal(targets.weight[real][:, 1:], soft.share[there])


def test_a_history_that_holds_the_whole_catalogue_is_taught_nothing(taught):
    experiment = _experiment(make_histories([[*range(1, 15), 1, 2, 3], [5, 6, 7, 8]], num_items=14), share=0.4)
    experiment = dataclasses.replace(experiment, model=make_model("gru", items=14, repeat=False))
    soft = taught(experiment, _run(experiment))
    assert np.isfinite(soft.share).all()
    assert not soft.share[13].any()
    assert soft.share[12].sum() == pytest.approx(0.4)


def test_what_cannot_be_taught_is_refused(taught):
    histories = random_histories(12, ITEMS, 10)
    experiment, run = _experiment(histories), _run(_experiment(histories))
    with pytest.raises(UserError, match="run0 was trained on other data"):
        taught(_experiment(dataclasses.replace(histories, fingerprint="1" * 64)), run)
    with pytest.raises(UserError, match="run0 was trained on another split"):
        taught(experiment, _run(_experiment(histories, kind="leave_last")))
    silent = _run(_experiment(histories))
    silent.config.heads.item = 0.0
    with pytest.raises(UserError, match="run0 has no item head"):
        taught(experiment, silent)


def test_a_run_does_not_go_on_with_teachers_that_have_changed(taught, tmp_path):
    experiment = _experiment(random_histories(12, ITEMS, 10))
    experiment.config.train.epochs, experiment.config.train.devices = 1, 1
    experiment.config.logging.wandb = experiment.config.logging.tensorboard = False
    taught(experiment, _run(experiment))
    watch = lambda params: {"validation/ndcg@10": 0.1}  # noqa: E731
    assert loop.train(experiment, tmp_path, watch)["finished"]
    assert loop.train(experiment, tmp_path, watch)["finished"], "the same teacher again"
    taught(experiment, _run(experiment, seed=1, folder="run0"))
    with pytest.raises(UserError, match=r"distil\.teachers have changed since the run in .* began"):
        loop.train(experiment, tmp_path, watch)
