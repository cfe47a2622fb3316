"""A run of anyone's log, read by every command: evaluation.json, predictions for new users, the forecast page."""

from __future__ import annotations

import json

import polars as pl
import pytest

import trajectory as tj
from tests.cli.logs import item_log
from tests.cli.test_configs import QUIET
from tests.examples import run_example
from trajectory.evaluation.report import evaluation_of
from trajectory.evaluation.validation import ValidationMonitor
from trajectory.presets import own_log
from trajectory.run import load_run
from trajectory.settings.flags import read
from trajectory.training import experiment, loop


@pytest.fixture(scope="module")
def workdir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("own_log")
    config = own_log.get_config(f"path={item_log(folder / 'log.csv')},model=gru,tiny")
    config.data.prepared_dir = str(folder / "prepared")
    config.logging.wandb = config.logging.tensorboard = False
    config.train.devices, config.train.epochs = 1, 2
    config.evaluation.seen = "keep"
    built = experiment.build(config)
    loop.train(built, folder / "run", ValidationMonitor(built))
    return folder / "run"


@pytest.fixture
def new_users(tmp_path):
    path = tmp_path / "new.csv"
    path.write_text(
        "user,item,time\n7,item 3,2024-03-01\n7,item 4,2024-03-02\n9,unheard of,2024-03-01\n9,item 1,2024-03-02\n"
    )
    return path


def test_evaluation_has_its_layout(script, workdir):
    ran = script("evaluate", f"--workdir={workdir}")
    assert ran.code == 0, ran.err
    found = json.loads((workdir / "evaluation.json").read_text())
    assert set(found) == {"metrics", "baselines", "confidence_intervals", "paired", "protocol"}
    assert set(found["metrics"]) == {"validation", "test"}
    assert {"popularity", "markov", "personal frequency"} <= {name.replace("_", " ") for name in found["baselines"]}
    for by_part in found["baselines"].values():
        assert set(by_part) == {"validation", "test"}
    for part in ("validation", "test"):
        metrics = found["metrics"][part]
        assert {"hr@1", "hr@10", "ndcg@10", "mrr@10", "catalogue_coverage@10"} <= set(metrics)
        low, high = (found["confidence_intervals"][part]["ndcg@10"][end] for end in ("low", "high"))
        assert 0 <= low <= metrics["ndcg@10"] <= high <= 1
        assert set(found["confidence_intervals"]["baselines"]) == set(found["baselines"])
    protocol = found["protocol"]
    assert protocol["split"] == "leave_one_out"
    assert protocol["ties"].startswith("equal scores share their expected rank under random order")
    assert protocol["seen"] == "keep"
    assert protocol["cold_targets"] == {"validation": 0, "test": 0}
    assert protocol["candidates"] == 12
    assert protocol["checkpoint"].startswith("best ndcg@10 on validation, step ")
    assert protocol["fingerprint"] == json.loads((workdir / "data.json").read_text())["fingerprint"]
    for text in (protocol["fingerprint"][:12], protocol["guarantee"], protocol["checkpoint"], protocol["ties"]):
        assert text in ran.out


@pytest.mark.parametrize(("combine", "fit"), [("probabilities", False), ("probabilities", True), ("ranks", False)])
def test_a_run_and_a_baseline_are_evaluated_as_one(script, workdir, tmp_path, combine, fit):
    out = tmp_path / "ensemble"
    how = ["--baseline=markov", f"--combine={combine}", f"--fit={str(fit).lower()}"]
    ran = script("evaluate", f"--workdir={workdir}", f"--out={out}", *how)
    assert ran.code == 0, ran.err
    found = json.loads((out / "evaluation.json").read_text())
    assert set(found["members"]) == {str(workdir), "markov"}
    members = found["protocol"]["members"]
    weights = [member["weight"] for member in members.values()]
    assert sum(weights) == pytest.approx(1)
    assert (weights != [0.5, 0.5]) == fit
    assert members[str(workdir)]["checkpoint"].startswith("best ndcg@10 on validation, step ")
    assert ("exponent" in members["markov"]) == (combine == "probabilities")
    for part in ("validation", "test"):
        assert found["members"]["markov"][part] == found["baselines"]["markov"][part]
        assert found["paired_member"][part]["ndcg@10"]["member"] in found["members"]
        users = pl.read_parquet(out / "per_user.parquet").filter(pl.col("part") == part)
        assert users["ndcg@10"].mean() == pytest.approx(found["metrics"][part]["ndcg@10"])
    assert "| ensemble " in ran.out
    rows = evaluation_of(found).frame.filter(part="test", metric="ndcg@10")
    assert rows["method"][:2].to_list() == ["ensemble", str(workdir)]
    assert rows["value"][0] == found["metrics"]["test"]["ndcg@10"]
    assert found["protocol"]["combination"] in ran.out


