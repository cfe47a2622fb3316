"""`trajectory train` killed or stopped at any moment, started again: bitwise where an undisturbed run ends."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.training.train_script import Script, arguments, end, write_log
from trajectory.evaluation.validation import ValidationMonitor
from trajectory.run import load_run
from trajectory.schema import UserError


@pytest.fixture(scope="module")
def log(tmp_path_factory) -> Path:
    return write_log(tmp_path_factory.mktemp("log"))


def _arguments(log: Path, backbone: str) -> list[str]:
    return arguments(log, backbone, devices=0 if backbone == "gru" else 1)  # gru: all cores


@pytest.fixture(scope="module")
def undisturbed(log) -> Callable[[str], Path]:
    """The finished run of a backbone that nothing interrupted."""

    def run(backbone: str) -> Path:
        workdir = log.parent / f"{backbone}_undisturbed"
        if not workdir.exists():
            Script(_arguments(log, backbone), workdir).finish()
        return workdir

    return run


def _assert_same_end(workdir: Path, reference: Path) -> None:
    (arrays, records), (expected, expected_records) = end(workdir), end(reference)
    assert arrays.keys() == expected.keys()
    different = [name for name in expected if arrays[name].tobytes() != expected[name].tobytes()]
    assert not different
    assert records == expected_records
    last = records[-1]["step"]
    assert [r["step"] for r in records if "validation/loss" not in r] == [1, *range(3, last + 1, 3)]
    assert [r["epoch"] for r in records if "validation/loss" in r] == [1, 2]


@pytest.mark.parametrize("backbone", ["gru", "hybrid"])  # the latter holds a transformer and a recurrent network
def test_a_killed_run_ends_bitwise_equal(backbone, log, undisturbed):
    reference = undisturbed(backbone)
    rng = np.random.default_rng(len(backbone))
    workdir = log.parent / f"{backbone}_killed"
    for kill in range(3):
        script = Script(_arguments(log, backbone), workdir)
        script.wait_for(script.trains)
        if kill == 0:  # before there is a checkpoint, or hardly after
            time.sleep(rng.uniform(0, 0.02))
            script.kill()
            continue
        script.wait_for(script.saves)
        if kill == 1:
            script.kill_while_saving()
        else:
            time.sleep(rng.uniform(0, 0.1))
            script.kill()
    assert "; from own workdir, step " in Script(_arguments(log, backbone), workdir).finish()
    _assert_same_end(workdir, reference)


def test_a_stopped_run_saves_says_so_and_ends_bitwise_equal(log, undisturbed):
    reference = undisturbed("gru")
    workdir = log.parent / "gru_stopped"
    origin = "scratch"
    for number in (signal.SIGTERM, signal.SIGINT):
        script = Script(_arguments(log, "gru"), workdir)
        script.wait_for(script.trains)
        script.wait_for(script.saves)
        os.kill(script.process.pid, number)
        said = script.finish()
        assert f"; from {origin}\n" in said
        assert "Traceback" not in said
        step = re.search(r"stopped by a signal at step (\d+), saved; the same command goes on", said)[1]
        assert not json.loads((workdir / "training.json").read_text())["finished"]
        origin = f"own workdir, step {step}"
    assert f"; from {origin}\n" in Script(_arguments(log, "gru"), workdir).finish()
    assert json.loads((workdir / "training.json").read_text())["finished"]
    _assert_same_end(workdir, reference)


def test_a_diverging_run_says_where_in_one_message(log, tmp_path):
    arguments = [*_arguments(log, "gru"), "--config.optim.learning_rate=1e30", "--config.optim.warmup_steps=0"]
    script = Script(arguments, tmp_path / "run")
    script.process.join(120)
    said, _, error = script.said().partition("error: ")
    assert script.process.exitcode == 1, said
    assert re.fullmatch(
        r"loss \S+ and gradient norm \S+ at step \d+ \(epoch 1, batch \d+\); the last good checkpoint is kept\. "
        r"Lower optim\.learning_rate .*\n",
        error,
    ), said + error


def test_a_finished_run_opens_with_its_best_parameters(undisturbed, tmp_path):
    workdir = undisturbed("gru")
    run = load_run(workdir)
    arrays, records = end(workdir)
    watched = [r for r in records if "validation/loss" in r]
    best = max(watched, key=lambda r: r["validation/ndcg@10"])
    assert run.step == best["step"] == arrays["['best_step']"]
    assert run.checkpoint == f"best ndcg@10 on validation, step {run.step}"
    found = ValidationMonitor(run.experiment)(run.params)
    assert {name: found[name] for name in best if "/" in name} == pytest.approx(
        {name: value for name, value in best.items() if "/" in name}, rel=1e-5
    )
    copy = shutil.copytree(workdir, tmp_path / "copy")
    (copy / "vocabulary.json").unlink()  # so that the log is opened at once
    data = json.loads((copy / "data.json").read_text())
    (copy / "data.json").write_text(json.dumps(data | {"fingerprint": "1" * 64}))
    with pytest.raises(UserError, match=r"is the same, but .* has changed since .* \(fingerprint 111111111111 then"):
        load_run(copy)
    (copy / "data.json").write_text(json.dumps(data | {"fingerprint": "1" * 64, "source": "2" * 64}))
    with pytest.raises(UserError, match=r"^the log of the run in \S+ has changed since it was trained"):
        load_run(copy)
    del data["format"]  # of a run made before it was written down
    (copy / "data.json").write_text(json.dumps(data | {"fingerprint": "1" * 64}))
    with pytest.raises(UserError, match=r"format of prepared logs has changed.*1\.0\.0 then, .*train again in a new"):
        load_run(copy)
