"""The one loop: config -> trained parameters in a run's folder, resumable bit for bit at any moment."""

from __future__ import annotations

import contextlib
import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
from flax.traverse_util import flatten_dict
from ml_collections import ConfigDict
from tqdm.auto import tqdm

from trajectory import hints, locks
from trajectory.direction import less_is_better
from trajectory.progress import progress, working
from trajectory.run_card import write_card
from trajectory.schema import Batch, UserError
from trajectory.training import (
    auto_config,
    distillation,
    distributed,
    initialization,
    limits,
    optimizer,
    parallel,
    portable,
)
from trajectory.training.checkpoint import Checkpoints, Progress
from trajectory.training.experiment import Experiment
from trajectory.training.folder import read_summary
from trajectory.training.logging import MetricsLog, draw_curves
from trajectory.training.losses import Objective
from trajectory.training.param_rules import Rules
from trajectory.training.stopping import Stop
from trajectory.training.train_step import TrainState, TrainStep, initial_state
from trajectory.writing import write_json

_LOGGER = logging.getLogger(__name__)

# Given parameters (NumPy arrays), returns named metrics; one of them is train.monitor.
Validate = Callable[[Any], dict[str, float]]


class Diverged(FloatingPointError):
    """A loss or gradient was not finite; the message names step and batch."""


class _Pending(NamedTuple):
    """Metrics of a dispatched step that have not been fetched: the device need not wait for the host."""

    step: int
    epoch: int
    batch: int
    metrics: dict[str, jax.Array]


def train(experiment: Experiment, workdir: Path, validate: Validate) -> dict[str, Any]:
    """Trains until the last epoch or until patience ends; returns a summary (also written to training.json).

    A run that was interrupted goes on from its newest checkpoint; SIGTERM and SIGINT make it save and return, with the
    signal in the summary (see stopping.py).
    Raises Diverged, UserError.
    """
    with Stop() as stop, contextlib.ExitStack() as held:
        return _train(experiment, workdir, validate, stop, held)


def _train(
    experiment: Experiment, workdir: Path, validate: Validate, stop: Stop, held: contextlib.ExitStack
) -> dict[str, Any]:
    config = experiment.config
    limits.check(config)
    limits.check_data(config, experiment.histories)
    devices = parallel.devices(config.train.devices, config.batch.rows)
    content = initialization.content_of_start(experiment)
    soft = distillation.soft_targets(experiment)
    data = experiment.training_data(soft)
    first = data.plan(0)
    config = auto_config.decide_epochs(config, first.num_batches)
    steps = first.num_batches * config.train.epochs
    config = auto_config.decide_warmup(config, steps)
    experiment = replace(experiment, config=config)
    names = flatten_dict(experiment.parameters_like(), sep="/")
    rules = Rules.of(config.init.rules, names)
    tx = optimizer.optimiser(config.optim, steps, rules)
    step = TrainStep(
        experiment.model,
        tx,
        Objective.of(config, experiment.item_interest),
        experiment.negatives(),
        config.train.matmul_precision,
    )
    devices_step = parallel.Parallel(step, config.train.strategy, devices, config.train.shard_items, experiment.content)
    # After what can be refused: a mistake must not leave a folder behind.
    distributed.on_leader(lambda: held.enter_context(locks.alone(workdir / ".lock", f"training in {workdir}")))
    distributed.on_leader(lambda: initialization.claim(experiment, workdir, soft))
    checkpoints = Checkpoints(workdir) if distributed.is_leader() else None
    state = jax.tree.map(
        np.asarray, initial_state(experiment.model, tx, first.batch(0), config.seed, experiment.content)
    )

    def begin() -> tuple[Any, ...]:
        nonlocal state
        state, *others = initialization.initialise(experiment, tx, rules, state, checkpoints, content)
        return tuple(others)

    stood, position, origin = distributed.on_leader(begin)
    state, progress = distributed.broadcast_from_leader(state), Progress(*stood)
    batches = iter(data.dataset())
    batches.set_state(position)
    size = sum(np.size(leaf) for leaf in jax.tree.leaves(state.params))
    batches_said = f"{first.num_batches:,} batches"
    if first.num_batches < first.all_batches and config.batch.max_batches:
        batches_said = f"{first.num_batches:,} of {first.all_batches:,} batches (batch.max_batches)"
    _LOGGER.info(
        f"{config.name}: {config.model.backbone}, {size:,} parameters, {batches_said} an epoch "
        f"({first.padding:.1%} padding), {len(devices)} device(s), {config.train.strategy}; from {origin}"
    )
    for doubt in limits.doubts(config, experiment.split, first.num_batches):
        _LOGGER.warning(doubt)
    resumed_at = int(state.step) if origin.startswith("own workdir") else None
    output = _Output(checkpoints, MetricsLog(workdir, config, resumed_at)) if checkpoints else None
    rate = optimizer.schedule(config.optim, steps)
    looped = _Loop(config, devices_step, batches, first.num_batches, rate, progress, validate, stop, output)
    try:
        looped.run(devices_step.place(state))
    finally:
        if output:
            output.close()
    return distributed.on_leader(lambda: _summarise(experiment, workdir, looped, size))


