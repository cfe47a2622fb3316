"""`trajectory train` as two processes: trained as one with two devices, stopped and refused together."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.training.train_script import Script, arguments, end, write_log

JIT = "--config.train.strategy=jit"


class Pair:
    """One start of `trajectory train` as two processes of one device each."""

    def __init__(self, given: list[str], workdir: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("localhost", 0))
            address = f"localhost:{probe.getsockname()[1]}"
        self.scripts = [
            Script(
                [*given, f"--coordinator={address}", "--processes=2", f"--process={process}"],
                workdir,
                workdir.with_name(f"{workdir.name}_{process}.txt"),
            )
            for process in range(2)
        ]

    def ends(self) -> list[int | None]:
        for script in self.scripts:
            script.process.join(100)
        return [script.process.exitcode for script in self.scripts]

    def said(self) -> list[str]:
        # Gloo, which carries what processes tell each other on a CPU, greets on its own.
        return [re.sub(r"\[Gloo\].*\n", "", script.said()) for script in self.scripts]

    def kill(self) -> None:
        for script in self.scripts:
            if script.process.is_alive():
                os.kill(script.process.pid, signal.SIGKILL)  # JAX hears SIGTERM and goes on
                script.process.join()


@pytest.fixture
def start() -> Iterator:
    pairs = []

    def started(given: list[str], workdir: Path) -> Pair:
        pairs.append(Pair(given, workdir))
        return pairs[-1]

    yield started
    for pair in pairs:
        pair.kill()


@pytest.fixture(scope="module")
def log(tmp_path_factory) -> Path:
    return write_log(tmp_path_factory.mktemp("log"))


@pytest.fixture(scope="module")
def one(log) -> Path:
    """The run of one process with two devices."""
    workdir = log.parent / "one"
    Script([*arguments(log, "gru", devices=2), JIT], workdir).finish()
    return workdir


def _assert_same(workdir: Path, reference: Path) -> None:
    (arrays, records), (expected, expected_records) = end(workdir), end(reference)
    assert arrays.keys() == expected.keys()
    for name, array in arrays.items():
        np.testing.assert_allclose(array, expected[name], atol=1e-5, err_msg=name)
    assert len(records) == len(expected_records)
    for record, wanted in zip(records, expected_records, strict=True):
        assert record == pytest.approx(wanted, rel=1e-4)


def test_two_processes_train_as_one_with_two_devices_also_when_stopped_and_started_again(log, one, start):
    workdir = log.parent / "two"
    given = [*arguments(log, "gru", devices=1), JIT]
    pair = start(given, workdir)
    leader, follower = pair.scripts
    leader.wait_for(lambda: leader.saves() >= 2)
    os.kill(follower.process.pid, signal.SIGTERM)
    assert pair.ends() == [0, 0], pair.said()
    said, other = pair.said()
    assert "2 device(s), jit; from scratch\n" in said
    step = re.search(r"stopped by a signal at step (\d+), saved; the same command goes on", said)[1]
    assert not re.search("epoch|stopped|from", other), "only the first process speaks"
    assert not json.loads((workdir / "training.json").read_text())["finished"]

    pair = start(given, workdir)
    assert pair.ends() == [0, 0], pair.said()
    assert f"; from own workdir, step {step}\n" in pair.said()[0]
    assert json.loads((workdir / "training.json").read_text())["finished"]
    _assert_same(workdir, one)


def test_two_processes_may_share_the_item_table(log, one, start):
    workdir = log.parent / "shared"
    pair = start([*arguments(log, "gru", devices=1), JIT, "--config.train.shard_items=True"], workdir)
    assert pair.ends() == [0, 0], pair.said()
    _assert_same(workdir, one)


def test_what_one_process_cannot_do_ends_all_with_one_message(log, one, start, tmp_path):
    pair = start([*arguments(log, "gru", devices=1), "--config.train.strategy=pmap"], tmp_path / "run")
    assert pair.ends() == [2, 2]
    for said in pair.said():
        assert "error: train.strategy=pmap is for one process; with several use train.strategy=jit\n" in said
    assert not (tmp_path / "run").exists()

    # Only the first process looks at the folder; the other must not wait for it.
    workdir = Path(shutil.copytree(one, tmp_path / "one"))
    pair = start([*arguments(log, "gru", devices=1), JIT], workdir)
    assert pair.ends() == [2, 2]
    for said in pair.said():
        assert "error: " in said
        assert "holds a run of another config; it differs in train.devices (2 there, 1 here)" in said


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--processes=2"], "--processes=2 needs --coordinator, host:port of process 0"),
        (["--coordinator=here"], "--coordinator=here: expected host:port"),
        (["--coordinator=localhost:1", "--processes=2", "--process=2"], "expected less than --processes=2"),
        (["--coordinator=auto"], "--coordinator=auto: this is no cluster that JAX knows"),
    ],
)
def test_flags_that_do_not_fit_are_refused(flags, message, log, tmp_path):
    script = Script([*arguments(log, "gru", devices=1), JIT, *flags], tmp_path / "run")
    script.process.join(60)
    assert script.process.exitcode == 2
    assert message in script.said()
