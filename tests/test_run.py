"""A run's folder opens anywhere and predicts the same; what needs its log says so; folders made before open too."""

import json
import shutil
from pathlib import Path

import jax
import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from tests.cli.logs import item_log
from trajectory.baselines.user_item_frequency import overall_rates
from trajectory.calibration.per_step import fit_steps
from trajectory.data.pipeline.splits import training_events
from trajectory.forecasting.predict import predict
from trajectory.inference.direct import DirectForecaster
from trajectory.presets import own_log
from trajectory.run import load_run
from trajectory.schema import UserError
from trajectory.settings import put, set_by_hand
from trajectory.training import experiment, portable
from trajectory.training.checkpoint import Checkpoints
from trajectory.training.initialization import claim

pytestmark = pytest.mark.compiled_quickly

OLD = Path(__file__).parent / "old_run"
NEW = pl.DataFrame(
    {
        "user": ["a", "a", "b", "b", "b"],
        "item": ["item 1", "item 2", "item 7", "unheard of", "item 8"],
        "time": [1_704_500_000, 1_704_510_000, 1_704_500_000, 1_704_501_000, 1_704_600_000],
        "event_type": ["view", "buy", "view", "view", "view"],
    }
)


def untrained(folder, content="ids", **fields):
    """A run's folder as training leaves it, with the parameters that training begins with."""
    log = item_log(folder / "log.csv")
    category = pl.col("item").str.slice(5).cast(pl.Int64) % 3
    pl.read_csv(log).with_columns(category=pl.format("kind {}", category)).write_csv(log)
    config = own_log.get_config(f"path={log},model=gru,tiny,split=leave_last")
    fields = {"split.steps": 2, "heads.horizon": 2, "heads.interest": 0.1, "heads.time": 0.1, **fields}
    fields |= {"data.prepared_dir": str(folder / "prepared"), "content.by": content, "content.text": ()}
    fields |= {"forecast.steps": 2, "model.width": 8, "explain.background": 16}
    built = experiment.build(set_by_hand(config, fields))
    workdir = folder / "run"
    claim(built, workdir, None)
    checkpoints = Checkpoints(workdir)
    checkpoints.save_best(3, jax.tree.map(np.asarray, built.initial_parameters(jax.random.key(1))))
    checkpoints.wait()
    checkpoints.close()
    portable.save_item_table(built, workdir)
    return workdir


def of_new_users(run):
    """What a run says of new users, as tables."""
    predicted = run.predict(NEW, top=5)
    tables = {"next": predicted.frame, "notes": pl.DataFrame({"note": predicted.notes})}
    return tables | {"forecast": run.forecast(NEW, steps=2).frame, "explanation": run.explain(NEW, "item").frame}


@pytest.mark.parametrize("content", ["ids", "content", "prior+ids"])
def test_a_copied_folder_predicts_the_same_without_log_and_prepared_data(tmp_path, monkeypatch, content):
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    workdir = untrained(here, content)
    expected = of_new_users(load_run(workdir))
    there.mkdir()
    shutil.copytree(workdir, there / "copy")
    shutil.rmtree(here)
    monkeypatch.chdir(there)
    run = load_run("copy")
    found = of_new_users(run)
    assert found.keys() == expected.keys()
    for name, table in expected.items():
        assert found[name].equals(table), name
    fields = {"category"} if content == "content" else set()
    assert fields <= {*found["explanation"]["feature"]}
    with pytest.raises(UserError, match=r"^this needs the log that the run in .*copy learned from: .*log\.csv"):
        _ = run.experiment


