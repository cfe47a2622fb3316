"""Several steps ahead on real data, from training to the page: what is measured, calibrated and foretold."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from tests.cli.test_configs import QUIET
from tests.pages import own
from trajectory.data.times import DAY
from trajectory.evaluation.multi_step.seeds import measured
from trajectory.forecasting.tables import STATEMENTS
from trajectory.inference.step_forecast import calibration, method_description
from trajectory.migrations.migration import Settings, detect
from trajectory.migrations.migration_forecast import forecast_migrations
from trajectory.presets import trajectories
from trajectory.run import load_run
from trajectory.schema import UserError

STEPS = 2


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("ahead")


@pytest.fixture
def run(script, folder):
    """A tiny run on the busiest households of Complete Journey, measured and forecast once for all tests."""
    workdir, kept = folder / "run", folder / "evaluate.txt"
    if kept.exists():
        return workdir, kept.read_text()
    train = script(
        "train",
        "--config=configs/trajectories.py:tiny",
        f"--workdir={workdir}",
        f"--config.data.prepared_dir={folder / 'prepared'}",
        "--config.data.cleaning.min_user_events=2500",
        "--config.forecast.days=14",
        *QUIET,
    )
    assert train.code == 0, train.err
    assert "validation ahead_ndcg@10" in train.out
    evaluate = script("evaluate", f"--workdir={workdir}", "--multi-step=direct,sampled")
    assert evaluate.code == 0, evaluate.err
    forecast = script("forecast", f"--workdir={workdir}", "--users=3")
    assert forecast.code == 0, forecast.err
    kept.write_text(evaluate.out)
    return workdir, evaluate.out


def test_each_step_is_compared_with_the_baselines(run):
    workdir, out = run
    found = json.loads((workdir / "trajectories.json").read_text())
    assert (found["steps"], found["unit"]) == (STEPS, "basket")
    assert found["forecasters"] == ["direct, calibrated", "direct", "sampled"]
    assert "personal_frequency" in found["baselines"]
    for name in (*found["forecasters"], *found["baselines"]):
        for part in ("validation", "test"):
            for metric in ("ndcg@10", "recall@10", "within_ndcg@10", "log_loss"):
                assert np.isfinite(found["means"][name][part][metric]).all()
                assert len(found["means"][name][part][metric]) == STEPS
    assert len(found["paired"]["test"]["ndcg@10"]) == STEPS
    assert set(found["times"]) == {"direct, calibrated", "typical_gap", "own_gap"}
    assert found["sequences"]["rows"]["history_again"]["otd"] > 0
    assert [sets["baseline"] in found["baselines"] for sets in found["baseline_sets"]] == [True] * STEPS
    assert "sets of the best baseline" in out
    assert "direct, calibrated - best baseline" in out
    assert "most likely item at step" in out
    result = measured({str(workdir): found})
    assert f"{result.markdown}\nwritten to" in out
    asked = {"part": "test", "method": "sampled", "metric": "ndcg@10"}
    assert result.frame.filter(**asked)["value"].to_list() == found["means"]["sampled"]["test"]["ndcg@10"]
    assert result.frame.filter(**asked)["step"].to_list() == [1, 2]
    assert any(found["protocol"]["guarantee"] in note for note in result.notes)
    ours = result.frame.filter(part="test", method="direct", calibrated=True)
    times = found["times"]["direct, calibrated"]["test"]
    assert ours.filter(metric="time_median_error_days")["value"].to_list() == times["median_error_days"]
    assert ours.filter(metric="calibration_error_top")["value"].to_list() == [
        step["ece"] for step in found["reliability"]["top"]
    ]
    assert ours.filter(metric="set_coverage_90")["value"].is_between(0, 1).all()
    sequences = result.tables["sequences"].filter(method="history_again")
    assert sequences["otd"].to_list() == [found["sequences"]["rows"]["history_again"]["otd"]]
    assert all(column in result.TABLES["sequences"] for column in sequences.columns)


def test_probabilities_are_calibrated_and_their_errors_are_reported(run):
    workdir, _ = run
    found = json.loads((workdir / "trajectories.json").read_text())["reliability"]
    for kind in ("top", "items", "interests", "within", "interests_within", "sets"):
        assert len(found[kind]) == STEPS, kind
    assert (workdir / "reliability.png").stat().st_size > 10_000
    assert len(json.loads((workdir / "calibration.json").read_text())["at"]) == STEPS


def test_the_forecast_states_steps_times_days_and_paths(run):
    workdir, _ = run
    table = pl.read_parquet(workdir / "forecast.parquet")
    assert table.schema == STATEMENTS
    assert table["user"].n_unique() == 3
    assert set(table["statement"]) == {"at_step", "within_steps", "within_days", "time", "path"}
    for level in ("item", "interest"):
        said = pl.col("statement")
        some = table.filter(pl.col("level") == level)
        assert some.filter(said == "path")["step"].max() == 2
        chance = some.filter(said.is_in(["at_step", "within_steps", "within_days"]))["probability"]
        assert 0 < chance.min() <= chance.max() <= 1
    time = table.filter(pl.col("statement") == "time")
    assert (time["days_low"] <= time["days"]).all()
    assert (time["days"] <= time["days_high"]).all()
    silent, rest = (table.filter((pl.col("statement") == "time") == timed) for timed in (True, False))
    uncalibrated = pl.col("statement").is_in(["within_days", "path"])
    assert (rest["calibrated"] == rest.select(~uncalibrated).to_series()).all()
    fitted = json.loads((workdir / "calibration.json").read_text())["silent_times"]
    assert silent["calibrated"].any() == bool(fitted), "users were silent before the log's end"
    sets = table.filter((pl.col("statement") == "at_step") & (pl.col("level") == "item"))
    assert sets["in_set_90"].null_count() == 0
    assert sets.filter(pl.col("rank") == 1)["in_set_90"].all()
    assert "Most likely paths" in (workdir / "report.html").read_text()


def test_migrations_are_forecast_and_checked(script, run):
    workdir, _ = run
    ran = script("migrate", f"--workdir={workdir}", "--permutations=99")
    assert ran.code == 0, ran.err
    assert "forecast less persistence" in ran.out
    check = json.loads((workdir / "transitions.json").read_text())
    assert check["steps"] == STEPS
    assert set(check["log_loss"]) == {"forecast", "persistence", "history density", "Markov", "all of these"}
    moves = pl.read_parquet(workdir / "migration_forecast.parquet")
    assert (moves["mass"] <= moves["moved"] + 1e-9).all()
    flows = pl.read_parquet(workdir / "flow_forecast.parquet").filter(pl.col("segment") == "all users")
    assert flows["users"].sum() == pytest.approx(moves["moved"].sum(), rel=0.05)  # flows too small are left out
    assert "How accurate were such forecasts?" in own(workdir / "migration.html")
    back = script("migrate", f"--workdir={workdir}", "--permutations=99", "--noforecast")
    assert back.code == 0, back.err
    assert "How accurate were such forecasts?" not in own(workdir / "migration.html")


def test_a_forecast_says_why_a_calibration_is_not_used(run, tmp_path):
    workdir, _ = run
    opened = load_run(shutil.copytree(workdir, tmp_path / "run"))
    found, words = calibration(opened, STEPS)
    assert (len(found.at), words) == (STEPS, "calibrated on validation")
    assert method_description(opened, STEPS, 50).startswith("directly by the model's heads, calibrated on validation")
    for seen, told in (("filter", True), ("keep", False)):
        opened.config.evaluation.seen = seen
        assert method_description(opened, STEPS, 50).endswith(", among items that the user has not had") == told
    found, words = calibration(opened, STEPS + 1)
    assert found is None
    assert f"of {STEPS} steps, as many as the split held out: ask for {STEPS} or fewer" in words
    assert f"({STEPS + 1} steps are more than the {STEPS} of heads.horizon: ask for" in method_description(
        opened, STEPS + 1, 50
    )
    path = opened.workdir / "calibration.json"
    path.write_text(path.read_text().replace(opened.checkpoint, "best of another day"))
    found, words = calibration(load_run(opened.workdir), STEPS)
    assert found is None
    assert "of another checkpoint, best of another day: evaluate it with --multi-step=direct again" in words
    path.unlink()
    assert calibration(load_run(opened.workdir), STEPS)[1] == "not calibrated (evaluate it with --multi-step=direct)"


def test_the_model_sees_a_past_state_once_there_is_an_event(run):
    opened = load_run(run[0])
    histories = opened.experiment.histories
    late = histories.time.copy()
    late[: histories.offsets[1]] += 70 * DAY  # the first user comes late
    moved = detect(replace(histories, time=late), Settings(permutations=99, false_discovery_rate=0.999))
    assert moved.moves["user"][0] == histories.users["user"][0]
    past = forecast_migrations(opened, moved).past
    first = int((late[0] - late.min()) / DAY // moved.settings.window)
    assert np.isnan(past[0, :first]).all()
    assert first >= 2
    np.testing.assert_allclose(past[0, first:].sum(1), 1, rtol=1e-5)


def test_every_domain_has_a_config():
    for domain in trajectories.DOMAINS:
        c = trajectories.get_config(f"domain={domain}")
        assert c.split.kind == "leave_last"
        assert c.heads.horizon == c.split.steps == (3 if domain == "amazon_beauty" else 10)
        assert trajectories.get_config(f"domain={domain},direct=False").heads.horizon == 1
    with pytest.raises(UserError, match="domain=nowhere is unknown"):
        trajectories.get_config("domain=nowhere")


def test_steps_ahead_need_a_run_that_held_them_out(script, run, tmp_path):
    workdir, _ = run
    refused = script(
        "evaluate", f"--workdir={workdir}", "--multi-step=direct", "--baseline=markov", f"--out={tmp_path}"
    )
    assert refused.code == 2
    assert "--multi-step measures runs one by one" in refused.err
    unknown = script("evaluate", f"--workdir={workdir}", "--multi-step=guess")
    assert unknown.code == 2
    assert "--multi-step=guess: expected one of direct, sampled" in unknown.err


def test_seeds_are_measured_one_by_one_and_put_together(script, run, tmp_path):
    workdir, _ = run
    folders = [shutil.copytree(workdir, tmp_path / name) for name in ("a", "b")]
    both = script("evaluate", f"--workdir={folders[0]},{folders[1]}", "--multi-step=direct")
    assert both.code == 0, both.err
    assert f"written to {folders[1] / 'trajectories.json'}" in both.out
    assert "mean ± standard deviation over 2 runs (seeds 0, 0)" in both.out
