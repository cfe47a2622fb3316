"""The optax chain and its learning-rate schedule, from the config; and a moving average of what it leads to."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from ml_collections import ConfigDict

from trajectory.training.param_rules import Rules


def schedule(config: ConfigDict, total_steps: int) -> optax.Schedule:
    """Learning rate by step: linear warm-up, then constant or a cosine down to 0 at `total_steps`."""
    peak, warmup = config.learning_rate, config.warmup_steps
    first = 0.0 if warmup else peak  # optax takes a warm-up of no steps for one that never ends
    if config.schedule == "cosine":
        return optax.warmup_cosine_decay_schedule(first, peak, warmup, max(total_steps, warmup + 1))
    return optax.warmup_constant_schedule(first, peak, warmup)


def optimiser(config: ConfigDict, total_steps: int, rules: Rules | None = None) -> optax.GradientTransformation:
    """Clipping, then AdamW (Loshchilov & Hutter 2019) with decay on matrices only; averaged if `average` says so.

    `rules` say which parameters learn later or more slowly.
    """
    tx = optax.chain(
        optax.clip_by_global_norm(config.clip_norm) if config.clip_norm else optax.identity(),
        optax.adamw(
            schedule(config, total_steps),
            b2=config.b2,
            weight_decay=config.weight_decay,
            mask=lambda params: jax.tree.map(lambda p: p.ndim > 1, params),
        ),
    )
    tx = rules.around(tx) if rules else tx
    return _averaged(tx, config.average) if config.average else tx


class Averaged(NamedTuple):
    """State of an optimiser that keeps a moving average of the parameters."""

    inner: Any
    average: Any
    steps: jax.Array  # int32, updates so far


def evaluation_params(params: Any, opt_state: Any) -> Any:
    """The parameters to evaluate and to keep: the average where the optimiser has one, else `params`."""
    return opt_state.average if isinstance(opt_state, Averaged) else params


def _averaged(tx: optax.GradientTransformation, decay: float) -> optax.GradientTransformation:
    """Polyak averaging with exponential weights; early on the average forgets faster, as in TensorFlow's
    ExponentialMovingAverage: decay min(decay, (1 + n) / (10 + n)) at update n.

    optax.incremental_update is the same average, rounded otherwise; optax has no optimiser that keeps one.
    """

    def init(params: Any) -> Averaged:
        return Averaged(tx.init(params), jax.tree.map(jnp.copy, params), jnp.zeros((), jnp.int32))

    def update(gradient: Any, state: Averaged, params: Any) -> tuple[Any, Averaged]:
        updates, inner = tx.update(gradient, state.inner, params)
        n = state.steps.astype(jnp.float32)
        gain = 1 - jnp.minimum(decay, (1 + n) / (10 + n))
        after = optax.apply_updates(params, updates)
        average = jax.tree.map(lambda old, new: old + gain * (new - old), state.average, after)
        return updates, Averaged(inner, average, state.steps + 1)

    return optax.GradientTransformation(init, update)
