"""Planted causes are looked for by one command."""

from __future__ import annotations

import polars as pl


def test_logs_are_written_models_trained_and_reasons_compared(script, tmp_path, trained_here):
    small = {"data.prepared_dir": tmp_path / "prepared", "train.epochs": 1, "train.devices": 1, "model.width": 8}
    small |= {"model.layers": "(8,)", "logging.wandb": False, "logging.tensorboard": False}
    given = [f"--config.{name}={value}" for name, value in small.items()]
    command = (
        "ground-truth",
        f"--out={tmp_path}",
        "--users=60",
        "--forecasts=8",
        "--methods=occlusion,saliency",
        *given,
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