def _summarise(experiment: Experiment, workdir: Path, looped: _Loop, size: int) -> dict[str, Any]:
    config = experiment.config
    if looped.progress.best_epoch >= 0:
        portable.save_item_table(experiment, workdir)
    draw_curves(workdir, f"{config.name}: {config.model.backbone}")
    path = workdir / "training.json"
    speeds = {
        "seconds_per_epoch": looped.seconds_per_epoch,
        "events_per_second": looped.events_per_second,
        "input_share": looped.input_share,
    }
    if not looped.steps and path.exists():  # nothing was left to do: the speeds measured then stand
        try:
            before = read_summary(workdir, *speeds)
        except UserError as damage:
            _LOGGER.warning(damage)
        else:
            speeds = {name: before[name] for name in speeds}
    summary = {
        "finished": looped.finished,
        "stopped_by": looped.stop.signal,
        "epochs": looped.progress.epoch,
        "best_epoch": looped.progress.best_epoch,
        f"best_{config.train.monitor}": looped.progress.best_metric,
        **speeds,
        "parameters": size,
    }
    write_json(summary, path)
    write_card(workdir)
    return summary


class _Output(NamedTuple):
    """Where a run's states and metrics go."""

    checkpoints: Checkpoints
    log: MetricsLog

    def close(self) -> None:
        """Returns when everything is on disk."""
        self.checkpoints.wait()
        self.log.close()
        self.checkpoints.close()


