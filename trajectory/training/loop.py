"""The one loop: config -> trained parameters in a run's folder, resumable bit for bit at any moment."""

from __future__ import annotations

import json
import math
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
import optax
from flax.traverse_util import flatten_dict
from ml_collections import ConfigDict
from tqdm import tqdm

from trajectory.schema import Batch, SoftTargets, UserError
from trajectory.training import optim, parallel, processes, teachers, transfer
from trajectory.training import task as tasks
from trajectory.training.checkpoint import Checkpoints, Progress
from trajectory.training.first_vectors import first_vectors
from trajectory.training.logging import MetricsLog, draw_curves
from trajectory.training.steps import TrainState, TrainStep, in_table, initial_state
from trajectory.training.task import Task
from trajectory.training.transfer_rules import Rules

# Given parameters (NumPy arrays), returns named metrics; one of them is train.monitor.
Validate = Callable[[Any], dict[str, float]]

ITEM_VECTORS = ("random", "co_occurrence")
# Sections and fields that may differ when a run goes on: they do not change what is trained.
MAY_CHANGE = ("evaluation", "forecast", "logging", "train.epochs", "train.patience_epochs", "train.save_every_steps")
# All of the optimiser but optim.average, which decides what its state consists of.
OPTIM = tuple(
    f"optim.{name}" for name in ("learning_rate", "warmup_steps", "schedule", "weight_decay", "clip_norm", "b2")
)
DEVICES = ("train.strategy", "train.devices", "train.shard_items")
# Those that may differ from the run of init.resume_from besides; its data may lie elsewhere but must be the same.
MAY_DIFFER = (*MAY_CHANGE, "name", "note", "recipe", "init", *OPTIM, "data", *DEVICES)


class Diverged(FloatingPointError):
    """A loss or gradient was not finite; the message names step and batch."""


class _Pending(NamedTuple):
    """Metrics of a dispatched step that have not been fetched: the device need not wait for the host."""

    step: int
    epoch: int
    batch: int
    metrics: dict[str, jax.Array]


def train(task: Task, workdir: Path, validate: Validate) -> dict[str, Any]:
    """Trains until the last epoch or until patience ends; returns a summary (also written to training.json).

    A run that was interrupted goes on from its newest checkpoint; SIGTERM and SIGINT make it save and return.
    Raises Diverged, UserError.
    """
    with _Stop() as stop:
        return _train(task, workdir, validate, stop)


def _train(task: Task, workdir: Path, validate: Validate, stop: _Stop) -> dict[str, Any]:
    config = task.config
    devices = parallel.devices(config.train.devices, config.batch.rows)
    if config.init.item_vectors not in ITEM_VECTORS:
        raise UserError(
            f"init.item_vectors={config.init.item_vectors!r} is unknown; expected {' or '.join(ITEM_VECTORS)}"
        )
    if config.train.negatives and config.train.shard_items:
        raise UserError("train.negatives draws from a whole item table; set train.shard_items=False, or negatives to 0")
    if config.train.smoothing and config.train.shard_items:
        raise UserError("train.smoothing needs a whole item table; set train.shard_items=False, or smoothing to 0")
    soft = teachers.soft_targets(task)
    data = task.training_data(soft)
    first = data.plan(0)
    names = flatten_dict(task.parameters_like(), sep="/")
    rules = Rules.of(config.init.rules, names)
    tx = optim.optimiser(config.optim, first.num_batches * config.train.epochs, rules)
    step = TrainStep(
        task.model,
        tx,
        config.heads,
        task.item_interest,
        negatives=task.negatives(),
        products=config.train.products,
        smoothing=config.train.smoothing,
        power=config.train.power,
    )
    devices_step = parallel.Parallel(step, config.train.strategy, devices, config.train.shard_items, task.content)
    # After what can be refused: a mistake must not leave a folder behind.
    processes.led(lambda: _claim(task, workdir, soft))
    checkpoints = Checkpoints(workdir) if processes.leads() else None
    state, progress, position, origin = processes.led(
        lambda: _initialise(
            task, tx, rules, initial_state(task.model, tx, first.batch(0), config.seed, task.content), checkpoints
        )
    )
    batches = iter(data.dataset())
    batches.set_state(position)
    size = sum(np.size(leaf) for leaf in jax.tree.leaves(state.params))
    print(
        f"{config.name}: {config.model.backbone}, {size:,} parameters, {first.num_batches:,} batches an epoch "
        f"({first.padding:.1%} padding), {len(devices)} device(s), {config.train.strategy}; from {origin}",
        flush=True,
    )
    resumed_at = int(state.step) if origin.startswith("own workdir") else None
    log = MetricsLog(workdir, config, resumed_at) if processes.leads() else None
    looped = _Loop(config, devices_step, checkpoints, log, validate, batches, progress, stop, first.num_batches)
    try:
        looped.run(devices_step.place(state))
    finally:
        if checkpoints and log:
            checkpoints.wait()
            log.close()
            checkpoints.close()
    return processes.led(lambda: _summarise(workdir, config, looped, size))


