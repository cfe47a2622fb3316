"""Insights on real data, from training to the page: lists, segments, audiences and demand of the busiest households."""

from __future__ import annotations

import json
import shutil

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from tests.cli.logs import item_log
from tests.cli.test_configs import QUIET
from tests.examples import run_example
from tests.pages import drawn, own
from trajectory.insights.audiences import propensity
from trajectory.insights.campaigns import uplift
from trajectory.run import Run, load_run

TABLES = ("recommendations", "new_buyers", "segments", "segment_profiles", "demand", "reorder")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("insights")


@pytest.fixture
def run(script, folder, monkeypatch):
    """A tiny run and its insights, made once for all tests."""
    workdir = folder / "run"
    monkeypatch.setattr(propensity, "LEAST", 5)  # few households
    monkeypatch.setitem(propensity.TREES, "max_iter", 20)
    monkeypatch.setattr(uplift, "RESAMPLES", 10)
    if (workdir / "insights.html").exists():
        return workdir
    train = script(
        "train",
        "--config=configs/insights.py:tiny",
        f"--workdir={workdir}",
        f"--config.data.prepared_dir={folder / 'prepared'}",
        "--config.data.cleaning.min_date=2017-05-01",
        "--config.data.cleaning.min_user_events=900",
        "--config.data.cleaning.min_item_events=100",
        "--config.split.most_events=0",
        "--config.train.epochs=1",
        "--config.batch.rows=32",
        "--config.explain.method=gradient_times_input",
        *QUIET,
    )
    assert train.code == 0, train.err
    assert "validation ahead_ndcg@10" in train.out
    made = script("insights", f"--workdir={workdir}")
    assert made.code == 0, made.err
    assert "funnel is left out: a funnel needs views and purchases, and this log has no views" in made.out
    assert made.out.count("left out") == 1
    return workdir


def test_every_step_writes_its_tables_and_how_far_it_held(run):
    for name in TABLES:
        assert pl.read_parquet(run / f"{name}.parquet").height, name
    assert all(json.loads((run / "insights.json").read_text()).values())


def test_lists_are_ranked_distinct_and_of_new_items_where_they_say_so(run):
    lists = pl.read_parquet(run / "recommendations.parquet")
    for (_, name), rows in lists.group_by("user", "list"):
        assert rows["rank"].to_list() == list(range(1, rows.height + 1))
        assert rows["item"].n_unique() == rows.height
        assert name != "new to the user" or not rows["again"].any()
    assert lists["probability"].is_between(0, 1).all()
    held = json.loads((run / "insights.json").read_text())["recommend"]["lists"]
    assert held["steps"] == 2
    row = held["rows"]["trajectory"]
    assert row["new"]["recall"] < row["all"]["recall"] < row["again"]["recall"]


def test_audiences_and_segments_are_of_the_end_of_the_log(run):
    h = load_run(run).experiment.histories
    owner = h.users["user"].gather(np.repeat(np.arange(h.num_users), np.diff(h.offsets)))
    named = pl.Series([None, *h.interests]).gather(h.item_interest[h.item])
    bought = pl.DataFrame({"user": owner, "target": named, "time": h.time}).filter(h.quantity > 0)
    lately = bought.filter(pl.col("time") > h.time.max() - 84 * 86_400)
    audiences = pl.read_parquet(run / "audiences.parquet").filter(pl.col("kind") == "interest")
    assert audiences.join(lately, on=["user", "target"], how="anti").height == audiences.height > 0
    assert audiences.join(bought, on=["user", "target"], how="semi").height > 0
    assert set(pl.read_parquet(run / "segments.parquet")["user"].cast(owner.dtype)) == set(owner)


@pytest.mark.parametrize(
    ("call", "table"),
    [
        *(("changes", "changes"), ("customers", "customers"), ("recommend", "recommendations")),
        *(("segments", "segments"), ("audiences", "audiences"), ("demand", "demand")),
    ],
)
def test_the_interface_says_what_the_command_writes(run, call, table):
    result = run_example(getattr(Run, call), {"run": load_run(run)})["found"]
    assert_frame_equal(result.frame, pl.read_parquet(run / f"{table}.parquet"))
    assert {*result.frame.columns} <= {*result.COLUMNS}
    assert result.notes
    assert result.plot().to_dict()["datasets"]


def test_migrations_of_the_run_are_a_result_with_a_page_too(run, folder):
    result = run_example(Run.migrations, {"run": load_run(run)})["moved"]
    assert result.frame.columns == list(result.COLUMNS)
    assert {"tested", "flows", "forecast"} == result.tables.keys()
    assert result.tables["tested"].height > 10
    page = result.write_page(folder)
    assert page == folder / "migration.html"
    assert pl.read_parquet(folder / "migrations.parquet").equals(result.frame)


