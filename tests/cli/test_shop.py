"""A made-up shop from its raw export to the last table: what insights count is what happened."""

from __future__ import annotations

import re

import polars as pl
from polars.testing import assert_frame_equal

from tests.cli.test_configs import QUIET
from tests.examples import run_example
from trajectory.data.simulate.shop.parameters import Shop
from trajectory.data.simulate.shop.write import write
from trajectory.insights.audiences import propensity
from trajectory.insights.campaigns import uplift
from trajectory.run import Run, load_run

SMALL = Shop(
    users=180,
    interests=6,
    items_per_interest=6,
    seasonal=2,
    weeks=28,
    migration_last=18,
    sessions=1.5,
    campaigns=5,
    campaign_weeks=2,
)
CUT = "2023-06-05"  # the last six weeks are held out


def test_what_insights_count_of_a_raw_export_is_what_happened(script, tmp_path, monkeypatch):
    monkeypatch.setattr(propensity, "LEAST", 5)  # few users
    monkeypatch.setattr(uplift, "RESAMPLES", 5)
    monkeypatch.setitem(propensity.TREES, "max_iter", 20)
    shop, workdir = tmp_path / "shop", tmp_path / "run"
    write(SMALL, shop, raw=("rees46",))
    train = script(
        "train",
        f"--config=configs/own_log.py:path={shop / 'raw' / 'rees46'},split=temporal,model=gru,tiny",
        f"--workdir={workdir}",
        f"--config.data.prepared_dir={tmp_path / 'prepared'}",
        f"--config.split.cut={CUT}",
        "--config.split.target=all",
        "--config.heads.time=0.1",
        "--config.train.epochs=1",
        *QUIET,
    )
    assert train.code == 0, train.err
    compare = ("measure-shop", f"--workdir={workdir}", f"--shop={shop}", "--export=rees46")
    before = script(*compare)
    assert (before.code, "has no tables to compare" in before.err) == (2, True)
    made = script("insights", f"--workdir={workdir}", "--parts=segments,audiences,demand,funnel")
    assert made.code == 0, made.err
    assert "left out" not in made.out
    compared = script(*compare)
    assert compared.code == 0, compared.out
    parts = re.findall(r"^(\w+): (\d+) of (\d+) numbers equal the truth$", compared.out, re.MULTILINE)
    assert [part for part, _, _ in parts] == ["demand", "segments", "audiences", "funnel", "campaigns"]
    assert all(equal == of for _, equal, of in parts)
    result = run_example(Run.funnel, {"run": load_run(workdir)})["found"]
    assert_frame_equal(result.frame, pl.read_parquet(workdir / "funnel.parquet"))
    assert result.frame.columns == [*result.COLUMNS]
    assert result.notes
    written = pl.read_parquet(workdir / "demand.parquet")
    written.with_columns(recent=pl.col("recent") + 1).write_parquet(workdir / "demand.parquet")
    wrong = script(*compare)
    assert wrong.code == 1
    assert re.search(r"^  demand: .*: written \S+, true \S+$", wrong.out, re.MULTILINE), wrong.out