def _summarise(workdir: Path, config: ConfigDict, looped: _Loop, size: int) -> dict[str, Any]:
    draw_curves(workdir, f"{config.name}: {config.model.backbone}")
    path = workdir / "training.json"
    speeds = {
        "seconds_per_epoch": looped.seconds_per_epoch,
        "events_per_second": looped.events_per_second,
        "input_share": looped.input_share,
    }
    if not looped.steps and path.exists():  # nothing was left to do: the speeds measured then stand
        before = json.loads(path.read_text())
        speeds = {name: before[name] for name in speeds}
    summary = {
        "finished": looped.finished,
        "epochs": looped.progress.epoch,
        "best_epoch": looped.progress.best_epoch,
        f"best_{config.train.monitor}": looped.progress.best_metric,
        **speeds,
        "parameters": size,
    }
    tasks.write_json(summary, path)
    return summary


class _Loop:
    """Steps and epochs; only the first process has checkpoints and a log."""

    def __init__(
        self, config, devices_step, checkpoints, log, validate, batches, progress, stop, steps_per_epoch
    ) -> None:
        self.config, self.parallel, self.checkpoints, self.log = config, devices_step, checkpoints, log
        self.validate, self.batches, self.progress, self.stop = validate, batches, progress, stop
        self.steps_per_epoch = steps_per_epoch
        self.train_seconds = self.input_seconds = 0.0
        self.events = self.steps = 0

    def run(self, state: TrainState) -> None:
        if int(state.step) == 0:
            if self.config.init.init_from:  # what was taken over may be better than anything that comes of it
                self._judged(state, 0)
            # The state before the first batch is saved too: a run killed in its first epoch loses nothing else.
            self._save(state)
        while not (self.finished or self.stop.asked):
            state = self._epoch(state)
            if self.batches.get_state()["epoch"] > self.progress.epoch:
                self._judged(state, self.progress.epoch + 1)
                self._save(state)
            else:
                self._save(state)
        if not self.finished:
            print(f"stopped by a signal at step {int(state.step)}, saved; the same command goes on from here")

    @property
    def finished(self) -> bool:
        config = self.config.train
        return self.progress.epoch >= config.epochs or self.progress.stale_epochs >= config.patience_epochs

    def _epoch(self, state: TrainState) -> TrainState:
        began, events, seconds_waited = time.perf_counter(), 0, 0.0
        number = self.progress.epoch + 1
        bar = tqdm(
            total=self.steps_per_epoch,
            desc=f"epoch {number}/{self.config.train.epochs}",
            leave=False,
            delay=2,
            disable=None if processes.leads() else True,
        )
        position = self.batches.get_state()
        bar.update(position["batch"])
        pending: _Pending | None = None
        step = int(state.step)
        while not self.stop.before(step):
            waited = time.perf_counter()
            batch: Batch = next(self.batches)
            seconds_waited += time.perf_counter() - waited
            index, position = position["batch"], self.batches.get_state()
            events += int(np.count_nonzero(batch.events.segment))
            state, metrics = self.parallel.step(state, batch)
            step, self.steps = step + 1, self.steps + 1
            self._fetch(pending, events, began, bar)
            pending = _Pending(step, number, index, metrics)
            bar.update()
            if position["epoch"] >= number:
                break
            every = self.config.train.save_every_steps
            if every and step % every == 0:
                self._fetch(pending, events, began, bar)
                pending = None
                self._save(state)
        self._fetch(pending, events, began, bar)
        jax.block_until_ready(state)
        bar.close()
        seconds = time.perf_counter() - began
        self.train_seconds, self.input_seconds = self.train_seconds + seconds, self.input_seconds + seconds_waited
        self.events += events
        return state

    def _fetch(self, pending: _Pending | None, events: int, began: float, bar: tqdm) -> None:
        """Looks at a step's metrics once they are there; logs them now and then; stops a diverged run."""
        if pending is None:
            return
        found = {name: float(value) for name, value in jax.device_get(pending.metrics).items()}
        if not all(math.isfinite(found[name]) for name in ("loss", "gradient_norm")):
            raise Diverged(
                f"loss {found['loss']} and gradient norm {found['gradient_norm']} at step {pending.step} (epoch "
                f"{pending.epoch}, batch {pending.batch}); the last good checkpoint is kept. "
                "Lower optim.learning_rate or set optim.clip_norm, then start in a new --workdir"
            )
        rate = events / (time.perf_counter() - began)
        bar.set_postfix_str(f"loss {found['loss']:.3f}, {rate:,.0f} events/s", refresh=False)
        if self.log and (pending.step == 1 or pending.step % self.config.logging.every_steps == 0):
            named = {f"train/step_{name}": value for name, value in found.items()}
            self.log.write(pending.step, pending.epoch - 1, named | {"events_per_second": rate})

    def _judged(self, state: TrainState, epoch: int) -> None:
        step, host = int(state.step), self.parallel.host(optim.evaluated(state.params, state.opt_state))
        self.progress = processes.led(lambda: self._judge(step, host, epoch))

    def _judge(self, step: int, host: Any, epoch: int) -> Progress:
        """Validates, keeps the best parameters, logs and tells."""
        p, monitor = self.progress, self.config.train.monitor
        began = time.perf_counter()
        metrics = self.validate(host)
        seconds = time.perf_counter() - began
        if f"validation/{monitor}" not in metrics:
            names = ", ".join(sorted(n.removeprefix("validation/") for n in metrics if n.startswith("validation/")))
            raise UserError(f"train.monitor={monitor!r} is not measured here; choose one of: {names}")
        value = metrics[f"validation/{monitor}"]
        better = p.best_metric is None or (value < p.best_metric if monitor.endswith("loss") else value > p.best_metric)
        progress = Progress(
            epoch,
            value if better else p.best_metric,
            epoch if better else p.best_epoch,
            0 if better else p.stale_epochs + 1,
            monitor,
        )
        if better:
            self.checkpoints.save_best(step, host)
        self.log.write(step, epoch, metrics | {"validation/seconds": seconds})
        losses = ", ".join(f"{n} {metrics[f'{n}/loss']:.3f}" for n in ("train", "validation") if f"{n}/loss" in metrics)
        print(
            f"epoch {epoch}/{self.config.train.epochs}: loss {losses}; validation {monitor} {value:.4f}"
            f"{' (best)' if better else ''}; {self.events_per_second:,.0f} events/s, "
            f"{self.seconds_per_epoch:.1f} s an epoch + {seconds:.1f} s to validate",
            flush=True,
        )
        return progress

    def _save(self, state: TrainState) -> None:
        host = self.parallel.host(state)
        if self.checkpoints:
            self.checkpoints.save(host, self.progress, self.batches.get_state())

    @property
    def seconds_per_epoch(self) -> float:
        return self.train_seconds * self.steps_per_epoch / max(self.steps, 1)

    @property
    def events_per_second(self) -> float:
        return self.events / max(self.train_seconds, 1e-9)

    @property
    def input_share(self) -> float:
        return self.input_seconds / max(self.train_seconds, 1e-9)