def test_reasons_and_whether_they_are_the_model_s_own(script, workdir):
    ran = script("explain", f"--workdir={workdir}", "--user=u003", "--method=occlusion", "--target=item=item 5")
    assert ran.code == 0, ran.err
    rows = pl.read_parquet(workdir / "attributions.parquet")
    about = [set(rows[name].cast(pl.String)) for name in ("user", "method", "target")]
    assert about == [{"u003"}, {"occlusion"}, {"item 5"}]
    assert "attributions.html" in ran.out

    ran = script("faithfulness", f"--workdir={workdir}", "--users=6", "--methods=occlusion,saliency", "--part=test")
    assert ran.code == 0, ran.err
    path = workdir / "faithfulness_test.json"
    found = json.loads(path.read_text())
    assert (found["part"], found["forecasts"], list(found["measures"])) == ("test", 6, ["occlusion", "saliency"])
    table = [line for line in ran.out.splitlines() if line.startswith("|")]
    orders = [line.split("|")[1].strip() for line in table[2:6]]
    assert orders == ["occlusion", "saliency", "newest first", "random order"]
    assert "Mean ranks" in ran.out

    path.write_text(json.dumps(found | {"forecasts": 12345}))  # so that it shows where it was read from
    asked = ["--users=6", "--methods=occlusion,saliency", "--part=test"]
    out = workdir.parent / "tables.md"
    assert "12345" in script("faithfulness", f"--workdir={workdir}", *asked, f"--out={out}").out
    written = ("12345", "| occlusion |", "Mean ranks", "is above newest first", "**sufficiency**: how much")
    assert all(text in out.read_text() for text in written)
    assert "12345" not in script("faithfulness", f"--workdir={workdir}", *asked, "--users=5").out


def test_mistakes_about_ensembles(script, workdir, tmp_path):
    out = tmp_path / "ensemble"
    for arguments, words in (
        ([f"--workdir={workdir},{workdir}", f"--out={out}"], "twice"),
        ([f"--workdir={workdir}", "--baseline=markof", f"--out={out}"], "markov"),
        ([f"--workdir={workdir}", "--baseline=markov"], "--out"),
        ([f"--workdir={workdir}", f"--out={out}"], "--out"),
        ([f"--workdir={workdir}", "--baseline=markov", f"--out={out}", "--fit", "--combine=ranks"], "--fit"),
        ([f"--workdir={workdir}", "--baseline=markov", f"--out={workdir}"], "is a run"),
    ):
        ran = script("evaluate", *arguments)
        assert ran.code == 2, (arguments, ran.err)
        assert words in ran.err
        assert not out.exists()


