"""The loop in one process: patience, resumption, order of initialisation, refusals, divergence, one trace."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import signal
from pathlib import Path

import jax
import numpy as np
import pytest

from tests.builders import NO_FEATURES, changed, make_histories, make_model
from trajectory.data.pipeline.splits import split
from trajectory.schema import UserError
from trajectory.settings import base, put
from trajectory.training import logging, loop, optimizer
from trajectory.training.checkpoint import Checkpoints
from trajectory.training.experiment import Experiment, load_config, save_config
from trajectory.training.item_init import first_vectors
from trajectory.training.parallel import Parallel
from trajectory.training.train_step import initial_state

BATCHES = 4  # of an epoch


def _experiment(fingerprint: str = "0" * 64, **changes) -> Experiment:
    """A small experiment; `changes` of its config by dotted name, with __ for the dot."""
    # One history fills one row of 16, so every epoch has the same number of batches.
    lists = np.random.default_rng(0).integers(1, 21, (4 * BATCHES, 18)).tolist()
    histories = dataclasses.replace(make_histories(lists, num_items=20), fingerprint=fingerprint)
    config = base("gru")
    config.name, config.model.width = "made_up", 8
    config.batch.rows, config.batch.length, config.batch.targets = 4, 16, 16
    config.train.epochs, config.train.devices = 2, 1
    config.optim.warmup_steps, config.optim.learning_rate = 2, 0.01
    config.logging.wandb = config.logging.tensorboard = False
    for name, value in changes.items():
        config.update_from_flattened_dict({name.replace("__", "."): value})
    histories, parts = split(histories, config.split)
    model = make_model("gru", items=20, width=8, repeat=False)
    model = changed(model, layers=(8,), inputs=("item",), interest=False, conversion=False)
    return Experiment(config, histories, parts, NO_FEATURES, model)


class Scripted:
    """Stands for the evaluation room: one given metric an epoch; keeps the parameters it was shown."""

    def __init__(self, *values: float, stop_at: int = 0) -> None:
        self.values, self.stop_at, self.seen = list(values) or [0.1, 0.2, 0.3], stop_at, []

    def __call__(self, params) -> dict[str, float]:
        self.seen.append(params)
        if len(self.seen) == self.stop_at:
            os.kill(os.getpid(), signal.SIGTERM)
        return {"validation/ndcg@10": self.values[len(self.seen) - 1], "validation/loss": 1.0, "train/loss": 1.0}


def _newest(experiment: Experiment, workdir: Path):
    tx = optimizer.optimiser(experiment.config.optim, 100)
    batch = experiment.training_data().plan(0).batch(0)
    shapes = jax.eval_shape(lambda: initial_state(experiment.model, tx, batch, 0))
    checkpoints = Checkpoints(workdir, read_only=True)
    found = checkpoints.restore(jax.tree.map(lambda x: np.zeros(x.shape, x.dtype), shapes))
    checkpoints.close()
    return found[:2]


def _best(workdir: Path):
    checkpoints = Checkpoints(workdir, read_only=True)
    found = checkpoints.restore_best()
    checkpoints.close()
    return found


def _assert_equal(a, b) -> None:
    for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        assert np.asarray(x).tobytes() == np.asarray(y).tobytes()


def _files(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture
def built(monkeypatch) -> list[Parallel]:
    """Every Parallel that a run makes."""
    made = []

    class Seen(Parallel):
        def __init__(self, *args) -> None:
            super().__init__(*args)
            made.append(self)

    monkeypatch.setattr(loop.parallel, "Parallel", Seen)
    return made


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    """A run of two epochs; read only."""
    workdir = tmp_path_factory.mktemp("finished")
    loop.train(_experiment(), workdir, Scripted(0.2, 0.1))
    return workdir


@pytest.fixture
def copy(finished, tmp_path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "copy"))


def test_epochs_are_raised_to_the_steps_that_are_needed_and_the_warm_up_is_within_them(tmp_path, capsys):
    config = _experiment(train__min_steps=3 * BATCHES, optim__warmup_steps=100)
    assert loop.train(config, tmp_path, Scripted())["epochs"] == 3
    said = capsys.readouterr().out
    assert "train.epochs = 3  (train.min_steps=12" in said
    assert "optim.warmup_steps = 2  (at most 20% of 12 steps)" in said
    stored = json.loads((tmp_path / "config.json").read_text())
    assert (stored["train"]["epochs"], stored["optim"]["warmup_steps"]) == (3, 2)


def test_a_warm_up_that_was_not_written_down_is_no_other_config(copy):
    config = load_config(copy / "config.json")
    assert config.optim.warmup_steps == 1, "a fifth of 8 steps"
    put(config, "optim.warmup_steps", 100)
    save_config(config, copy / "config.json")
    assert loop.train(_experiment(train__epochs=3), copy, Scripted(0.3))["finished"]
    assert load_config(copy / "config.json").optim.warmup_steps == 2
    by_hand = _experiment(by_hand=("optim.warmup_steps",), optim__warmup_steps=3)
    with pytest.raises(UserError, match=r"differs in optim\.warmup_steps \(2 there, 3 here\)"):
        loop.train(by_hand, copy, Scripted())


def test_patience_ends_the_run_and_the_best_parameters_stay(tmp_path, built):
    watch = Scripted(0.1, 0.3, 0.2, 0.3, 0.9)
    summary = loop.train(_experiment(train__epochs=9, train__patience_epochs=2), tmp_path, watch)
    assert summary["finished"]
    assert (summary["epochs"], summary["best_epoch"], summary["best_ndcg@10"]) == (4, 2, 0.3)
    step, best = _best(tmp_path)
    assert step == 2 * BATCHES
    _assert_equal(best, watch.seen[1])
    assert [parallel.traces for parallel in built] == [1]


def test_a_loss_is_better_when_smaller(tmp_path):
    class Losses(Scripted):
        def __call__(self, params) -> dict[str, float]:
            return {"validation/loss": super().__call__(params)["validation/ndcg@10"]}

    summary = loop.train(_experiment(train__monitor="loss", train__epochs=3), tmp_path, Losses(0.3, 0.1, 0.2))
    assert (summary["best_epoch"], summary["best_loss"]) == (2, 0.1)


def test_a_finished_training_says_what_it_is_in_its_folder(finished):
    text = (finished / "README.md").read_text()
    assert "Finished after 2 of at most 2 epochs" in text
    assert "Best epoch, the one that is used: 1, with ndcg@10 0.2000 on validation." in text


def test_the_learning_rate_is_logged_with_each_step(finished, tmp_path):
    config = _experiment(
        logging__every_steps=1, optim__warmup_steps=4, optim__schedule="cosine", by_hand=("optim.warmup_steps",)
    )
    loop.train(config, tmp_path, Scripted(0.2, 0.1))
    steps = [r for r in logging.read(tmp_path / "metrics.jsonl") if "train/step_loss" in r]
    rate = optimizer.schedule(config.config.optim, 2 * BATCHES)
    assert [r["train/learning_rate"] for r in steps] == pytest.approx([float(rate(n)) for n in range(2 * BATCHES)])
    assert steps[0]["train/learning_rate"] == 0


def test_any_loss_is_better_when_smaller(tmp_path):
    experiment = _experiment(train__monitor="log_loss", train__epochs=3)
    values = iter([0.5, 0.3, 0.4])
    summary = loop.train(experiment, tmp_path, lambda params: {"validation/log_loss": next(values)})
    assert summary["best_log_loss"] == 0.3
    assert summary["best_epoch"] == 2


def test_what_is_refused_leaves_no_folder(tmp_path):
    with pytest.raises(UserError, match=r"train\.devices=99"):
        loop.train(_experiment(train__devices=99), tmp_path / "run", Scripted())
    assert not (tmp_path / "run").exists()


def test_a_run_from_before_a_field_existed_opens_with_its_default(tmp_path):
    save_config(base("gru"), tmp_path / "config.json")
    stored = json.loads((tmp_path / "config.json").read_text())
    del stored["batch"]["basket_power"]
    stored["batch"]["rows"] = 6
    (tmp_path / "config.json").write_text(json.dumps(stored))
    config = load_config(tmp_path / "config.json")
    assert config.batch.rows == 6
    assert config.batch.basket_power == base().batch.basket_power


def test_patience_goes_on_counting_after_a_stop(tmp_path, built):
    experiment = _experiment(train__epochs=9, train__patience_epochs=2)
    summary = loop.train(experiment, tmp_path, Scripted(0.1, 0.3, 0.2, stop_at=3))
    assert not summary["finished"]
    assert summary["epochs"] == 3
    summary = loop.train(experiment, tmp_path, Scripted(0.2, 0.2))
    assert summary["finished"]
    assert (summary["epochs"], summary["best_epoch"], summary["best_ndcg@10"]) == (4, 2, 0.3)
    assert _best(tmp_path)[0] == 2 * BATCHES
    assert [parallel.traces for parallel in built] == [1, 1]


@pytest.mark.parametrize("at", [1, BATCHES, BATCHES + 2])
def test_a_stop_at_any_step_changes_nothing(at, finished, tmp_path, monkeypatch, capsys):
    class Stopping(Parallel):
        def step(self, state, batch):
            state, metrics = super().step(state, batch)
            if int(state.step) == at:
                os.kill(os.getpid(), signal.SIGTERM)
            return state, metrics

    with monkeypatch.context() as patch:
        patch.setattr(loop.parallel, "Parallel", Stopping)
        assert not loop.train(_experiment(), tmp_path, Scripted(0.2, 0.1))["finished"]
    captured = capsys.readouterr()
    assert f"stopped by a signal at step {at}, saved; the same command goes on from here" in captured.out
    assert loop.train(_experiment(), tmp_path, Scripted(*[0.2, 0.1][at // BATCHES :]))["finished"]
    assert f"; from own workdir, step {at}\n" in capsys.readouterr().out
    (state, progress), (expected, expected_progress) = (
        _newest(_experiment(), tmp_path),
        _newest(_experiment(), finished),
    )
    _assert_equal(state, expected)
    assert progress == expected_progress
    records, wanted = (logging.read(folder / "metrics.jsonl") for folder in (tmp_path, finished))
    assert [(r["step"], r["epoch"]) for r in records] == [(r["step"], r["epoch"]) for r in wanted]


def test_a_finished_run_started_again_changes_nothing_but_may_be_prolonged(copy, finished, capsys):
    watch = Scripted()
    summary = loop.train(_experiment(), copy, watch)
    assert not watch.seen
    assert summary == json.loads((finished / "training.json").read_text())
    assert 0 < summary["input_share"] < 1
    assert summary["seconds_per_epoch"] > 0
    assert (copy / "metrics.jsonl").read_bytes() == (finished / "metrics.jsonl").read_bytes()
    assert loop.train(_experiment(train__epochs=3), copy, Scripted(0.3))["best_epoch"] == 3
    assert f"; from own workdir, step {2 * BATCHES}\n" in capsys.readouterr().out


# Of Orbax and TensorStore, see test_checkpoint.py.
@pytest.mark.filterwarnings("ignore:Exception ignored in. None:pytest.PytestUnraisableExceptionWarning")
def test_the_newest_damaged_checkpoint_costs_an_epoch_only(copy, finished, capsys):
    for path in (copy / "checkpoints" / "last" / str(2 * BATCHES) / "state").rglob("*"):
        if path.is_file():
            path.write_bytes(b"")
    loop.train(_experiment(), copy, Scripted(0.1))
    said = capsys.readouterr().out
    assert f"checkpoint {2 * BATCHES} is damaged and is not used" in said
    assert f"; from own workdir, step {BATCHES}\n" in said
    _assert_equal(_newest(_experiment(), copy), _newest(_experiment(), finished))
    records = logging.read(copy / "metrics.jsonl")
    assert [r["step"] for r in records if "validation/loss" in r] == [BATCHES, 2 * BATCHES]


def test_initialisation_comes_from_own_workdir_then_resume_from_then_init_from_then_scratch(finished, tmp_path, capsys):
    before = _files(finished)

    def origin(folder: str, **options: str) -> str:
        experiment = _experiment(train__epochs=1, **{f"init__{name}": str(path) for name, path in options.items()})
        loop.train(experiment, tmp_path / folder, Scripted(0.15, 0.15))
        return capsys.readouterr().out.rpartition("; from ")[2].splitlines()[0]

    assert origin("a") == "scratch"
    assert origin("b", init_from=finished) == f"init_from {finished}"
    assert origin("c", init_from=finished, resume_from=finished) == f"resume_from {finished}, step {2 * BATCHES}"
    assert origin("b", init_from=finished) == f"own workdir, step {BATCHES}"
    # All of the other run is taken over, its best parameters too; and nothing of its folder was changed.
    _assert_equal(_best(tmp_path / "c"), _best(finished))
    assert _files(finished) == before


def test_resume_from_goes_on_as_the_other_run_would(finished, tmp_path):
    experiment = _experiment(train__epochs=3, init__resume_from=str(finished))
    summary = loop.train(experiment, tmp_path / "there", Scripted(0.1))
    own = Path(shutil.copytree(finished, tmp_path / "own"))
    loop.train(_experiment(train__epochs=3), own, Scripted(0.1))
    _assert_equal(_newest(experiment, tmp_path / "there"), _newest(experiment, own))
    assert summary["best_epoch"] == 1
    _assert_equal(_best(tmp_path / "there"), _best(finished))


def test_init_from_starts_with_the_best_parameters(finished, tmp_path, capsys):
    experiment = _experiment(train__epochs=0, init__init_from=str(finished))
    loop.train(experiment, tmp_path, Scripted(0.1))
    assert "  missing there (0): -\n  unexpected there (0): -\n  of another shape (0): -\n" in capsys.readouterr().out
    _assert_equal(_newest(experiment, tmp_path)[0].params, _best(finished)[1])


def test_what_was_taken_over_stays_the_best_unless_training_finds_better(finished, tmp_path):
    taken = _best(finished)[1]
    experiment = _experiment(train__epochs=2, init__init_from=str(finished))
    summary = loop.train(experiment, tmp_path / "worse", Scripted(0.3, 0.1, 0.2))
    assert (summary["best_epoch"], summary["epochs"], summary["best_ndcg@10"]) == (0, 2, 0.3)
    _assert_equal(_best(tmp_path / "worse"), (0, taken))
    assert loop.train(experiment, tmp_path / "better", Scripted(0.1, 0.1, 0.2))["best_epoch"] == 2
    # A run of no epochs is that model as it is, and can be opened.
    assert loop.train(_experiment(train__epochs=0, init__init_from=str(finished)), tmp_path / "none", Scripted(0.1))[
        "finished"
    ]
    _assert_equal(_best(tmp_path / "none"), (0, taken))


def test_an_average_is_what_is_watched_and_kept_and_starts_with_the_given_parameters(finished, tmp_path):
    experiment = _experiment(train__epochs=0, init__init_from=str(finished), optim__average=0.5)
    loop.train(experiment, tmp_path / "start", Scripted(0.1))
    _assert_equal(_newest(experiment, tmp_path / "start")[0].opt_state.average, _best(finished)[1])
    experiment = _experiment(train__epochs=1, optim__average=0.5)
    loop.train(experiment, tmp_path / "own", Scripted(0.1))
    newest = _newest(experiment, tmp_path / "own")[0]
    _assert_equal(_best(tmp_path / "own")[1], newest.opt_state.average)
    with pytest.raises(AssertionError):
        _assert_equal(newest.params, newest.opt_state.average)


def test_item_vectors_may_begin_with_those_of_co_occurrence(tmp_path):
    still = {"train__epochs": 1, "optim__learning_rate": 0.0}
    experiment = _experiment(init__item_vectors="co_occurrence", optim__average=0.5, **still)
    loop.train(experiment, tmp_path / "run", Scripted())
    state, expected = _newest(experiment, tmp_path / "run")[0], first_vectors(experiment.histories, experiment.split, 8)
    for params in (state.params, state.opt_state.average):
        np.testing.assert_array_equal(params["params"]["items"]["ids"]["embedding"], expected)
    assert np.abs(state.params["params"]["event"]["norm"]["scale"] - 1).max() == 0, "the rest is as from scratch"


def test_a_sampled_softmax_estimates_the_full_one(finished, tmp_path):
    first = [logging.read(finished / "metrics.jsonl")[0]["train/step_loss"]]
    for name, count in (("some", 4), ("many", 4000)):
        loop.train(_experiment(train__negatives=count, train__epochs=1), tmp_path / name, Scripted())
        first.append(logging.read(tmp_path / name / "metrics.jsonl")[0]["train/step_loss"])
    full, some, many = first
    assert some != full
    assert many == pytest.approx(full, abs=0.02)


def test_smoothing_reaches_the_step(finished, tmp_path):
    loop.train(_experiment(train__smoothing=0.5, train__epochs=1), tmp_path / "smooth", Scripted())
    plain, smooth = (logging.read(d / "metrics.jsonl")[0]["train/step_loss"] for d in (finished, tmp_path / "smooth"))
    assert abs(plain - smooth) > 1e-4


def test_power_reaches_the_step(finished, tmp_path):
    loop.train(_experiment(train__pseudospherical_order=0.5, train__epochs=1), tmp_path / "power", Scripted())
    plain, power = (logging.read(d / "metrics.jsonl")[0]["train/step_loss"] for d in (finished, tmp_path / "power"))
    assert 0 < power < 2 < plain, "(1 - p ** 0.5) / 0.5 is below 2"


def test_folders_that_do_not_fit_are_refused(finished, tmp_path):
    before = _files(finished)

    def refused(match: str, folder: Path = finished, **changes) -> None:
        with pytest.raises(UserError, match=match):
            loop.train(_experiment(**changes), folder, Scripted())

    refused(r"another config; it differs in model\.dropout \(0\.2 there, 0\.5 here\)", model__dropout=0.5)
    refused(r"differs in batch\.rows \(4 there, 2 here\), optim\.b2 ", batch__rows=2, optim__b2=0.9)
    refused("the program that reads it has changed since", fingerprint="1" * 64)
    new = tmp_path / "new"
    refused(
        r"another config; it differs in model\.width \(8 there", new, model__width=16, init__resume_from=str(finished)
    )
    shutil.rmtree(new)
    refused("the program that reads it has changed since", new, fingerprint="1" * 64, init__resume_from=str(finished))
    shutil.rmtree(new)
    refused("is not a run: it has no checkpoints", new, init__resume_from=str(tmp_path))
    shutil.rmtree(new)
    refused("is not a run: it has no checkpoints", new, init__init_from=str(tmp_path / "nowhere"))
    assert _files(finished) == before


def test_a_cosine_run_cannot_be_prolonged(copy):
    save_config(_experiment(optim__schedule="cosine").config, copy / "config.json")
    with pytest.raises(UserError, match=r"differs in train\.epochs \(2 there, 3 here\)"):
        loop.train(_experiment(train__epochs=3, optim__schedule="cosine"), copy, Scripted())


def test_a_kill_while_a_folder_is_claimed_does_no_harm(tmp_path, monkeypatch):
    class Dead(BaseException):
        pass

    def dies(path: Path, content: bytes) -> None:
        with path.open("wb") as file:
            file.write(content[: len(content) // 2])
        raise Dead

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", dies)
        with pytest.raises(Dead):
            loop.train(_experiment(), tmp_path, Scripted())
    assert loop.train(_experiment(train__epochs=1), tmp_path, Scripted())["finished"]


@pytest.mark.parametrize("every", [1, 0])
def test_divergence_names_step_and_batch_and_keeps_the_last_good_state(every, tmp_path):
    experiment = _experiment(train__save_every_steps=every)
    bad = BATCHES + 3  # the third batch of the second epoch

    class Poisoned(Parallel):
        def step(self, state, batch):
            if int(state.step) + 1 == bad:
                weight = np.full_like(batch.targets.weight, np.nan)
                batch = batch._replace(targets=batch.targets._replace(weight=weight))
            return super().step(state, batch)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop.parallel, "Parallel", Poisoned)
        with pytest.raises(loop.Diverged, match=rf"loss nan .* at step {bad} \(epoch 2, batch 2\); the last good"):
            loop.train(experiment, tmp_path, Scripted())
    state, progress = _newest(experiment, tmp_path)
    assert int(state.step) == (bad - 1 if every else BATCHES)
    assert progress.epoch == 1
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(state.params))


def test_an_unknown_monitor_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"train\.monitor='hr@1' is not measured here; choose one of: loss, ndcg@10"):
        loop.train(_experiment(train__monitor="hr@1"), tmp_path, Scripted())


def test_the_curves_are_drawn(finished):
    picture = (finished / "curves.png").read_bytes()
    assert picture.startswith(b"\x89PNG\r\n")
    assert len(picture) > 10_000
    width, height = (int.from_bytes(picture[at : at + 4]) for at in (16, 20))
    assert width > height > 300