class _Stop:
    """Notes SIGTERM and SIGINT, so that the loop can save and leave; a second SIGINT interrupts at once.

    Several processes must leave at the same step. JAX's preemption service sees to it once one of them gets SIGTERM,
    which is left to it then, and SIGINT is passed on as SIGTERM.
    """

    def __init__(self) -> None:
        self.asked = self._noted = False

    def __enter__(self) -> _Stop:
        numbers = (signal.SIGINT,) if processes.several() else (signal.SIGTERM, signal.SIGINT)
        self._handlers = {number: signal.signal(number, self._note) for number in numbers}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def before(self, step: int) -> bool:
        """Whether to leave before this step."""
        self.asked = self.asked or processes.preempted(step)
        return self.asked

    def _note(self, number: int, _: object) -> None:
        if self._noted and number == signal.SIGINT:
            raise KeyboardInterrupt
        self._noted = True
        os.write(2, b"stopping after this step ...\n")  # print may be in the middle of a line already
        if processes.several():
            os.kill(os.getpid(), signal.SIGTERM)
        else:
            self.asked = True


def _claim(task: Task, workdir: Path, soft: SoftTargets | None) -> None:
    """Makes the run's folder, or checks that it holds a run of the same config on the same data, taught the same."""
    described = tasks.describe_data(task, soft)
    workdir.mkdir(parents=True, exist_ok=True)
    if (workdir / "config.json").exists():
        # A schedule that ends with the last epoch is another one when the number of epochs changes.
        fixed = () if task.config.optim.schedule == "constant" else ("train.epochs",)
        advice = "Choose a new --workdir, or the same config and data to go on"
        _check_same(task, workdir, tuple(k for k in MAY_CHANGE if k not in fixed), advice)
        path = workdir / "data.json"
        if path.exists() and json.loads(path.read_text()).get("soft_targets") != described["soft_targets"]:
            raise UserError(f"the runs in distil.teachers have changed since the run in {workdir} began. {advice}")
    tasks.save_config(task.config, workdir / "config.json")
    tasks.write_json(described, workdir / "data.json")