def test_predictions_for_new_users_as_tables(script, workdir, new_users, tmp_path):
    out = tmp_path / "p.csv"
    ran = script("predict", f"--workdir={workdir}", f"--events={new_users}", f"--out={out}", "--top=3", "--steps=2")
    assert ran.code == 0, ran.err
    assert "unknown to the model: 1 item in 1 event (unheard of)" in ran.out
    table = pl.read_csv(out)
    assert table.columns == ["user", "rank", "item", "title", "probability", "calibrated"]
    assert table["user"].to_list() == [7, 7, 7, 9, 9, 9]
    assert table["rank"].to_list() == [1, 2, 3] * 2
    steps = pl.read_csv(tmp_path / "p_steps.csv")
    assert steps.columns == [
        "user",
        "step",
        "rank",
        "item",
        "title",
        "probability",
        "probability_within",
        "calibrated",
        "in_set_90",
        "set_size_90",
    ]
    assert steps.height == 12
    first = steps.filter(pl.col("step") == 1)
    assert first["item"].to_list() == table["item"].to_list()
    assert first["probability"].to_list() == pytest.approx(table["probability"].to_list(), abs=1e-4)
    assert pl.read_csv(tmp_path / "p_within_steps.csv").columns == table.columns
    path = pl.read_csv(tmp_path / "p_path.csv")
    assert path.columns == ["user", "step", "item", "title", "probability", "path_probability", "calibrated"]
    assert path["step"].to_list() == [1, 2, 1, 2]


def test_predictions_for_new_users_as_json(script, workdir, new_users, tmp_path):
    out = tmp_path / "p.json"
    ran = script("predict", f"--workdir={workdir}", f"--events={new_users}", f"--out={out}", "--top=20", "--steps=2")
    assert ran.code == 0, ran.err
    others = {name: tmp_path / f"p_{name}.json" for name in ("steps", "within_steps", "path")}
    assert set(tmp_path.iterdir()) == {new_users, out, *others.values()}
    written = load_run(workdir).predict(new_users, top=20).write(tmp_path / "written.json")
    assert out.read_text() == written.read_text(), "one shape, whoever writes it"
    rows = {name: json.loads(path.read_text()) for name, path in {"next": out, **others}.items()}
    of_user = {name: [row for row in table if row["user"] == "7"] for name, table in rows.items()}
    assert sum(row["probability"] for row in of_user["next"]) == pytest.approx(1, abs=1e-4)
    assert len(of_user["within_steps"]) == 12
    first, second = of_user["path"]
    assert first["path_probability"] == second["path_probability"] == first["probability"] * second["probability"]


def test_predictions_for_new_users_as_parquet(script, workdir, new_users, tmp_path):
    ran = script("predict", f"--workdir={workdir}", f"--events={new_users}", f"--out={tmp_path / 'p.parquet'}")
    assert ran.code == 0, ran.err
    assert pl.read_parquet(tmp_path / "p.parquet").equals(load_run(workdir).predict(new_users).frame)


@pytest.mark.parametrize(("asked", "users"), [(5, 5), (0, 60), (100, 60)])
def test_forecast_writes_table_picture_and_page(script, workdir, asked, users):
    ran = script("forecast", f"--workdir={workdir}", f"--users={asked}")
    assert ran.code == 0, ran.err
    table = pl.read_parquet(workdir / "forecast.parquet")
    assert table["user"].n_unique() == users
    assert table["step"].unique().sort().to_list() == [1, 2]
    at_step = table.filter((pl.col("statement") == "at_step") & (pl.col("level") == "item"))
    sums = at_step.group_by("user", "step").agg(pl.col("probability").sum())["probability"]
    assert sums.to_list() == pytest.approx([1] * 2 * users, abs=1e-4)
    assert "const users" in (workdir / "report.html").read_text()
    assert str(workdir / "report.html") in ran.out


def test_export_writes_a_vector_for_each_user_and_item(script, workdir):
    ran = script("export", f"--workdir={workdir}")
    assert ran.code == 0, ran.err
    sizes = {"user": 60, "item": 12}
    for name, count in sizes.items():
        table = pl.read_parquet(workdir / f"{name}_vectors.parquet")
        assert table.schema["vector"] == pl.Array(pl.Float32, 16)
        assert table[name].n_unique() == count
        assert table["vector"].arr.first().n_unique() > count / 2, "vectors differ"


