"""`trajectory train` as a process of its own on a small log, and what it leaves."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import jax
import numpy as np

from trajectory.cli.main import main
from trajectory.training import experiment, logging, optimizer
from trajectory.training.checkpoint import Checkpoints
from trajectory.training.train_step import initial_state

ROOT = Path(__file__).parents[2]
TIMINGS = {"events_per_second", "validation/seconds"}
# Forks of a process that has imported everything: the script itself, without the 5 s that its imports take.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(
    [
        "trajectory.cli.command",
        "trajectory.evaluation.validation",
        "trajectory.reports.charts",
        "trajectory.training.loop",
    ]
)


def _script(arguments: list[str], output: Path) -> None:
    file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.chdir(ROOT)
    sys.argv = ["trajectory", *arguments]
    try:
        main("train")
    finally:
        # JAX does so when Python ends, which a process of multiprocessing does not wait for: the first process would
        # leave, and so end the others, before they have said what they have to.
        if jax.distributed.is_initialized():
            jax.distributed.shutdown()


class Script:
    """One start of `trajectory train`."""

    def __init__(self, arguments: list[str], workdir: Path, output: Path | None = None) -> None:
        self.workdir, self.output, self.began = workdir, output or workdir.with_suffix(".txt"), time.time_ns()
        self.output.unlink(missing_ok=True)
        self.process = FORKS.Process(target=_script, args=([*arguments, f"--workdir={workdir}"], self.output))
        self.process.start()

    def wait_for(self, what: Callable[[], object]) -> None:
        began = time.monotonic()
        while not what():
            assert self.process.is_alive(), f"ended too early: {self.said()}"
            assert time.monotonic() - began < 120, f"hangs: {self.said()}"
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


def write_log(folder: Path) -> Path:
    """A small log of clicks."""
    rng = np.random.default_rng(0)
    rows = ["user,item,time"]
    for user in range(150):
        rows += [
            f"u{user},i{rng.integers(40)},{1_700_000_000 + 50 * user + 4000 * t}" for t in range(rng.integers(4, 15))
        ]
    path = folder / "clicks.csv"
    path.write_text("\n".join(rows) + "\n")
    return path


def arguments(log: Path, backbone: str, devices: int) -> list[str]:
    """Two short epochs with a save at each step."""
    return [
        f"--config=configs/own_log.py:path={log},model={backbone},tiny",
        f"--config.data.prepared_dir={log.parent / 'prepared'}",
        "--config.batch.rows=4",
        f"--config.train.devices={devices}",
        "--config.model.layers=(16,)",
        "--config.model.inputs=('item','gap')",
        "--config.train.epochs=2",
        "--config.train.smoothing=0",
        "--config.init.item_vectors=random",
        "--config.train.save_every_steps=1",
        "--config.optim.warmup_steps=4",
        "--config.optim.learning_rate=0.01",
        "--config.logging.every_steps=3",
        "--config.logging.wandb=False",
        "--config.logging.tensorboard=False",
    ]


def end(workdir: Path) -> tuple[dict[str, np.ndarray], list[dict]]:
    """All arrays of the newest and of the best checkpoint, and the records without timings."""
    built = experiment.build(experiment.load_config(workdir / "config.json"))
    tx, batch = optimizer.optimiser(built.config.optim, 100), built.training_data().plan(0).batch(0)
    shapes = jax.eval_shape(lambda: initial_state(built.model, tx, batch, 0))
    checkpoints = Checkpoints(workdir, read_only=True)
    state, progress, _ = checkpoints.restore(jax.tree.map(lambda x: np.zeros(x.shape, x.dtype), shapes))
    step, best = checkpoints.restore_best()
    checkpoints.close()
    tree = {"state": state, "progress": progress._replace(monitor=0), "best_step": step, "best": best}
    arrays = {jax.tree_util.keystr(k): np.asarray(v) for k, v in jax.tree_util.tree_flatten_with_path(tree)[0]}
    records = logging.read(workdir / "metrics.jsonl")
    return arrays, [{k: v for k, v in record.items() if k not in TIMINGS} for record in records]
