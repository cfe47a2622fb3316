"""A made-up shop from its raw export to the last table: what insights count is what happened."""

from __future__ import annotations

from tests.cli.test_configs import QUIET
from trajectory.data.simulate.shop.parameters import Shop
from trajectory.data.simulate.shop.write import write
from trajectory.insights.audiences import propensity
from trajectory.insights.campaigns import uplift
from trajectory.insights.shop_comparison import pairs
from trajectory.insights.shop_truth import true_events
from trajectory.run import load_run

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
    made = script("insights", f"--workdir={workdir}", "--parts=segments,audiences,demand")
    assert made.code == 0, made.err
    assert "left out" not in made.out
    split = load_run(workdir).experiment.split
    cuts = split.cut_time("validation"), split.cut_time("test")
    table = pairs(workdir, true_events(shop, "rees46"), shop, cuts, propensity.LEAST)
    assert set(table["part"]) == {"demand", "segments", "audiences", "campaigns"}
    wrong = table.filter(~table["equal"])
    assert wrong.is_empty(), wrong
