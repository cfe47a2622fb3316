"""Files of a run that are damaged or missing: a sentence says which and what helps, or what can be is made anew."""

from __future__ import annotations

import json
import shutil

import pytest

from tests.cli.logs import item_log
from tests.cli.test_mistakes import assert_explained
from trajectory.locks import alone

DAMAGES = {
    "missing": None,
    "empty": b"",
    "binary": bytes(range(256)),
    "null": b"null",
    "no names": b"{}",
    "deep": b"[" * 100_000,
}
COMMANDS = ("train", "evaluate", "forecast")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("damage")


@pytest.fixture
def command(script, place):
    """command("train", workdir) -> what `trajectory train` makes of the log and the folder."""

    def run(name: str, workdir, *more: str):
        flags = {
            "train": (
                f"--config=configs/own_log.py:path={place / 'log.csv'},model=gru,tiny",
                f"--config.data.prepared_dir={place / 'prepared'}",
                *("--config.train.epochs=1", "--config.logging.wandb=False", "--config.logging.tensorboard=False"),
                *("--config.evaluation.bootstrap=50",),
            ),
            "forecast": ("--users=3",),
        }
        return script(name, *flags.get(name, ()), f"--workdir={workdir}", *more)

    return run


@pytest.fixture
def finished(command, place, tmp_path):
    """A copy of a run that was trained and evaluated."""
    if not (place / "run").exists():
        item_log(place / "log.csv")
        for name in ("train", "evaluate"):
            assert command(name, place / "run").code == 0
    return shutil.copytree(place / "run", tmp_path / "run")


def holds(ran, refused: bool, name: str) -> None:
    if refused:
        assert_explained(ran, name)
    else:
        assert ran.code == 0, ran.err


@pytest.mark.parametrize("name", ["config.json", "data.json"])
def test_what_the_run_cannot_do_without_is_named(command, finished, name):
    good = (finished / name).read_bytes()
    wrong = json.dumps(json.loads(good) | {"model": {"width": "wide"}, "fingerprint": 7}).encode()
    for damage, content in {**DAMAGES, "half": good[: len(good) // 2], "other types": wrong}.items():
        for asked in COMMANDS[:2]:
            (finished / name).write_bytes(content) if content is not None else (finished / name).unlink()
            before = {path.name for path in finished.iterdir()}
            ran = command(asked, finished)
            # Without them training knows of no earlier run: it goes on from the checkpoints.
            holds(ran, refused=not (asked == "train" and damage == "missing"), name=name)
            if ran.code:
                assert {path.name for path in finished.iterdir()} <= before | {".lock"}


def test_what_was_measured_is_not_shown_when_damaged(command, finished):
    name = "evaluation.json"
    good = json.loads((finished / name).read_text())
    good["metrics"]["test"] |= {"hr@10": "much"}
    damaged = [content for content in DAMAGES.values() if content is not None]
    for content in (*damaged, json.dumps(good).encode()):
        (finished / name).write_bytes(content)
        assert_explained(command("forecast", finished), name, "trajectory evaluate")


@pytest.mark.parametrize("name", ["training.json", "metrics.jsonl"])
def test_what_training_can_do_without_is_written_anew(command, finished, name):
    for content in DAMAGES.values():
        (finished / name).write_bytes(content) if content is not None else (finished / name).unlink()
        holds(command("train", finished), refused=False, name=name)
        assert json.loads((finished / "training.json").read_text())["finished"]


def test_baselines_whose_results_are_damaged_are_measured_anew(command, finished, place):
    (kept,) = (place / "prepared" / "baselines").iterdir()
    before, good = (finished / "evaluation.json").read_bytes(), kept.read_bytes()
    for content in (b"", good[:100], good[: len(good) // 2], b"\0" + good[1:], bytes(100)):
        kept.write_bytes(content)
        ran = command("evaluate", finished)
        assert ran.code == 0, ran.err
        assert "the baselines are measured anew" in ran.out
        assert (finished / "evaluation.json").read_bytes() == before
    assert "anew" not in command("evaluate", finished).out


def test_one_training_at_a_time_has_a_folder(command, finished):
    with alone(finished / ".lock", "training"):
        assert_explained(command("train", finished), "another process is training in", str(finished))
        assert command("evaluate", finished).code == 0, "others only read"
    assert command("train", finished).code == 0
