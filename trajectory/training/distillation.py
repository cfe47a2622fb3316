"""Teacher models: what finished runs predict of the training steps, for another run to learn beside the targets."""

from __future__ import annotations

import logging
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from ml_collections import ConfigDict

from trajectory.data.pipeline.batches import TrainingData
from trajectory.models.apply import apply
from trajectory.models.interest_model import InterestModel
from trajectory.progress import progress
from trajectory.run import Run, load_run
from trajectory.schema import Events, SoftTargets, UserError
from trajectory.training.experiment import Experiment

_LOGGER = logging.getLogger(__name__)

TINY = 1e-30


def soft_targets(experiment: Experiment) -> SoftTargets | None:
    """The most likely next items after each training event, by the mean probability of the runs in distil.teachers.

    None without teachers. Their `distil.top_k` most likely items share `distil.share` of a target's weight in the
    proportions of their probabilities (Hinton, Vinyals & Dean 2015, "Distilling the knowledge in a neural network",
    of temperature 1; an ensemble into one network as there). Teachers see no more of the log than training does.
    Raises UserError for teachers of other data or another split or without an item head.
    """
    c = experiment.config.distil
    if not c.teachers:
        return None
    runs = [load_run(Path(folder)) for folder in c.teachers.split(",")]
    for run in runs:
        _refuse_unlike(experiment, run)
    filter_seen = experiment.config.evaluation.seen == "filter"
    count = min(c.top_k, experiment.histories.num_items)
    item = np.zeros((experiment.histories.num_events, count), np.int32)
    share = np.zeros(item.shape, np.float32)
    plan = _reading(experiment, runs).plan(0)
    models = tuple(run.model for run in runs)
    params = jax.device_put([run.params for run in runs], jax.local_devices()[0])
    for index in progress(range(plan.num_batches), "teachers"):
        row, column, at = plan.places(index)
        best = _most_likely(models, params, plan.batch(index).events, count, filter_seen)
        item[at], probability = (np.asarray(part)[row, column] for part in best)
        # Nothing is taught where a history holds the whole catalogue.
        share[at] = c.share * probability / np.maximum(probability.sum(axis=1, keepdims=True), TINY)
    _LOGGER.info(f"taught by {len(runs)} run(s), {c.share:.0%} of each target's weight on {count} items")
    return SoftTargets(item, share)


def _reading(experiment: Experiment, runs: list[Run]) -> TrainingData:
    """Training histories in rows that every teacher can read."""
    batch = ConfigDict(experiment.config.batch)
    batch.length = batch.targets = min(run.config.batch.length for run in runs)
    batch.position_offset, batch.max_batches = False, 0
    return TrainingData(experiment.histories, experiment.split, experiment.feature_scale, batch, 0)


@partial(jax.jit, static_argnums=(0, 3, 4))
def _most_likely(
    models: tuple[InterestModel, ...], params: list[Any], events: Events, count: int, filter_seen: bool
) -> tuple[jax.Array, jax.Array]:
    """The items [B, L, count] of the greatest mean probability after each event, and that probability."""
    order = jnp.arange(events.item.shape[1])
    earlier = (events.segment[:, :, None] == events.segment[:, None]) & (order[:, None] >= order)
    seen = jnp.where(earlier & filter_seen, events.item[:, None], 0)
    states = [apply(model, p, events, method="encode") for model, p in zip(models, params, strict=True)]

    def row(inputs: tuple[list[Any], jax.Array]) -> tuple[jax.Array, jax.Array]:
        """One row after the other: the probabilities of all would fill the memory of a large catalogue."""
        row_states, row_seen = inputs
        total = jnp.zeros(())
        for model, p, state in zip(models, params, row_states, strict=True):
            alone = jax.tree.map(lambda x: x[None], state)
            total += jnp.exp(apply(model, p, alone, method="score")[0]) / len(models)
        probability, item = jax.lax.top_k(total.at[order[:, None], row_seen].set(0), count)
        return item, probability

    return jax.lax.map(row, (states, seen))


def _refuse_unlike(experiment: Experiment, run: Run) -> None:
    if not run.config.heads.item:
        raise UserError(f"distil.teachers: {run.workdir} has no item head (heads.item=0), so it predicts no items")
    if run.experiment.histories.fingerprint != experiment.histories.fingerprint:
        raise UserError(f"distil.teachers: {run.workdir} was trained on other data; expected the data of this run")
    if not np.array_equal(run.experiment.split.train_end, experiment.split.train_end):
        raise UserError(
            f"distil.teachers: {run.workdir} was trained on another split; expected config.split of this run"
        )