def _check_same(task: Task, folder: Path, may_change: tuple[str, ...], advice: str) -> None:
    before, now = _flat(tasks.load_config(folder / "config.json")), _flat(task.config)
    changed = [k for k in sorted(before | now) if before.get(k) != now.get(k) and not k.startswith(may_change)]
    if changed:
        raise UserError(
            f"{folder} holds a run of another config; it differs in "
            + ", ".join(f"{k} ({before.get(k)!r} there, {now.get(k)!r} here)" for k in changed[:5])
            + f". {advice}"
        )
    path = folder / "data.json"
    if path.exists() and json.loads(path.read_text())["fingerprint"] != task.histories.fingerprint:
        raise UserError(f"the data has changed since the run in {folder} began. {advice}")


def _flat(config: ConfigDict, prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in config.items():
        if isinstance(value, ConfigDict):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = tuple(value) if isinstance(value, list) else value
    return flat


def _initialise(
    task: Task, tx: optax.GradientTransformation, rules: Rules, fresh: TrainState, checkpoints: Any
) -> tuple[TrainState, Progress, dict[str, int], str]:
    """State, progress and position of the data: own workdir > resume_from > init_from > scratch; says which."""
    config = task.config
    host = jax.tree.map(np.asarray, fresh)
    own = checkpoints.restore(host)
    if own is not None:
        return *own, f"own workdir, step {int(own[0].step)}"
    start = Progress(0, None, -1, 0, config.train.monitor), {"epoch": 0, "batch": 0}
    if config.init.resume_from:
        folder = _run_folder(config.init.resume_from)
        _check_same(task, folder, MAY_DIFFER, "init.resume_from needs a run of the same model and data; see init_from")
        other = Checkpoints(folder, read_only=True)
        found = other.restore(host)
        if found is None:
            raise UserError(f"init.resume_from={config.init.resume_from}: that run has no checkpoint")
        if found[1].best_epoch >= 0:  # it may stay the best
            checkpoints.save_best(*other.restore_best(host.params))
        other.close()
        return *found, f"resume_from {config.init.resume_from}, step {int(found[0].step)}"
    params, origin = host.params, "scratch"
    if config.init.item_vectors == "co_occurrence" and config.content.by != "content":
        vectors = first_vectors(task.histories, task.split, config.model.width)
        params = jax.tree_util.tree_map_with_path(lambda path, x: vectors if in_table(path) else x, params)
        origin = "item vectors of co-occurrence"
    if config.init.init_from:
        params, report = transfer.take_over(params, _run_folder(config.init.init_from), rules.skipped)
        print(report)
        origin = f"init_from {config.init.init_from}"
    return host._replace(params=params, opt_state=jax.tree.map(np.asarray, tx.init(params))), *start, origin


def _run_folder(path: str) -> Path:
    folder = Path(path)
    if not (folder / "checkpoints").is_dir():
        raise UserError(f"{folder} is not a run: it has no checkpoints; expected the --workdir of scripts/train.py")
    return folder
