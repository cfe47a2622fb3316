"""Every config trains and evaluates with `tiny`; what a run's folder and its evaluation.json then hold."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tests.cli.logs import bank_log, behaviour_log, item_log
from trajectory.data.ingest.source.domains import known, locate
from trajectory.data.simulate.synthetic import Synthetic, write
from trajectory.schema import UserError
from trajectory.settings import presets

pytestmark = pytest.mark.compiled_quickly

ELSEWHERE = ("pretrain", "finetune", "finance")  # tests/cli/test_transfer.py, and below
CONFIGS = [name for name in presets.names() if name not in ELSEWHERE]
QUIET = ("--config.logging.wandb=False", "--config.logging.tensorboard=False", "--config.train.devices=1")
QUIET += ("--config.train.epochs=2",)
# Of real logs only the busiest users, to be quick.
BUSY = {
    "amazon_beauty": 40,
    "amazon_sports": 40,
    "complete_journey": 2500,
    "insights": 2500,
    "movielens_1m": 1000,
    "taobao_behavior": 300,
    "trajectories": 2500,
}


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
    made = {"finance": bank_log, "own_log": item_log, "user_behavior": behaviour_log}
    return [f"path={made[name](folder / 'log.csv')}"] if name in made else []


def trained(script, name: str, folder: Path, *given: str, less: int = 0, flags: tuple[str, ...] = ()) -> Path:
    """The folder of a tiny run of this config, trained and evaluated."""
    workdir = folder / "run"
    fewer = f"--config.data.cleaning.min_user_events={less or BUSY.get(name, 1)}"
    argument = ",".join(["tiny", *(given or arguments(name, folder))])
    train = script(
        "train",
        f"--config=configs/{name}.py:{argument}",
        f"--workdir={workdir}",
        f"--config.data.prepared_dir={folder / 'prepared'}",
        fewer,
        *QUIET,
        *flags,
    )
    assert train.code == 0, train.err
    evaluate = script("evaluate", f"--workdir={workdir}")
    assert evaluate.code == 0, evaluate.err
    assert "± is the standard error (" in evaluate.out
    return workdir


@pytest.mark.parametrize("name", CONFIGS)
def test_every_config_trains_and_evaluates(script, tmp_path, name):
    assert_whole(trained(script, name, tmp_path))


def assert_whole(workdir: Path) -> None:
    """A run's folder has all that training and evaluation leave."""
    for file in ("config.json", "data.json", "metrics.jsonl", "training.json", "evaluation.json", "curves.png"):
        assert (workdir / file).stat().st_size, file
    evaluation = json.loads((workdir / "evaluation.json").read_text())
    assert all(np.isfinite(value) for value in evaluation["metrics"]["test"].values())
    assert json.loads((workdir / "training.json").read_text())["finished"]


def test_own_log_reads_a_folder_of_public_data(script, tmp_path):
    try:
        folder = locate("movielens_100k")
    except UserError as error:
        pytest.skip(str(error))
    workdir = trained(script, "own_log", tmp_path, f"path={folder}", "model=lstm", less=300)
    data = json.loads((workdir / "data.json").read_text())
    assert data["users"] == 54
    assert data["interests"] > 10, "the folder's item table names them"


def test_finance_reads_what_a_transaction_is_for_and_how_it_is_made(script, tmp_path):
    workdir = trained(script, "finance", tmp_path, flags=("--config.explain.monitored=4",))
    assert_whole(workdir)
    records = [json.loads(line) for line in (workdir / "metrics.jsonl").read_text().splitlines()]
    shares = [record["explain/share_debit"] for record in records if "explain/completeness_error" in record]
    assert len(shares) == 2, "one for each epoch"
    assert all(0 < share < 1 for share in shares)
    data = json.loads((workdir / "data.json").read_text())
    assert (data["users"], data["events"], data["event_types"]) == (30, 540, ["credit", "debit"])
    assert data["items"] == 6  # two incomes, three payments, interest
    refused = script("train", "--config=configs/finance.py", f"--workdir={tmp_path / 'none'}")
    assert refused.code == 2
    assert "expected --config=finance:path=LOG with the transactions" in refused.err


def test_user_behavior_learns_conversions_and_draws_their_curves(script, tmp_path):
    """The document's own input: features and a label, no items."""
    log = behaviour_log(tmp_path / "user_behavior.csv")
    workdir = tmp_path / "run"
    config = f"--config=configs/user_behavior.py:path={log}"
    home = f"--config.data.prepared_dir={tmp_path / 'prepared'}"
    whole = "--config.train.epochs=60"  # as the preset says: a batch an epoch
    train = script("train", config, f"--workdir={workdir}", home, *QUIET, whole)
    assert train.code == 0, train.err
    evaluate = script("evaluate", f"--workdir={workdir}")
    assert evaluate.code == 0, evaluate.err
    found = json.loads((workdir / "evaluation.json").read_text())
    model, baseline = found["metrics"]["test"], found["baselines"]["base rate"]["test"]
    assert baseline["conversion_auc"] == 0.5
    assert model["conversion_auc"] > 0.85
    assert model["conversion_accuracy"] > baseline["conversion_accuracy"] + 0.1
    for text in ("conversion_auc", "conversion_accuracy", "base rate", f"{model['conversion_auc']:.4f}", "0.5000"):
        assert text in evaluate.out
    records = [json.loads(line) for line in (workdir / "metrics.jsonl").read_text().splitlines()]
    last = [record for record in records if "validation/loss" in record][-1]
    assert {"train/loss", "train/accuracy", "validation/loss", "validation/accuracy"} <= set(last)
    assert (workdir / "curves.png").read_bytes().startswith(b"\x89PNG")
    predict = script("predict", f"--workdir={workdir}", f"--events={log}", f"--out={tmp_path / 'p.csv'}")
    assert predict.code == 0, predict.err
    probability = pl.read_csv(tmp_path / "p.csv")
    assert probability.columns == ["user", "probability", "calibrated"]
    label = pl.read_csv(log).group_by("user", maintain_order=True).last()["label"]
    by_label = probability.sort("user").group_by(label.alias("label")).agg(pl.col("probability").mean()).sort("label")
    assert by_label["probability"][1] > by_label["probability"][0] + 0.3
    for name, more in (("forecast", ()), ("predict", (f"--events={log}", "--steps=2"))):
        refused = script(name, f"--workdir={workdir}", *more)
        assert refused.code == 2
        assert "no item head" in refused.err
