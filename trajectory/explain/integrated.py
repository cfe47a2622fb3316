"""Integrated gradients: what each input of each event adds to a forecast, integrated from a reference to the events."""

from __future__ import annotations

from typing import NamedTuple

import jax
import numpy as np

from trajectory.explain.attribution import SMALL, Attribution, endpoint_forecasts, zeros_by_input
from trajectory.explain.batching import batched
from trajectory.explain.integration_path import forecast_on_path, values_on_path, weighted_sums
from trajectory.explain.target_function import Inputs, Problem, Reference, TargetFunction

FIRST, LATER = 8, 3  # Gauss-Legendre points of the whole path, and of a segment of it
MAX_POINTS = 512  # of a row, beyond which nothing is halved


class PathSegments(NamedTuple):
    """n segments of rows' integration paths."""

    row: np.ndarray  # int [n]
    start: np.ndarray  # [n], from 0 (the reference) to 1 (the events)
    stop: np.ndarray  # [n]
    before: np.ndarray  # [n], forecasts at both ends
    after: np.ndarray  # [n]


class Integrals(NamedTuple):
    """The integral of gradients over each of n segments."""

    segments: PathSegments
    values: dict[str, np.ndarray]  # input -> float32 [n, L]

    @property
    def error(self) -> np.ndarray:
        """By how much each integral differs from the change of the forecast, [n]."""
        change = self.segments.after - self.segments.before
        return np.abs(sum(value.sum(axis=1) for value in self.values.values()) - change)


def integrated_gradients(
    function: TargetFunction, inputs: Inputs, reference: Reference, max_error: float = 0.01
) -> Attribution:
    """Integrated gradients (Sundararajan et al. 2017) by adaptive Gauss-Legendre quadrature.

    Rows whose completeness error is not below `max_error` have those segments of their path halved whose own integrals
    miss the change of the forecast by more than an equal share of what is allowed, until it is or they have taken
    MAX_POINTS points.
    """
    problem = Problem(function, inputs, reference)
    result = zeros_by_input(inputs, *endpoint_forecasts(*problem))
    count = len(inputs.mask)
    zero = np.zeros(count)
    whole = PathSegments(np.arange(count), zero, zero + 1, result.reference_forecast, result.forecast)
    integrals = new = _integrate(problem, FIRST, whole)
    points = FIRST
    while len(new.segments.row):
        rows = np.unique(new.segments.row)
        for name, values in result.values.items():
            values[rows] = 0
            np.add.at(values, integrals.segments.row, integrals.values[name])
        result.measured(points * np.bincount(new.segments.row, minlength=count)[rows], rows)
        unfinished = (result.completeness_error >= max_error) & (result.num_gradients < MAX_POINTS)
        integrals = _select(integrals, unfinished[integrals.segments.row])
        row = integrals.segments.row
        allowed = max_error * np.maximum(np.abs(result.forecast - result.reference_forecast), SMALL)
        to_halve = integrals.error >= (allowed / np.bincount(row, minlength=count).clip(1))[row]
        new, points = _halve(problem, _select(integrals, to_halve)), LATER
        integrals = jax.tree.map(lambda *both: np.concatenate(both), _select(integrals, ~to_halve), new)
    return result


def _halve(problem: Problem, integrals: Integrals) -> Integrals:
    segments = integrals.segments
    if not len(segments.row):
        return integrals
    middle = (segments.start + segments.stop) / 2
    forecast = np.concatenate([values for _, values in batched(forecast_on_path, problem, segments.row, middle)])
    halves = segments._replace(stop=middle, after=forecast), segments._replace(start=middle, before=forecast)
    return _integrate(problem, LATER, jax.tree.map(lambda *both: np.concatenate(both), *halves))


def _integrate(problem: Problem, points: int, segments: PathSegments) -> Integrals:
    node, weight = np.polynomial.legendre.leggauss(points)
    length = (segments.stop - segments.start)[:, None]
    position, weight = segments.start[:, None] + length * (node + 1) / 2, length * weight / 2
    segment = np.repeat(np.arange(len(segments.row)), points)
    rows = segments.row[segment]
    return Integrals(segments, weighted_sums(values_on_path, problem, rows, position.ravel(), weight.ravel(), segment))


def _select(integrals: Integrals, chosen: np.ndarray) -> Integrals:
    return jax.tree.map(lambda x: x[chosen], integrals)