@dataclass
class _Loop:
    """Steps and epochs; only the first process has an output."""

    config: ConfigDict
    devices_step: parallel.Parallel
    batches: Any
    steps_per_epoch: int
    learning_rate: Callable[[int], Any]  # of the update after so many
    progress: Progress
    validate: Validate
    stop: Stop
    output: _Output | None
    train_seconds: float = 0.0
    input_seconds: float = 0.0
    events: int = 0
    steps: int = 0

    def run(self, state: TrainState) -> None:
        if int(state.step) == 0:
            # What was taken over, or is known before, may be better than anything that comes of it.
            if self.config.init.init_from or self.config.content.by != "ids":
                self._judged(state, 0)
            # The state before the first batch is saved too: a run killed in its first epoch loses nothing else.
            self._save(state)
        while not (self.finished or self.stop.requested):
            with working(self._label if distributed.is_leader() else "training with the first process"):
                state = self._epoch(state)
            if self.batches.get_state()["epoch"] > self.progress.epoch:
                self._judged(state, self.progress.epoch + 1)
                self._save(state)
            else:
                self._save(state)
        if not self.finished:
            _LOGGER.info(f"stopped by a signal at step {int(state.step)}, saved; {hints.again()} goes on from here")

    @property
    def finished(self) -> bool:
        config = self.config.train
        return self.progress.epoch >= config.epochs or self.progress.stale_epochs >= config.patience_epochs

    @property
    def _label(self) -> str:
        return f"epoch {self.progress.epoch + 1}/{self.config.train.epochs}"

    def _epoch(self, state: TrainState) -> TrainState:
        began, events, seconds_waited = time.perf_counter(), 0, 0.0
        number = self.progress.epoch + 1
        bar = progress(None, self._label, self.steps_per_epoch, disable=not distributed.is_leader())
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
            state, metrics = self.devices_step.step(state, batch)
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
        metrics = {name: float(value) for name, value in jax.device_get(pending.metrics).items()}
        if not all(math.isfinite(metrics[name]) for name in ("loss", "gradient_norm")):
            raise Diverged(
                f"loss {metrics['loss']} and gradient norm {metrics['gradient_norm']} at step {pending.step} (epoch "
                f"{pending.epoch}, batch {pending.batch}); the last good checkpoint is kept. "
                f"Lower optim.learning_rate or set optim.clip_norm, and start in another ({hints.argument('workdir')})"
            )
        rate = events / (time.perf_counter() - began)
        bar.set_postfix_str(f"loss {metrics['loss']:.3f}, {rate:,.0f} events/s", refresh=False)
        if self.output and (pending.step == 1 or pending.step % self.config.logging.every_steps == 0):
            named = {f"train/step_{name}": value for name, value in metrics.items()}
            named |= {"train/learning_rate": float(self.learning_rate(pending.step - 1)), "events_per_second": rate}
            self.output.log.write(pending.step, pending.epoch - 1, named)

    def _judged(self, state: TrainState, epoch: int) -> None:
        step, host = int(state.step), self.devices_step.host(optimizer.evaluation_params(state.params, state.opt_state))
        self.progress = Progress(*distributed.on_leader(lambda: self._judge(step, host, epoch)))

    def _judge(self, step: int, host: Any, epoch: int) -> Progress:
        """Validates, keeps the best parameters, logs and tells; of the first process."""
        assert self.output
        p, monitor = self.progress, self.config.train.monitor
        began = time.perf_counter()
        with working("validating"):
            metrics = self.validate(host)
        seconds = time.perf_counter() - began
        if f"validation/{monitor}" not in metrics:
            names = ", ".join(sorted(n.removeprefix("validation/") for n in metrics if n.startswith("validation/")))
            raise UserError(f"train.monitor={monitor!r} is not measured here; choose one of: {names}")
        value = metrics[f"validation/{monitor}"]
        better = p.best_metric is None or (value < p.best_metric if less_is_better(monitor) else value > p.best_metric)
        progress = Progress(
            epoch,
            value if better else p.best_metric,
            epoch if better else p.best_epoch,
            0 if better else p.stale_epochs + 1,
            monitor,
        )
        if better:
            self.output.checkpoints.save_best(step, host)
        self.output.log.write(step, epoch, metrics | {"validation/seconds": seconds})
        losses = ", ".join(f"{n} {metrics[f'{n}/loss']:.3f}" for n in ("train", "validation") if f"{n}/loss" in metrics)
        _LOGGER.info(
            f"epoch {epoch}/{self.config.train.epochs}: loss {losses}; validation {monitor} {value:.4f}"
            f"{' (best)' if better else ''}; {self.events_per_second:,.0f} events/s, "
            f"{self.seconds_per_epoch:.1f} s an epoch + {seconds:.1f} s to validate"
        )
        return progress

    def _save(self, state: TrainState) -> None:
        host = self.devices_step.host(state)
        if self.output:
            self.output.checkpoints.save(host, self.progress, self.batches.get_state())

    @property
    def seconds_per_epoch(self) -> float:
        return self.train_seconds * self.steps_per_epoch / max(self.steps, 1)

    @property
    def events_per_second(self) -> float:
        return self.events / max(self.train_seconds, 1e-9)

    @property
    def input_share(self) -> float:
        return self.input_seconds / max(self.train_seconds, 1e-9)
