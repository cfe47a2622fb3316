"""Recalibration of waiting times, fitted on validation users and applied to others."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.optimize import minimize

from trajectory.models.time_head import Wait, log_likelihood

PRIOR = 1.0  # weight of staying as it is: so many users' worth


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

    @jax.jit
    def loss(values: jax.Array) -> jax.Array:
        total = -log_likelihood(_moved(forecast, *values), days).sum()
        return (total + PRIOR * jnp.square(values).sum()) / len(days)

    gradient = jax.jit(jax.value_and_grad(loss))

    def both(values: np.ndarray) -> tuple[float, np.ndarray]:
        value, slope = gradient(jnp.asarray(values, jnp.float32))
        return float(value), np.asarray(slope, np.float64)

    return TimeCalibration(*minimize(both, np.zeros(4), jac=True, method="L-BFGS-B").x.tolist())


def _moved(wait: Wait, shift: Any, stretch: Any, zero: Any, widen: Any) -> Wait:
    mean = (jnp.exp(wait.log_weight) * wait.centre).sum(-1, keepdims=True)
    centre = mean + (wait.centre - mean) * jnp.exp(widen) + shift
    return Wait(wait.zero + zero, wait.log_weight, centre, wait.scale * jnp.exp(stretch))
