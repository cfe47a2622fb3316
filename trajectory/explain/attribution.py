"""What every method of attribution returns."""

from __future__ import annotations

from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np

from trajectory.explain.target_function import Base, Function, Inputs
from trajectory.models.forecast_function import ITEM

EVENT = "event"  # in place of an input: what a method tells of events as a whole
SMALL = 0.1  # nats; the completeness gap of a smaller difference is relative to this


@dataclass(frozen=True)
class Attribution:
    """What each input of each event adds to the forecasts of B rows of L events."""

    values: dict[str, np.ndarray]  # input -> float32 [B, L], nats; 0 where the forecast sees no event
    start: np.ndarray  # float32 [B], the forecast at the baseline
    value: np.ndarray  # float32 [B], the forecast
    gap: np.ndarray  # float32 [B], by how much the sum misses the difference of both, relative to it
    looks: np.ndarray  # int32 [B], gradients taken

    @property
    def events(self) -> np.ndarray:
        """Each event's sum over its inputs, [B, L]."""
        return np.sum(list(self.values.values()), axis=0)

    def put(self, values: dict[str, np.ndarray]) -> Attribution:
        """The same with other values of its inputs."""
        return replace(self, values={name: values[name] for name in self.values})

    def added_up(self, looks: int | np.ndarray = 0, rows: np.ndarray | slice = slice(None)) -> Attribution:
        """The same with the gap of these rows worked out anew, after so many further looks."""
        far = (self.value - self.start)[rows]
        self.gap[rows] = np.abs(self.events[rows].sum(axis=1) - far) / np.maximum(np.abs(far), SMALL)
        self.looks[rows] += looks
        return self


def empty(inputs: Inputs, names: tuple[str, ...], start: np.ndarray, value: np.ndarray) -> Attribution:
    """Zeros everywhere, between forecasts at the baseline and at the events [B]."""
    count = len(inputs.there)
    values = {name: np.zeros(inputs.there.shape, np.float32) for name in names}
    return Attribution(values, np.array(start), np.array(value), np.zeros(count, np.float32), np.zeros(count, np.int32))


def of_inputs(inputs: Inputs, start: np.ndarray, value: np.ndarray) -> Attribution:
    """Zeros for each input that the events' vectors are made of."""
    return empty(inputs, tuple(dict.fromkeys((*inputs.shares, ITEM))), start, value)


def of_events(function: Function, inputs: Inputs, base: Base) -> Attribution:
    """Zeros, of events as a whole."""
    return empty(inputs, (EVENT,), *ends(function, inputs, base))


@jax.jit
def ends(function: Function, inputs: Inputs, base: Base) -> tuple[jax.Array, jax.Array]:
    """Forecasts at the baseline and at the events, [B] each."""
    return function(inputs.compared(base), base.known, inputs), end(function, inputs)


@jax.jit
def end(function: Function, inputs: Inputs) -> jax.Array:
    """Forecasts at the events [B]."""
    return function(inputs.x, jnp.ones(inputs.there.shape), inputs)