def test_explanations_of_a_copy_are_those_with_the_log(tmp_path):
    workdir = untrained(tmp_path)
    run = load_run(workdir)
    stored, drawn = run.background, portable.Background.of(run.experiment)
    for one, other in zip(jax.tree.leaves(stored), jax.tree.leaves(drawn), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_folder_made_before_runs_held_their_vocabulary_opens_with_its_log(tmp_path, monkeypatch):
    folder = shutil.copytree(OLD, tmp_path / "old")
    monkeypatch.chdir(folder)
    expected = json.loads((folder / "predictions.json").read_text())
    found = predict(load_run("run"), folder / "new_users.csv", "", 5, 2, 500).tables
    assert {*found["next"]["user"]} == expected.keys()
    for user, by_table in expected.items():
        for name, table in found.items():
            one = pl.DataFrame(by_table[name])
            assert_frame_equal(table.filter(user=user).select(one.columns), one, rel_tol=1e-5)
    (folder / "log.csv").unlink()
    with pytest.raises(UserError, match=r"log\.csv does not exist"):
        load_run("run")


def test_a_folder_whose_parts_are_of_two_logs_is_refused(tmp_path):
    workdir = untrained(tmp_path)
    facts = json.loads((workdir / "vocabulary.json").read_text())
    (workdir / "vocabulary.json").write_text(json.dumps(facts | {"fingerprint": "1" * 64}))
    with pytest.raises(UserError, match=r"vocabulary\.json and data\.json in .* are of two logs"):
        load_run(workdir)


def test_an_item_table_of_another_checkpoint_is_not_used(tmp_path):
    workdir = untrained(tmp_path, "content")
    arrays = dict(np.load(workdir / portable.ITEM_TABLE))
    np.savez(workdir / portable.ITEM_TABLE, **(arrays | {"step": np.array(2), "table": 0 * arrays["table"]}))
    assert np.abs(load_run(workdir).params["params"]["items"]["ids"]["embedding"]).max() > 0
    shutil.rmtree(tmp_path / "prepared")
    (tmp_path / "log.csv").unlink()
    with pytest.raises(UserError, match=r"log\.csv does not exist"):
        load_run(workdir)


def calibrated(workdir):
    """The run in this folder with a calibration, as evaluate --multi-step=direct leaves it."""
    run = load_run(workdir)
    histories, c = run.experiment.histories, run.config
    overall = overall_rates(histories, training_events(histories, run.experiment.split))
    forecaster = DirectForecaster(run.predictor(), c.split.steps)
    fitted = fit_steps(forecaster, histories, run.experiment.split.validation, c.split.steps, overall, c.seed)
    fitted.write(workdir, run.checkpoint)
    return workdir


def test_an_open_run_forecasts_the_same_wherever_the_program_and_its_folder_go(tmp_path, monkeypatch):
    workdir = calibrated(untrained(tmp_path))
    monkeypatch.chdir(tmp_path)
    run = load_run("run")
    expected = run.forecast(NEW)
    assert expected.frame.filter(statement="at_step")["calibrated"].all()
    monkeypatch.chdir("/")
    assert run.forecast(NEW).frame.equals(expected.frame)
    shutil.move(workdir, tmp_path / "moved")
    assert run.forecast(NEW).frame.equals(expected.frame)
    assert load_run(tmp_path / "moved").forecast(NEW).frame.equals(expected.frame)


def test_a_damaged_calibration_is_told_by_the_forecast_and_keeps_no_run_from_opening(tmp_path):
    workdir = untrained(tmp_path)
    (workdir / "calibration.json").write_text("{")
    run = load_run(workdir)
    assert run.predict(NEW).frame.height
    with pytest.raises(UserError, match=r"calibration\.json is damaged .*; run evaluate --multi-step=direct"):
        run.forecast(NEW)


def test_a_forecast_is_of_as_many_steps_as_the_heads_forecast_unless_set_by_hand(tmp_path):
    run = load_run(untrained(tmp_path))
    put(run.config, "by_hand", ())
    put(run.config, "forecast.steps", 5)
    assert run.forecast(NEW).frame["step"].max() == 2
    run.config.forecast.steps = 5
    found = run.forecast(NEW)
    assert found.frame["step"].max() == 5
    assert any("5 steps are more than the 2 of heads.horizon: ask for 2 or fewer" in note for note in found.notes)


def test_a_run_is_told_in_one_line(tmp_path):
    workdir = untrained(tmp_path)
    assert repr(load_run(workdir)) == f"Run('{workdir}', gru, step 3)"
    with pytest.raises(UserError, match="expected the folder of a run, as a path, got NoneType"):
        load_run(None)
