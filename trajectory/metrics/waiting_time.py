"""Waiting times until each of the next steps: those observed, and the form of their forecasts."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from trajectory.data.pipeline.splits import next_targets, step_bounds
from trajectory.data.times import DAY
from trajectory.models.time_head import Wait, log_likelihood, quantile
from trajectory.schema import Histories, Queries

LEVELS = (0.1, 0.5, 0.9)  # quantiles of a forecast: an 80 % interval and the median


class Times(NamedTuple):
    """Forecast waiting times of each step of n users."""

    days: np.ndarray  # [n, H, 3], quantiles LEVELS
    log_likelihood: np.ndarray  # [n, H] of the observed days: log-probability of none, else log-density per day


def silent_days(histories: Histories, queries: Queries) -> np.ndarray:
    """Days from the last event of each query's history to the log's last one, float64 [n]; 0 without times."""
    if not histories.has_time:
        return np.zeros(len(queries.user))
    return np.maximum(histories.now - 1 - histories.time[queries.stop - 1], 0) / DAY


def observed_waits(histories: Histories, queries: Queries, steps: int) -> np.ndarray:
    """Days from each history's newest event to each of the next steps, [n, H]; NaN where there is none."""
    bounds = step_bounds(histories, queries, steps)
    at = next_targets(histories, bounds[:, :-1])
    there = bounds[:, 1:] > at
    at = np.minimum(at, histories.num_events - 1)
    days = (histories.time[at] - histories.time[queries.stop - 1][:, None]) / DAY
    return np.where(there & (days >= 0), days, np.nan)


def timing(wait: Wait, observed: np.ndarray) -> Times:
    """Quantiles of waiting times [n, H, ...], and the likelihood of the `observed` days [n, H] (NaN: none)."""
    days, likelihood = _timing(wait, np.nan_to_num(observed))
    return Times(np.asarray(days), np.where(np.isfinite(observed), likelihood, np.nan))


def quantiles(wait: Wait, silent: np.ndarray, after: Wait | None = None) -> np.ndarray:
    """The quantiles LEVELS of waiting times [n, H, ...], [n, H, 3] in days from now on, until each step.

    What is known is that the first step has not come in `silent` [n] days (`after` [n, 1, ...]: how it is distributed
    then, where that is not as `wait`); the others follow it as far as they did before that was known, none before the
    step ahead of it.
    """
    steps = np.maximum.accumulate(np.asarray(_quantiles(wait, jnp.zeros(len(silent)))), axis=1)
    later = jax.tree.map(lambda x: x[:, :1], wait) if after is None else after
    waited = silent.astype(np.float32)[:, None, None]
    first = np.maximum(np.asarray(_quantiles(later, jnp.asarray(silent, jnp.float32))) - waited, 0)
    return np.where(waited > 0, first + steps - steps[:, :1], steps)


def first_wait(wait: Wait, silent: np.ndarray) -> np.ndarray:
    """Median of the days from now on until the first step [n], which has not come in `silent` [n] days: of `quantiles`
    that alone.
    """
    first = jax.tree.map(lambda x: x[:, :1], wait)
    middle = np.asarray(_quantiles(first, jnp.asarray(silent, jnp.float32)))[:, 0, 1]
    return np.maximum(middle - silent.astype(np.float32), 0)


@jax.jit
def _timing(wait: Wait, observed: jax.Array) -> tuple[jax.Array, jax.Array]:
    return _quantiles(wait, jnp.zeros(len(observed))), log_likelihood(wait, observed)


@jax.jit
def _quantiles(wait: Wait, silent: jax.Array) -> jax.Array:
    return quantile(jax.tree.map(lambda x: x[:, :, None], wait), jnp.asarray(LEVELS), silent[:, None, None])