def test_a_run_writes_the_page_of_the_parts_that_are_named(run, tmp_path):
    copy = load_run(shutil.copytree(run, tmp_path / "run"))
    others = pl.read_parquet(copy.workdir / "reorder.parquet")
    page = run_example(Run.write_insights, {"run": copy})["page"]
    assert '<section id="segments"' in page.read_text()
    assert '<section id="demand"' in page.read_text(), "made before of the same checkpoint"
    assert pl.read_parquet(copy.workdir / "reorder.parquet").equals(others)
    (copy.workdir / "insights_parts.json").unlink()
    assert '<section id="demand"' not in copy.write_insights(["segments"]).read_text()


def test_the_page_has_every_part_and_the_reasons(run, folder):
    shown = drawn(run / "insights.html")
    for part in ("changes", "customers", "recommend", "segments", "audiences", "demand"):
        assert f'<section id="{part}"' in shown
    assert "Bought " in shown


def test_audiences_and_segments_are_measured_at_length_by_one_command_each(script, run, folder):
    out = folder / "measured"
    options = ["--resamples=4", "--since=2017-08-01", "--until=2017-10-01", f"--out={out}"]
    ran = script("measure-audiences", f"--workdir={run}", *options)
    assert ran.code == 0, ran.err
    measured = json.loads((out / "audiences.json").read_text())
    assert {"interest", "interest, validation", "uplift"} <= measured.keys()
    assert "interest, arriving: " in ran.out
    assert "| counts and forecast and companions |" in ran.out
    only = script("measure-audiences", f"--workdir={run}", "--only=campaigns", *options)
    assert only.code == 0, only.err
    assert json.loads((out / "audiences.json").read_text()).keys() == measured.keys() & {"redeem", "buy", "uplift"}
    assert (
        "expected an ISO date" in script("measure-audiences", f"--workdir={run}", "--only=campaigns", "--since=x").err
    )
    ran = script("measure-segments", f"--workdir={run}")
    assert ran.code == 0, ran.err
    assert "| segmentation | ARI seeds | ARI bootstrap |" in ran.out
    assert "\n| no segments | " in ran.out
    assert "new within" not in ran.out, "of a log with a known truth only"


def test_only_what_is_offered_is_recommended(script, run, folder):
    items = pl.read_parquet(run / "new_buyers.parquet")["item"].sort()[:40]
    pl.DataFrame({"item": items, "stock": np.arange(40) % 2}).write_csv(folder / "stock.csv")
    made = script("insights", f"--workdir={run}", "--parts=recommend", f"--stock={folder / 'stock.csv'}")
    assert made.code == 0, made.err
    offered = set(items[1::2])
    assert set(pl.read_parquet(run / "recommendations.parquet")["item"]) <= offered
    assert set(pl.read_parquet(run / "new_buyers.parquet")["item"]) == offered


def test_mistakes_are_told(script, run):
    for arguments, words in (
        (["--parts=recomend"], "--parts=recomend: expected one of changes"),
        (["--price=5"], "expected two numbers"),
        (["--interests=NOTHING"], "NOTHING: not among those of"),
    ):
        found = script("insights", f"--workdir={run}", *arguments)
        assert found.code == 2
        assert words in found.err


def test_a_log_that_is_small_and_whose_users_have_had_all_gets_what_can_be_told(script, tmp_path):
    log = item_log(tmp_path / "log.csv")
    workdir = tmp_path / "run"
    train = script(
        "train",
        f"--config=configs/own_log.py:path={log},model=gru,tiny,split=leave_last",
        f"--workdir={workdir}",
        f"--config.data.prepared_dir={tmp_path / 'prepared'}",
        "--config.heads.horizon=2",
        "--config.split.steps=2",
        *QUIET,
    )
    assert train.code == 0, train.err
    made = script("insights", f"--workdir={workdir}")
    assert made.code == 0, made.err
    for name in ("segments", "audiences", "demand"):
        assert f"{name} is left out: {name}" in made.out
    assert pl.read_parquet(workdir / "funnel.parquet").height, "it has views and purchases"
    assert pl.read_parquet(workdir / "recommendations.parquet")["probability"].is_between(0, 1).all()
    shown = own(workdir / "insights.html")
    assert shown.count("This part is left out: ") == 5
    assert "This part is left out: demand by week needs at least 16 whole weeks" in shown
    assert "demand by week" in json.loads((workdir / "insights.json").read_text())["demand"]["left_out"]
    nothing = script("insights", f"--workdir={workdir}", "--parts=demand")
    assert nothing.code == 2
    assert "nothing is left to report" in nothing.err
