"""scripts/train.py killed or stopped at any moment, started again until done: bitwise where an undisturbed run ends."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import re
import runpy
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import jax
import numpy as np
import pytest

from trajectory.evaluation.validation import Watch
from trajectory.schema import UserError
from trajectory.training import logging, optim, task
from trajectory.training.checkpoint import Checkpoints
from trajectory.training.run import open_run
from trajectory.training.steps import initial_state

ROOT = Path(__file__).parents[2]
TIMINGS = {"events_per_second", "validation/seconds"}
# Forks of a process that has imported everything: the script itself, without the 5 s that its imports take.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(
    [
        "matplotlib.backends.backend_agg",
        "matplotlib.figure",
        "trajectory.cli",
        "trajectory.evaluation.validation",
        "trajectory.training.loop",
    ]
)


def _script(arguments: list[str], output: Path) -> None:
    file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.chdir(ROOT)
    sys.argv = ["scripts/train.py", *arguments]
    runpy.run_path("scripts/train.py", run_name="__main__")


class Script:
    """One start of scripts/train.py."""

    def __init__(self, arguments: list[str], workdir: Path) -> None:
        self.workdir, self.output, self.began = workdir, workdir.with_suffix(".txt"), time.time_ns()
        self.output.unlink(missing_ok=True)
        self.process = FORKS.Process(target=_script, args=([*arguments, f"--workdir={workdir}"], self.output))
        self.process.start()

    def wait_for(self, what: Callable[[], object]) -> None:
        while not what():
            assert self.process.is_alive(), f"ended too early: {self.said()}"
            time.sleep(0.002)

    def trains(self) -> bool:
        return "; from " in self.said()

    def said(self) -> str:
        return self.output.read_text() if self.output.exists() else ""

    def saves(self, finished: bool = True) -> int:
        """How many checkpoints this start has written, or is writing."""
        found = 0
        for path in self.workdir.glob("checkpoints/*/*"):
            with contextlib.suppress(FileNotFoundError):  # moved to its final name meanwhile
                found += path.name.isdigit() == finished and path.stat().st_mtime_ns > self.began
        return found

    def kill(self) -> None:
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.join()
        assert self.process.exitcode == -signal.SIGKILL

    def kill_while_saving(self) -> None:
        """Kills the process where a checkpoint is half written: it is halted first to be sure."""
        while True:
            self.wait_for(lambda: self.saves(finished=False))
            os.kill(self.process.pid, signal.SIGSTOP)
            if self.saves(finished=False):
                return self.kill()
            os.kill(self.process.pid, signal.SIGCONT)

    def finish(self) -> str:
        self.process.join(120)
        assert self.process.exitcode == 0, self.said()
        return self.said()


@pytest.fixture(scope="module")
def log(tmp_path_factory) -> Path:
    rng = np.random.default_rng(0)
    rows = ["user,item,time"]
    for user in range(150):
        rows += [
            f"u{user},i{rng.integers(40)},{1_700_000_000 + 50 * user + 4000 * t}" for t in range(rng.integers(4, 15))
        ]
    path = tmp_path_factory.mktemp("log") / "clicks.csv"
    path.write_text("\n".join(rows) + "\n")
    return path


def _arguments(log: Path, backbone: str) -> list[str]:
    return [
        f"--config=configs/own_log.py:path={log},model={backbone},tiny",
        f"--config.data.prepared_dir={log.parent / 'prepared'}",
        "--config.batch.rows=4",
        f"--config.train.devices={0 if backbone == 'gru' else 1}",  # gru: all cores
        "--config.model.layers=(16,)",
        "--config.model.inputs=('item','gap')",
        "--config.train.epochs=2",
        "--config.train.save_every_steps=1",
        "--config.optim.warmup_steps=4",
        "--config.optim.learning_rate=0.01",
        "--config.logging.every_steps=3",
        "--config.logging.wandb=False",
        "--config.logging.tensorboard=False",
    ]


@pytest.fixture(scope="module")
def undisturbed(log) -> Callable[[str], Path]:
    """The finished run of a backbone that nothing interrupted."""

    def run(backbone: str) -> Path:
        workdir = log.parent / f"{backbone}_undisturbed"
        if not workdir.exists():
            Script(_arguments(log, backbone), workdir).finish()
        return workdir

    return run


def _end(workdir: Path) -> tuple[dict[str, np.ndarray], list[dict]]:
    """All arrays of the newest and of the best checkpoint, and the records without timings."""
    built = task.build(task.load_config(workdir / "config.json"))
    tx, batch = optim.optimiser(built.config.optim, 100), built.training_data().plan(0).batch(0)
    shapes = jax.eval_shape(lambda: initial_state(built.model, tx, batch, 0))
    checkpoints = Checkpoints(workdir, read_only=True)
    state, progress = checkpoints.restore(jax.tree.map(lambda x: np.zeros(x.shape, x.dtype), shapes), None)
    step, best = checkpoints.restore_best(None)
    checkpoints.close()
    tree = {"state": state, "progress": progress._replace(monitor=0), "best_step": step, "best": best}
    arrays = {jax.tree_util.keystr(k): np.asarray(v) for k, v in jax.tree_util.tree_flatten_with_path(tree)[0]}
    records = logging.read(workdir / "metrics.jsonl")
    return arrays, [{k: v for k, v in record.items() if k not in TIMINGS} for record in records]


def _assert_same_end(workdir: Path, reference: Path) -> None:
    (arrays, records), (expected, expected_records) = _end(workdir), _end(reference)
    assert arrays.keys() == expected.keys()
    different = [name for name in expected if arrays[name].tobytes() != expected[name].tobytes()]
    assert not different
    assert records == expected_records
    last = records[-1]["step"]
    assert [r["step"] for r in records if "validation/loss" not in r] == [1, *range(3, last + 1, 3)]
    assert [r["epoch"] for r in records if "validation/loss" in r] == [1, 2]


@pytest.mark.parametrize("backbone", ["lstm", "gru", "transformer"])
def test_a_killed_run_ends_bitwise_equal(backbone, log, undisturbed):
    reference = undisturbed(backbone)
    rng = np.random.default_rng(["lstm", "gru", "transformer"].index(backbone))
    workdir = log.parent / f"{backbone}_killed"
    for kill in range(5):
        script = Script(_arguments(log, backbone), workdir)
        script.wait_for(script.trains)
        if kill == 0:  # before there is a checkpoint, or hardly after
            time.sleep(rng.uniform(0, 0.02))
            script.kill()
            continue
        script.wait_for(script.saves)
        if kill % 2:
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
    run = open_run(workdir)
    arrays, records = _end(workdir)
    watched = [r for r in records if "validation/loss" in r]
    best = max(watched, key=lambda r: r["validation/ndcg@10"])
    assert run.step == best["step"] == arrays["['best_step']"]
    assert run.checkpoint == f"best ndcg@10 on validation, step {run.step}"
    found = Watch(run.task)(run.params)
    assert {name: found[name] for name in best if "/" in name} == pytest.approx(
        {name: value for name, value in best.items() if "/" in name}, rel=1e-5
    )
    copy = shutil.copytree(workdir, tmp_path / "copy")
    data = json.loads((copy / "data.json").read_text())
    (copy / "data.json").write_text(json.dumps(data | {"fingerprint": "1" * 64}))
    with pytest.raises(UserError, match=r"has changed since it was trained \(fingerprint 111111111111 then"):
        open_run(copy)
