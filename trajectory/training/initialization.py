"""How a run begins: its folder, and where its parameters and its place in the data come from."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import jax
import numpy as np
import optax
from ml_collections import ConfigDict

from trajectory import hints
from trajectory.data.content.content import item_content
from trajectory.schema import SoftTargets, UserError
from trajectory.training import portable, transfer
from trajectory.training.checkpoint import Checkpoints, Progress
from trajectory.training.experiment import Experiment, check_data, describe_data, load_config, save_config
from trajectory.training.folder import read_data
from trajectory.training.item_init import first_vectors
from trajectory.training.param_rules import Rules
from trajectory.training.train_step import TrainState, in_table
from trajectory.writing import write_json

_LOGGER = logging.getLogger(__name__)

# Sections and fields that may differ when a run goes on: they do not change what is trained.
TRAIN = ("train.epochs", "train.patience_epochs", "train.save_every_steps")
MAY_CHANGE = ("by_hand", "data.by_hand", "data.later", "evaluation", "explain", "forecast", "logging", *TRAIN)
# All of the optimiser but optim.average, which decides what its state consists of.
OPTIM = tuple(
    f"optim.{name}" for name in ("learning_rate", "warmup_steps", "schedule", "weight_decay", "clip_norm", "b2")
)
WARMUP = "optim.warmup_steps"
DEVICES = ("train.strategy", "train.devices", "train.shard_items")
# Those that may differ from the run of init.resume_from besides; its data may lie elsewhere but must be the same.
MAY_DIFFER = (*MAY_CHANGE, "name", "note", "auto_config", "init", *OPTIM, "data", *DEVICES)


def content_of_start(experiment: Experiment) -> np.ndarray | None:
    """Content [V + 1, frozen] by which item vectors begin near each other; None where none is asked for."""
    config = experiment.config
    if "content" not in config.init.item_vectors or config.content.by == "content":
        return None
    return item_content(experiment.histories, config).frozen


def claim(experiment: Experiment, workdir: Path, soft: SoftTargets | None) -> None:
    """Makes the run's folder, or checks that it holds a run of the same config on the same data, taught the same."""
    described = describe_data(experiment, soft)
    workdir.mkdir(parents=True, exist_ok=True)
    if (workdir / "config.json").exists():
        # A schedule that ends with the last epoch is another one when the number of epochs changes.
        fixed = () if experiment.config.optim.schedule == "constant" else ("train.epochs",)
        # Unless set by hand the warm-up follows from the number of steps, and was not always written down.
        decided = () if WARMUP in experiment.config.by_hand else (WARMUP,)
        advice = f"Choose a new folder ({hints.argument('workdir')}), or the same config and data to go on"
        _check_same(experiment, workdir, tuple(k for k in (*MAY_CHANGE, *decided) if k not in fixed), advice)
        there = (workdir / "data.json").exists()  # not if the run was killed before
        if there and read_data(workdir).get("soft_targets") != described["soft_targets"]:
            raise UserError(f"the runs in distil.teachers have changed since the run in {workdir} began. {advice}")
    save_config(experiment.config, workdir / "config.json")
    write_json(described, workdir / "data.json")
    portable.save_known(experiment, workdir)


def _check_same(experiment: Experiment, folder: Path, may_change: tuple[str, ...], advice: str) -> None:
    before, now = _flat(load_config(folder / "config.json")), _flat(experiment.config)
    changed = [k for k in sorted(before | now) if before.get(k) != now.get(k) and not k.startswith(may_change)]
    if changed:
        raise UserError(
            f"{folder} holds a run of another config; it differs in "
            + ", ".join(f"{k} ({before.get(k)!r} there, {now.get(k)!r} here)" for k in changed[:5])
            + f". {advice}"
        )
    if not (folder / "data.json").exists():
        return
    check_data(read_data(folder), experiment.histories, folder, advice)


def _flat(config: ConfigDict, prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in config.items():
        if isinstance(value, ConfigDict):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = tuple(value) if isinstance(value, list) else value
    return flat


def initialise(
    experiment: Experiment,
    tx: optax.GradientTransformation,
    rules: Rules,
    fresh: TrainState,
    checkpoints: Any,
    content: np.ndarray | None,
) -> tuple[TrainState, Progress, dict[str, int], str]:
    """State, progress and position of the data: own workdir > resume_from > init_from > scratch; says which.

    `fresh` is the state from scratch, `content` what its item vectors begin with (see `content_of_start`).
    """
    config = experiment.config
    host = jax.tree.map(np.asarray, fresh)
    own = checkpoints.restore(host)
    if own is not None:
        return *own, f"own workdir, step {int(own[0].step)}"
    start = Progress(0, None, -1, 0, config.train.monitor), {"epoch": 0, "batch": 0}
    if config.init.resume_from:
        folder = _run_folder(config.init.resume_from)
        _check_same(
            experiment, folder, MAY_DIFFER, "init.resume_from needs a run of the same model and data; see init_from"
        )
        other = Checkpoints(folder, read_only=True)
        restored = other.restore(host)
        if restored is None:
            raise UserError(f"init.resume_from={config.init.resume_from}: that run has no checkpoint")
        if restored[1].best_epoch >= 0:  # it may stay the best
            checkpoints.save_best(*other.restore_best())
        other.close()
        return *restored, f"resume_from {config.init.resume_from}, step {int(restored[0].step)}"
    params, origin = host.params, "scratch"
    if config.init.item_vectors != "random" and config.content.by != "content":
        vectors = first_vectors(experiment.histories, experiment.split, config.model.width, content)
        params = jax.tree_util.tree_map_with_path(lambda path, x: vectors if in_table(path) else x, params)
        origin = f"item vectors of {config.init.item_vectors}"
    if config.init.init_from:
        params, report = transfer.take_over(params, _run_folder(config.init.init_from), rules.skipped)
        _LOGGER.info(report)
        origin = f"init_from {config.init.init_from}"
    return host._replace(params=params, opt_state=jax.tree.map(np.asarray, tx.init(params))), *start, origin


def _run_folder(path: str) -> Path:
    folder = Path(path)
    if not (folder / "checkpoints").is_dir():
        raise UserError(
            f"{folder} is not a run: it has no checkpoints; expected the folder of a training (trajectory train)"
        )
    return folder
