"""Every config trains and evaluates with `tiny`; what a run's folder and its evaluation.json then hold."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.scripts.conftest import ROOT
from tests.scripts.logs import behaviour_log, item_log
from trajectory.data.domains import known, locate
from trajectory.data.synthetic import Synthetic, write
from trajectory.schema import UserError

CONFIGS = sorted(path.stem for path in (ROOT / "configs").glob("*.py") if path.stem not in ("__init__", "common"))
QUIET = ("--config.logging.wandb=False", "--config.logging.tensorboard=False", "--config.train.devices=1")
# Of real logs only the busiest users, to be quick.
BUSY = {"amazon_beauty": 40, "complete_journey": 2500, "movielens_1m": 1000, "taobao_behavior": 300}


def arguments(name: str, folder: Path) -> list[str]:
    """What to put behind the colon of --config, with made-up data where the config takes a path; skips without data."""
    if name in known():
        try:
            locate(name)
        except UserError as error:
            pytest.skip(str(error))
    if name == "synthetic":
        write(Synthetic(users=60, causes=0), folder / "log")
        return [f"path={folder / 'log'}"]
    made = {"own_log": item_log, "user_behavior": behaviour_log}
    return [f"path={made[name](folder / 'log.csv')}"] if name in made else []


def trained(script, name: str, folder: Path, *more: str) -> Path:
    """The folder of a tiny run of this config, trained and evaluated."""
    workdir = folder / "run"
    less = [f"--config.data.cleaning.min_user_events={BUSY[name]}"] if name in BUSY else []
    argument = ",".join(["tiny", *arguments(name, folder), *more])
    train = script(
        "train",
        f"--config=configs/{name}.py:{argument}",
        f"--workdir={workdir}",
        f"--config.data.prepared_dir={folder / 'prepared'}",
        *less,
        *QUIET,
    )
    assert train.code == 0, train.err
    evaluate = script("evaluate", f"--workdir={workdir}")
    assert evaluate.code == 0, evaluate.err
    assert "± is the standard error over users" in evaluate.out
    return workdir


@pytest.mark.parametrize("name", CONFIGS)
def test_every_config_trains_and_evaluates(script, tmp_path, monkeypatch, name):
    monkeypatch.chdir(ROOT)
    workdir = trained(script, name, tmp_path)
    for file in ("config.json", "data.json", "metrics.jsonl", "training.json", "evaluation.json", "curves.png"):
        assert (workdir / file).stat().st_size, file
    evaluation = json.loads((workdir / "evaluation.json").read_text())
    assert all(np.isfinite(value) for value in evaluation["metrics"]["test"].values())
    assert json.loads((workdir / "training.json").read_text())["finished"]
