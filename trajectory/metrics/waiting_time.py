"""Waiting times until each of the next steps: those observed, and the form of their forecasts."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from scipy.special import ndtr, ndtri

from trajectory.data.pipeline.splits import step_bounds
from trajectory.data.times import DAY
from trajectory.models.time_head import Wait, log_likelihood, quantile
from trajectory.schema import Histories, Queries

LEVELS = (0.1, 0.5, 0.9)  # quantiles of a forecast: an 80 % interval and the median
SHORTEST = 1e-3  # days


class Times(NamedTuple):
    """Forecast waiting times of each step of n users."""

    days: np.ndarray  # [n, H, 3], quantiles LEVELS
    log_likelihood: np.ndarray  # [n, H] of the observed days: log-probability of none, else log-density per day


def given_silence(quantiles: np.ndarray, silent: np.ndarray) -> np.ndarray:
    """Quantiles [n, H, 3] of the days from now on, of those from each user's last event on, `silent` [n] days ago.

    Nothing came since: between the quantiles a log-normal is laid, and what it has before now is left out.
    """
    low, middle, high = np.moveaxis(np.log(np.maximum(quantiles, SHORTEST)), -1, 0)
    scale = np.maximum((high - low) / (ndtri(LEVELS[2]) - ndtri(LEVELS[0])), SHORTEST)
    gone = ndtr((np.log(np.maximum(silent, SHORTEST))[:, None] - middle) / scale)[..., None]
    share = np.clip(gone + np.array(LEVELS) * (1 - gone), 1e-9, 1 - 1e-9)
    left = np.exp(middle[..., None] + scale[..., None] * ndtri(share)) - silent[:, None, None]
    return np.where(silent[:, None, None] > 0, np.maximum(left, 0), quantiles)


def days_of_steps(quantiles: np.ndarray, silent: np.ndarray) -> np.ndarray:
    """Quantiles [n, H, 3] of the days from now on until each step, of those from each user's last event on.

    What is known is that the first step has not come in `silent` [n] days; the others follow it as far as they did
    before that was known, none before the step ahead of it.
    """
    steps = np.maximum.accumulate(quantiles, axis=1)
    return given_silence(quantiles[:, :1], silent) + steps - steps[:, :1]


def silent_days(histories: Histories, queries: Queries) -> np.ndarray:
    """Days from the last event of each query's history to the log's last one, float64 [n]; 0 without times."""
    if not histories.has_time:
        return np.zeros(len(queries.user))
    return np.maximum(histories.now - 1 - histories.time[queries.stop - 1], 0) / DAY


def observed_waits(histories: Histories, queries: Queries, steps: int) -> np.ndarray:
    """Days from each history's newest event to each of the next steps, [n, H]; NaN where there is none."""
    bounds = step_bounds(histories, queries, steps)
    there = bounds[:, 1:] > bounds[:, :-1]
    at = np.minimum(bounds[:, :-1], histories.num_events - 1)
    days = (histories.time[at] - histories.time[queries.stop - 1][:, None]) / DAY
    return np.where(there & (days >= 0), days, np.nan)


def timing(wait: Wait, observed: np.ndarray) -> Times:
    """Quantiles of waiting times [n, H, ...], and the likelihood of the `observed` days [n, H] (NaN: none)."""
    days, likelihood = _timing(wait, np.nan_to_num(observed))
    return Times(np.asarray(days), np.where(np.isfinite(observed), likelihood, np.nan))


def quantiles(wait: Wait) -> np.ndarray:
    """The quantiles LEVELS of waiting times [n, H, ...], [n, H, 3] in days."""
    return np.asarray(_quantiles(wait))


@jax.jit
def _timing(wait: Wait, observed: jax.Array) -> tuple[jax.Array, jax.Array]:
    return _quantiles(wait), log_likelihood(wait, observed)


@jax.jit
def _quantiles(wait: Wait) -> jax.Array:
    return quantile(jax.tree.map(lambda x: x[:, :, None], wait), jnp.asarray(LEVELS))
