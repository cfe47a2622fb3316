"""What every method of attribution returns."""

from __future__ import annotations

from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np

from trajectory.explain.target_function import Inputs, Reference, TargetFunction
from trajectory.models.forecast_function import ITEM

EVENT = "event"  # in place of an input, for methods that score whole events
SMALL = 0.1  # nats; the completeness error of a smaller difference is relative to this


@dataclass(frozen=True)
class Attribution:
    """What each input of each event adds to the forecasts of B rows of L events."""

    values: dict[str, np.ndarray]  # input -> float32 [B, L], nats; 0 where the forecast sees no event
    reference_forecast: np.ndarray  # float32 [B], the forecast at the reference
    forecast: np.ndarray  # float32 [B]
    completeness_error: np.ndarray  # float32 [B], by how much the sum misses their difference, relative to it
    num_gradients: np.ndarray  # int32 [B], gradients taken

    @property
    def events(self) -> np.ndarray:
        """Each event's sum over its inputs, [B, L]."""
        return np.sum(list(self.values.values()), axis=0)

    def with_values(self, values: dict[str, np.ndarray]) -> Attribution:
        """The same with other values of its inputs."""
        return replace(self, values={name: values[name] for name in self.values})

    def measured(self, num_gradients: int | np.ndarray = 0, rows: np.ndarray | slice = slice(None)) -> Attribution:
        """The same with the completeness error of these rows computed anew, after so many further gradients."""
        difference = (self.forecast - self.reference_forecast)[rows]
        error = np.abs(self.events[rows].sum(axis=1) - difference)
        self.completeness_error[rows] = error / np.maximum(np.abs(difference), SMALL)
        self.num_gradients[rows] += num_gradients
        return self


def zeros_by_input(inputs: Inputs, reference_forecast: np.ndarray, forecast: np.ndarray) -> Attribution:
    """Zeros for each input that the events' vectors are made of, between these forecasts [B]."""
    return _zeros(inputs, tuple(dict.fromkeys((*inputs.components, ITEM))), reference_forecast, forecast)


def zeros_by_event(function: TargetFunction, inputs: Inputs, reference: Reference) -> Attribution:
    """Zeros for whole events."""
    return _zeros(inputs, (EVENT,), *endpoint_forecasts(function, inputs, reference))


@jax.jit
def endpoint_forecasts(function: TargetFunction, inputs: Inputs, reference: Reference) -> tuple[jax.Array, jax.Array]:
    """Forecasts at the reference and at the events, [B] each."""
    return function(inputs.vectors_of(reference), reference.known, inputs), input_forecast(function, inputs)


@jax.jit
def input_forecast(function: TargetFunction, inputs: Inputs) -> jax.Array:
    """Forecasts at the events [B]."""
    return function(inputs.vectors, jnp.ones(inputs.mask.shape), inputs)


def _zeros(inputs: Inputs, names: tuple[str, ...], reference_forecast: np.ndarray, forecast: np.ndarray) -> Attribution:
    count = len(inputs.mask)
    return Attribution(
        {name: np.zeros(inputs.mask.shape, np.float32) for name in names},
        np.array(reference_forecast),
        np.array(forecast),
        np.zeros(count, np.float32),
        np.zeros(count, np.int32),
    )
