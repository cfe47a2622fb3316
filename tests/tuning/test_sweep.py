"""What a sweep consists of and which of its runs are made, with a made-up program for training and evaluation."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import threading
import time
from pathlib import Path

import pytest

from trajectory import digest
from trajectory.schema import UserError
from trajectory.tuning import sweep
from trajectory.tuning.members import Member, Sweep, grid
from trajectory.tuning.workers import Workers

ROOT = Path(__file__).parents[2]
CONFIG = "user_a"


def starts(out: Path) -> dict[str, int]:
    return {path.parent.name: len(path.read_text().split()) for path in out.glob("*/starts.txt")}


def interrupt_when(seen) -> None:
    """Sends this process a SIGTERM as soon as `seen` is true."""

    def wait() -> None:
        while not seen():
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, daemon=True).start()


@pytest.fixture
def make(tmp_path, made_up_program):
    """make(members, *settings) -> failures, the workers; the base is the first member."""

    def run(members: dict[str, Member], *settings: str, seeds=(0,)):
        asked = Sweep(next(iter(members)), members)
        settings = ("train.monitor=ndcg@10", "train.epochs=3", *settings)
        with Workers(1) as workers:
            return sweep.make(sweep.plan(CONFIG, asked, seeds, settings, tmp_path), workers), workers

    return run


def test_a_grid_has_every_combination_named_by_its_values():
    found = grid(
        {"optim.learning_rate": (1e-3, 3e-4), "model.layers": ((8,), (8, 8))},
        base={"model.layers": (8,), "optim.learning_rate": 1e-3},
        argument="model=gru",
    )
    assert found.base == "learning_rate=0.001,layers=8"
    assert list(found.members) == [
        "learning_rate=0.001,layers=8",
        "learning_rate=0.001,layers=8-8",
        "learning_rate=0.0003,layers=8",
        "learning_rate=0.0003,layers=8-8",
    ]
    assert found.members["learning_rate=0.0003,layers=8-8"] == Member(
        {"optim.learning_rate": 3e-4, "model.layers": (8, 8)}, "model=gru"
    )


def test_grid_fields_with_the_same_last_word_are_named_in_full():
    found = grid({"data.seed": (0, 1), "seed": (0,)}, {"data.seed": 0, "seed": 0})
    assert list(found.members) == ["data.seed=0,seed=0", "data.seed=1,seed=0"]


EXAMPLES = [
    ("backbone", 4, "gru", "amazon_beauty:tiny"),
    ("learning_rate", 6, None, "amazon_beauty:tiny"),
    ("ablation", 24, "transformer", "amazon_beauty:tiny"),
    ("transfer", 9, "content", "finetune:tiny,init=runs/sources"),
    ("fields", 7, "all", "finetune:tiny"),
    ("prior", 13, "default", "finetune:tiny"),
    ("sources", 9, "content", "finetune:tiny"),
]


@pytest.mark.parametrize(("name", "count", "base", "config"), EXAMPLES)
def test_example_sweeps_fit_a_config(name, count, base, config, tmp_path):
    found = sweep.read_sweep(name)
    runs = sweep.plan(config, found, (0, 1), (), tmp_path)
    assert len({run.folder for run in runs}) == 2 * count
    assert len({json.dumps(run.config) for run in runs}) == 2 * count
    assert base is None or found.base == base


def test_a_member_changes_the_config_by_argument_and_field_and_goes_before_the_settings_of_all(tmp_path):
    members = {"a": Member({"optim.learning_rate": 0.25, "model.layers": [4]}, "model=lstm"), "b": Member()}
    settings = ("optim.learning_rate=0.5", "logging.wandb_project=x")
    runs = sweep.plan(f"{CONFIG}:tiny", Sweep("b", members), (3, 4), settings, tmp_path / "out")
    assert [run.folder.name for run in runs] == ["a_3", "b_3", "a_4", "b_4"]
    first, second = runs[0].config, runs[1].config
    assert (first["model"]["backbone"], first["model"]["layers"], first["seed"]) == ("lstm", [4], 3)
    assert (first["optim"]["learning_rate"], second["optim"]["learning_rate"]) == (0.25, 0.5)
    assert second["model"]["backbone"] == "gru"
    assert "logging" not in first
    assert "--config.logging.group=out" in runs[0].flags, "W&B shows them as one group"
    assert runs[0].flags[0] == f"--config={CONFIG}:tiny,model=lstm"


@pytest.mark.parametrize(
    ("member", "words"),
    [
        (Member({"optim.learningrate": 1}), "member 'a': .*learning_rate"),
        (Member({"train.epochs": "few"}), "member 'a': .*few"),
        (Member(argument="model=rnn"), "member 'a': .*model=rnn"),
    ],
)
def test_a_member_that_does_not_fit_is_named_before_anything_runs(member, words, tmp_path):
    with pytest.raises(UserError, match=f"(?s){words}"):
        sweep.plan(CONFIG, Sweep("a", {"a": member}), (0,), (), tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "has no function get_sweep"),
        ("def get_sweep(): return {}", "must return a Sweep"),
        ("def get_sweep(): return Sweep('b', {'a': Member()})", "the base 'b' is no member; members: a"),
        ("def get_sweep(): return Sweep('a/b', {'a/b': Member()})", "'a/b' names a folder"),
    ],
)
def test_a_file_that_is_no_sweep(text, words, tmp_path):
    path = tmp_path / "x.py"
    path.write_text(f"from trajectory.tuning.members import Member, Sweep\n{text}\n")
    with pytest.raises(UserError, match=words):
        sweep.read_sweep(str(path))
    with pytest.raises(UserError, match="no file"):
        sweep.read_sweep(str(tmp_path / "nowhere.py"))


def test_a_failing_member_stops_no_other_and_is_tried_again(make, tmp_path):
    members = {"bad": Member({"note": "fail"}), "good": Member()}
    failed, _ = make(members, seeds=(0, 1))
    assert failed == {name: "all was well\nerror: the made-up mistake" for name in ("bad_0", "bad_1")}
    assert (tmp_path / "good_1" / "evaluation.json").exists()
    failed, _ = make(members, seeds=(0, 1))
    assert len(failed) == 2
    assert starts(tmp_path) == {"bad_0": 2, "bad_1": 2, "good_0": 1, "good_1": 1}


def test_a_member_that_dies_without_a_word_is_a_failing_one(make):
    assert make({"a": Member({"note": "die"})})[0] == {"a_0": "exit status -9"}


def test_what_is_finished_with_the_same_config_and_code_is_kept(make, tmp_path, monkeypatch):
    members = {"a": Member()}
    make(members)
    make(members, "logging.tensorboard=False")  # changes nothing that is trained
    assert starts(tmp_path) == {"a_0": 1}
    make(members, "optim.b2=0.9")
    assert starts(tmp_path) == {"a_0": 2}, "train.py says whether it goes on with another config"
    monkeypatch.setattr(sweep.digest, "of_code", lambda rooms: "other")
    failed, _ = make(members, "optim.b2=0.9")
    assert (starts(tmp_path), failed) == ({"a_0": 3}, {})
    planned = sweep.plan(CONFIG, Sweep("a", members), (0,), (), tmp_path)
    assert [digests[-1] for digests in sweep.versions(planned).values()] == ["other"]
    make(members, "optim.b2=0.9")
    assert starts(tmp_path) == {"a_0": 3}


@pytest.mark.parametrize(
    ("file", "decides"),
    [("metrics/ranking.py", True), ("schema.py", True), ("tuning/sweep_table.py", False), ("cli/train.py", False)],
)
def test_code_is_what_decides_the_numbers(tmp_path, file, decides):
    assert all((ROOT / "trajectory" / name).is_file() for name in digest.COMPARING)
    package = shutil.copytree(digest.ROOT, tmp_path / "trajectory")
    before = digest.of_code(sweep.DECISIVE, package)
    assert before == digest.of_code(sweep.DECISIVE)
    with (package / file).open("a") as text:
        text.write("# changed")
    assert (digest.of_code(sweep.DECISIVE, package) != before) == decides


def test_a_cut_run_goes_on_where_it_was(make, tmp_path):
    members = {"a": Member({"note": "hang"}), "b": Member()}
    metrics = tmp_path / "a_0" / "metrics.jsonl"
    interrupt_when(lambda: metrics.exists() and metrics.read_text())
    failed, workers = make(members)
    assert (workers.stopped, failed) == (signal.SIGTERM, {})
    assert not json.loads((tmp_path / "a_0" / "training.json").read_text())["finished"]
    assert not (tmp_path / "a_0" / "evaluation.json").exists()
    assert starts(tmp_path) == {"a_0": 1}, "no further run was begun"
    failed, workers = make(members)
    assert (workers.stopped, failed) == (0, {})
    assert starts(tmp_path) == {"a_0": 2, "b_0": 1}
    assert "begins after epoch 1\n" in (tmp_path / "a_0" / "log.txt").read_text()
    assert (tmp_path / "a_0" / "evaluation.json").exists()


@pytest.mark.parametrize("place", ["at its top", "in get_sweep()"])
def test_what_a_file_of_the_user_s_raises_is_told_with_its_line(place, tmp_path):
    body = "grid({'seed': (0, 1)})"
    text = f"sweep = {body}" if place == "at its top" else f"def get_sweep(): return {body}"
    (path := tmp_path / "mine.py").write_text(f"from trajectory.tuning.members import grid\n{text}\n")
    with pytest.raises(UserError, match=r"mine\.py: .* failed at line 2 \(TypeError: .*'base'.*docs/sweeps\.md"):
        sweep.read_sweep(str(path))


def test_the_sweeps_of_the_docs_fit_a_config(tmp_path):
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "sweeps.md").read_text(), re.S)
    sweeps = [block for block in blocks if "get_sweep" in block]
    assert len(sweeps) == 2
    for block in sweeps:
        (path := tmp_path / "mine.py").write_text(block)
        found = sweep.read_sweep(str(path))
        assert len(sweep.plan("amazon_beauty", found, (0,), (), tmp_path)) == len(found.members) > 2
