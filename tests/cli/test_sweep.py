"""`trajectory sweep` and `trajectory search` from flags to tables, with made-up runs and once with real ones."""

from __future__ import annotations

import json

import polars as pl
import pytest

from tests.cli.logs import item_log

CONFIG = "--config=user_a"
COMMON = ("--config.train.monitor=ndcg@10", "--config.train.epochs=3")
SWEEP = """
from trajectory.tuning.members import Member, Sweep

def get_sweep():
    rates = {"low": 0.001, "high": 0.003, "bad": 1.0}
    return Sweep("low", {
        name: Member({"optim.learning_rate": rate, "note": "fail" if name == "bad" else ""})
        for name, rate in rates.items()
    })
"""


def test_a_sweep_compares_its_members_and_names_the_failing_one(script, made_up_program, tmp_path):
    file, out = tmp_path / "rates.py", tmp_path / "out"
    file.write_text(SWEEP)
    command = ("sweep", CONFIG, f"--sweep={file}", f"--out={out}", "--seeds=0,1", *COMMON)
    ran = script(*command)
    assert ran.code == 1, "a member failed"
    assert "6 runs, 0 of them finished before" in ran.out
    assert "bad_1 failed: all was well\nerror: the made-up mistake" in ran.out
    text = (out / "sweep.md").read_text()
    assert text in ran.out
    assert "- bad_0 failed: error: the made-up mistake" in text
    frame = pl.read_csv(out / "sweep.csv")
    assert frame["name"].to_list() == ["low", "high", "bad", "popularity"]
    assert frame["seeds"].to_list() == [2, 2, 0, None]
    assert frame["ndcg@10"].to_list() == pytest.approx([0.001 * 1.045, 0.003 * 1.045, None, 0.002])
    assert frame["ndcg@10_difference"][1] == pytest.approx(0.002 * 1.045)
    assert (out / "sweep.png").read_bytes().startswith(b"\x89PNG")
    again = script(*command)
    assert "6 runs, 4 of them finished before" in again.out
    assert (out / "sweep.md").read_text() == text


def test_a_search_reads_test_of_its_best_trial_alone(script, made_up_program, tmp_path):
    file, out = tmp_path / "rates.py", tmp_path / "out"
    file.write_text(
        "def suggest(t):\n    return {'optim.learning_rate': t.suggest_float('r', *[(t.number + 1) / 8] * 2)}"
    )
    command = ("search", CONFIG, f"--search={file}", f"--out={out}", *COMMON)
    ran = script(*command, "--trials=3")
    assert ran.code == 0, ran.err
    assert "best on validation: trial_0002" in ran.out
    assert "--config.optim.learning_rate=0.375" in ran.out
    assert "| popularity |" in ran.out, "the best trial beside the baselines"
    assert [path.parent.name for path in out.glob("*/evaluation.json")] == ["trial_0002"]
    evaluated = (out / "trial_0002" / "evaluation.json").stat().st_mtime_ns
    assert script(*command, "--trials=3").code == 0
    assert (out / "trial_0002" / "evaluation.json").stat().st_mtime_ns == evaluated
    assert (out / "trials.journal").exists()


@pytest.mark.parametrize(
    ("name", "flags", "words"),
    [
        ("sweep", ("--sweep=backbones",), ("'backbones'; did you mean backbone",)),
        ("sweep", ("--sweep=backbone", "--seeds=a"), ("--seeds",)),
        (
            "sweep",
            ("--sweep=backbone", "--config.optim.learningrate=1"),
            ("no field optim.learningrate", "learning_rate"),
        ),
        ("sweep", ("--sweep=backbone", "--workers=1000"), ("--workers",)),
        ("search", ("--search=backbone",), ("suggest",)),
        ("search", ("--search=search", "--config.optim.learningrate=1"), ("learning_rate",)),
    ],
)
def test_mistakes_are_explained_before_anything_runs(script, tmp_path, name, flags, words):
    ran = script(name, CONFIG, f"--out={tmp_path / 'out'}", *flags)
    assert ran.code == 2, (ran.out, ran.err)
    message = [line for line in ran.err.splitlines() if line.startswith("error: ")]
    assert len(message) == 1
    for word in words:
        assert word in message[0]
    assert not (tmp_path / "out").exists()


def test_real_runs_in_a_sweep_and_a_search(script, tmp_path, monkeypatch):
    monkeypatch.delenv("XLA_FLAGS")  # its devices are this process's, not its children's
    log, out = item_log(tmp_path / "log.csv"), tmp_path / "sweep"
    file = tmp_path / "file.py"
    file.write_text(
        "from trajectory.tuning.members import Member, Sweep\n"
        "def get_sweep():\n    return Sweep('gru', {'gru': Member({'batch.rows': 4}, 'model=gru')})\n"
        "def suggest(trial):\n    return {'model.dropout': trial.suggest_float('dropout', 0.0, 0.5)}\n"
    )
    command = (f"--config=own_log:path={log},tiny", f"--config.data.prepared_dir={tmp_path / 'prepared'}")
    command += ("--config.logging.wandb=False", "--config.logging.tensorboard=False", "--cores=1")
    command += ("--config.train.epochs=2",)
    ran = script("sweep", *command, f"--sweep={file}", f"--out={out}", "--seeds=0", "--metrics=ndcg@10")
    assert ran.code == 0, ran.out + ran.err
    folder = out / "gru_0"
    metric = json.loads((folder / "evaluation.json").read_text())["metrics"]["test"]["ndcg@10"]
    per_user = pl.read_parquet(folder / "per_user.parquet")
    assert per_user.filter(part="test")["ndcg@10"].mean() == pytest.approx(metric)
    assert per_user.filter(part="test")["user"].n_unique() == per_user.filter(part="validation").height == 60
    assert f" {metric:.4f} |" in ran.out
    assert "1 device(s)" in (folder / "log.txt").read_text(), "a worker with one core has one virtual device"
    assert json.loads((folder / "config.json").read_text())["batch"]["rows"] == 4
    out = tmp_path / "search"
    ran = script("search", *command, f"--search={file}", f"--out={out}", "--trials=1")
    assert ran.code == 0, ran.out + ran.err
    summary = json.loads((out / "trial_0000" / "training.json").read_text())
    table = pl.read_csv(out / "search.csv")
    assert table["ndcg@10"][0] == summary["best_ndcg@10"]
    assert table["epochs"][0] == summary["epochs"]