def test_migrations_are_looked_for_between_learned_interests(script, workdir):
    ran = script("migrate", f"--workdir={workdir}", "--lasting=0.1", "--window=0.2", "--permutations=99")
    assert ran.code == 0, ran.err
    assert "the log has no interests: learned " in ran.out
    assert str(workdir / "migration.html") in ran.out
    found = pl.read_parquet(workdir / "migrations.parquet")
    assert f"{found.height} of " in ran.out
    assert "who moved where" in (workdir / "migration.html").read_text()
    assert pl.read_parquet(workdir / "flows.parquet").columns[:4] == ["period", "segment", "source", "destination"]
    assert pl.read_parquet(workdir / "migration_forecast.parquet").height == 60
    assert not (workdir / "transitions.json").exists()  # no window was held out


def test_a_log_too_short_for_migrations_is_explained(script, workdir):
    ran = script("migrate", f"--workdir={workdir}")
    assert ran.code == 2
    assert "set a smaller `lasting`" in ran.err


@pytest.mark.filterwarnings("ignore:the load_module:DeprecationWarning")  # of ml_collections
def test_quickstart_does_all_and_does_nothing_twice(script, tmp_path, monkeypatch):
    log = item_log(tmp_path / "log.csv")
    folder = tmp_path / "run"
    command = ("quickstart", f"--config=configs/own_log.py:path={log},model=gru,tiny", f"--workdir={folder}")
    command += (f"--config.data.prepared_dir={tmp_path / 'prepared'}", *QUIET)
    # Insights of the busiest households: too few for segments and audiences, which are left out.
    command += ("--insights=configs/insights.py:tiny", f"--insights.data.prepared_dir={tmp_path / 'prepared'}")
    command += ("--insights.data.cleaning.min_user_events=2500", "--insights.explain.method=gradient_times_input")
    command += tuple(flag.replace("--config", "--insights") for flag in QUIET)
    ran = script(*command)
    assert ran.code == 0, ran.err
    assert f"open {folder / 'report.html'}\nopen {folder / 'insights' / 'insights.html'}" in ran.out
    assert "segments is left out: " in ran.out
    assert "co_occurrence" in ran.out
    made = {
        path: path.stat().st_mtime_ns for path in folder.glob("**/*") if path.suffix in (".html", ".parquet", ".png")
    }
    assert {path.name for path in made} >= {"report.html", "forecast.parquet", "curves.png", "insights.html"}
    evaluated = (folder / "evaluation.json").stat().st_mtime_ns
    again = script(*command)
    assert again.code == 0, again.err
    assert f"open {folder / 'report.html'}" in again.out
    assert (folder / "evaluation.json").stat().st_mtime_ns == evaluated
    for name in ("report.html", "forecast.parquet", "insights/insights.html", "insights/demand.parquet"):
        assert (folder / name).stat().st_mtime_ns == made[folder / name], name
    flags = {name: [text for text in command if text.startswith(f"--{name}")] for name in ("config", "insights")}
    configs = {name: read([text.replace(f"--{name}", "--config") for text in texts]) for name, texts in flags.items()}
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").mkdir()
    folder.rename(tmp_path / "runs" / "quickstart")
    run_example(tj.quickstart, {"tj": tj, "config": configs["config"], "small": configs["insights"]})


@pytest.mark.parametrize(
    ("flag", "words"),
    [
        ("--config.data.event_types.event=input,target,sale", "12 rows (input, target, sale)"),
        ("--config.data.event_types={'event': 'input,target,sale'}", "12 rows (input, target, sale)"),
        ("--config.data.event_type_map={'': 'view'}", "all rows are of the type view, told by data.event_type_map"),
    ],
)
def test_roles_are_set_on_the_command_line(script, tmp_path, flag, words):
    log = tmp_path / "log.csv"
    log.write_text("user,item\n" + "".join(f"u{n},i{n}\n" for n in range(12)))
    ran = script(
        "prepare", f"--config=configs/own_log.py:path={log}", f"--config.data.prepared_dir={tmp_path / 'p'}", flag
    )
    assert ran.code == 0, ran.err
    assert words in ran.out
