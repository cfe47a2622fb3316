"""Integrated gradients: what each input of each past event adds to a forecast on the way from a baseline."""

from __future__ import annotations

from typing import NamedTuple

import jax
import numpy as np

from trajectory.explain.attribution import SMALL, Attribution, ends, of_inputs
from trajectory.explain.batching import units
from trajectory.explain.integration_path import forecast_on_way, summed, values_on_way
from trajectory.explain.target_function import Base, Function, Inputs

FIRST, LATER = 8, 3  # Gauss-Legendre points of the whole way, and of a part of it
MOST = 512  # points of a row, beyond which nothing is halved


class Parts(NamedTuple):
    """n parts of rows' ways, and gradients times the way, integrated over each."""

    row: np.ndarray  # int [n]
    start: np.ndarray  # [n], from 0 (the baseline) to 1 (the events)
    stop: np.ndarray  # [n]
    before: np.ndarray  # [n], forecasts at both ends
    after: np.ndarray  # [n]
    sums: dict[str, np.ndarray]  # input -> float32 [n, L]

    @property
    def missed(self) -> np.ndarray:
        """By how much each part's sum differs from the change of its forecast, [n]."""
        return np.abs(sum(value.sum(axis=1) for value in self.sums.values()) - (self.after - self.before))


def integrated_gradients(function: Function, inputs: Inputs, base: Base, gap: float = 0.01) -> Attribution:
    """Integrated gradients (Sundararajan et al. 2017) by Gauss-Legendre quadrature.

    Rows whose completeness gap is not below `gap` have those parts of their way halved whose own sums miss the change
    of the forecast by more than an equal share of what is allowed, until it is or they have taken MOST points.
    """
    found = of_inputs(inputs, *ends(function, inputs, base))
    count = len(inputs.there)
    zero, every = np.zeros(count), np.arange(count)
    parts = _measured(function, inputs, base, FIRST, every, zero, zero + 1, found.start, found.value)
    new, points = parts, FIRST
    while len(new.row):
        rows = np.unique(new.row)
        for name, values in found.values.items():
            values[rows] = 0
            np.add.at(values, parts.row, parts.sums[name])
        found.added_up(points * np.bincount(new.row, minlength=count)[rows], rows)
        parts = _some(parts, ((found.gap >= gap) & (found.looks < MOST))[parts.row])
        allowed = gap * np.maximum(np.abs(found.value - found.start), SMALL)
        halved = parts.missed >= (allowed / np.bincount(parts.row, minlength=count).clip(1))[parts.row]
        new, points = _halves(function, inputs, base, _some(parts, halved)), LATER
        parts = jax.tree.map(lambda *both: np.concatenate(both), _some(parts, ~halved), new)
    return found


def _halves(function: Function, inputs: Inputs, base: Base, parts: Parts) -> Parts:
    if not len(parts.row):
        return parts
    middle = (parts.start + parts.stop) / 2
    between = np.concatenate([found for _, found in units(forecast_on_way, function, inputs, base, parts.row, middle)])
    both = zip(
        (parts.row, parts.start, middle, parts.before, between),
        (parts.row, middle, parts.stop, between, parts.after),
        strict=True,
    )
    return _measured(function, inputs, base, LATER, *map(np.concatenate, both))


def _measured(
    function: Function,
    inputs: Inputs,
    base: Base,
    points: int,
    row: np.ndarray,
    start: np.ndarray,
    stop: np.ndarray,
    before: np.ndarray,
    after: np.ndarray,
) -> Parts:
    node, weight = np.polynomial.legendre.leggauss(points)
    far = (stop - start)[:, None]
    at, weight = start[:, None] + far * (node + 1) / 2, far * weight / 2
    part = np.repeat(np.arange(len(row)), points)
    sums = summed(values_on_way, function, inputs, base, row[part], at.ravel(), weight.ravel(), part)
    return Parts(row, start, stop, before, after, sums)


def _some(parts: Parts, which: np.ndarray) -> Parts:
    return jax.tree.map(lambda x: x[which], parts)
