"""Recalibration of waiting times, fitted on validation users and applied to others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.optimize import minimize

from trajectory.models.time_head import Wait, log_chance_beyond, log_likelihood

PRIOR = 1.0  # weight of staying as it is: so many users' worth
MOMENTS = np.array([0.1, 0.3, 0.5, 0.7, 0.9])  # shares of a wait that are over
FEWEST = 20.0  # waits, of equal length, that a silence is learned from


@dataclass(frozen=True)
class TimeCalibration:
    """All times of a mixture times e^shift, the spread of each component times e^stretch, the distances of components
    from their mean times e^widen (all of logarithms of days), and the log-odds of no time plus `zero`.

    Without the last a head that has hardly learned, whose components lie far apart, would stay too unsure.
    """

    shift: float = 0.0
    stretch: float = 0.0
    zero: float = 0.0
    widen: float = 0.0

    def apply(self, wait: Wait) -> Wait:
        """The recalibrated distribution, of the same shape."""
        return _moved(wait, self.shift, self.stretch, self.zero, self.widen)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> TimeCalibration:
        """What `to_dict` gave, possibly after a way through JSON."""
        return cls(**values)


def fit_times(wait: Wait, observed: np.ndarray) -> TimeCalibration:
    """The recalibration of maximum likelihood of the `observed` days [n], given the forecast of each [n, ...].

    NaN is not observed; without any it changes nothing.
    """
    known = np.isfinite(observed)
    if not known.any():
        return TimeCalibration()
    forecast, days = jax.tree.map(lambda x: jnp.asarray(x)[known], wait), jnp.asarray(observed[known], jnp.float32)
    return _most_likely(lambda moved: log_likelihood(moved(forecast), days).sum(), len(days))


def fit_silent_times(wait: Wait, observed: np.ndarray) -> TimeCalibration | None:
    """The recalibration of the `observed` days [n] at a moment at which nothing has come for a while: a log's end.

    Moments are spread evenly over the days of each, so that long waits count as much as they last: of these it is that
    a moment without an event is mostly part of. NaN is not observed. None where fewer waits than FEWEST, counted so,
    say it.
    """
    known = np.isfinite(observed) & (observed > 0)
    effective = float(observed[known].sum() ** 2 / max((observed[known] ** 2).sum(), 1e-12))
    if effective < FEWEST:
        return None
    forecast = jax.tree.map(lambda x: jnp.asarray(x)[known, None], wait)
    silent, days = (
        jnp.asarray(observed[known, None] * MOMENTS, jnp.float32),
        jnp.asarray(observed[known, None], jnp.float32),
    )
    weight = jnp.asarray(observed[known, None] * effective / (observed[known].sum() * len(MOMENTS)), jnp.float32)

    def likelihood(moved: Callable[[Wait], Wait]) -> jax.Array:
        now = moved(forecast)
        return (weight * (log_likelihood(now, days) - log_chance_beyond(now, silent))).sum()

    return _most_likely(likelihood, effective)


def _most_likely(likelihood: Callable[[Callable[[Wait], Wait]], jax.Array], count: float) -> TimeCalibration:
    """The recalibration under which `likelihood`, of a function that recalibrates, is largest; of `count` waits."""

    @jax.jit
    def loss(values: jax.Array) -> jax.Array:
        total = -likelihood(lambda wait: _moved(wait, *values))
        return (total + PRIOR * jnp.square(values).sum()) / count

    gradient = jax.jit(jax.value_and_grad(loss))

    def both(values: np.ndarray) -> tuple[float, np.ndarray]:
        value, slope = gradient(jnp.asarray(values, jnp.float32))
        return float(value), np.asarray(slope, np.float64)

    return TimeCalibration(*minimize(both, np.zeros(4), jac=True, method="L-BFGS-B").x.tolist())


def _moved(wait: Wait, shift: Any, stretch: Any, zero: Any, widen: Any) -> Wait:
    mean = (jnp.exp(wait.log_weight) * wait.centre).sum(-1, keepdims=True)
    centre = mean + (wait.centre - mean) * jnp.exp(widen) + shift
    return Wait(wait.zero + zero, wait.log_weight, centre, wait.scale * jnp.exp(stretch))
