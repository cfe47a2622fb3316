"""Planted causes are looked for by one command."""

from __future__ import annotations

import json

import polars as pl


def _small(folder) -> list[str]:
    small = {"data.prepared_dir": folder / "prepared", "train.epochs": 1, "train.devices": 1, "model.width": 8}
    small |= {"model.layers": "(8,)", "logging.wandb": False, "logging.tensorboard": False}
    return [f"--config.{name}={value}" for name, value in small.items()]


def test_logs_are_written_models_trained_and_reasons_compared(script, tmp_path, trained_here):
    command = (
        "ground-truth",
        f"--out={tmp_path}",
        "--users=60",
        "--forecasts=8",
        "--methods=occlusion,saliency",
        *_small(tmp_path),
    )
    ran = script(*command)
    assert ran.code == 0, ran.err
    assert [run.member for run in trained_here] == ["default"]
    assert (tmp_path / "logs" / "default_other" / "truth").is_dir()
    table = pl.read_csv(tmp_path / "ground_truth.csv")
    assert set(table["ranking"]) == {"occlusion", "saliency", "newest first", "random order"}
    assert set(table["forecasts"]) == {8}
    text = (tmp_path / "ground_truth.md").read_text()
    assert text.count("\n") == 2 + 4
    assert text in ran.out
    assert (tmp_path / "ground_truth.png").exists()

    other = script(*command, "--users=80")
    assert other.code == 2, "logs of other numbers of users lie there"
    assert "was made with other numbers; choose another --out" in other.err


def test_the_views_that_caused_purchases_of_a_shop_are_looked_for(script, tmp_path, trained_here):
    methods = ("--methods=saliency,gradient_times_input", "--users=40", "--seed=3", "--forecasts=8")
    command = ("ground-truth", "--shop", f"--out={tmp_path}", *methods, *_small(tmp_path))
    ran = script(*command)
    assert ran.code == 0, ran.err
    ((run),) = trained_here
    asked = json.loads((run.folder / "config.json").read_text())
    assert (asked["data"]["target_types"], asked["seed"]) == (["purchase"], 3)
    seeds = [
        json.loads((tmp_path / "logs" / name / "truth" / "parameters.json").read_text())["seed"]
        for name in ("shop", "shop_other")
    ]
    assert seeds == [3, 4]
    table = pl.read_csv(tmp_path / "ground_truth.csv")
    rankings = ["saliency", "gradient_times_input", "newest first", "random order", "co-occurrence"]
    assert table["ranking"].to_list() == rankings
    assert table["nats_cause"].is_not_null().to_list() == [False, True, False, False, False]
    text = (tmp_path / "ground_truth.md").read_text()
    assert text in ran.out
    assert "a view of the control is first" in text
    assert f"8 caused purchases were asked for; {table['left_out'][0]} were left out" in text

    varied = script(*command, "--vary")
    assert varied.code == 2
    assert "--vary: only logs of interests are varied; leave it or --shop out" in varied.err
