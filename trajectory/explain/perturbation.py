"""Attribution by taking events away: one at a time, in all combinations, or as SHAP's and LIME's libraries choose."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from trajectory.explain.attribution import EVENT, Attribution, of_events
from trajectory.explain.masking import hidden
from trajectory.explain.target_function import Base, Function, Inputs
from trajectory.extras import require
from trajectory.schema import UserError

MOST_EVENTS = 12  # of a history whose Shapley values are computed exactly: 4,096 forecasts


def occlusion(function: Function, inputs: Inputs, base: Base) -> Attribution:
    """What the forecast loses when one event is that of the baseline (Zeiler & Fergus 2014)."""
    row, column = np.nonzero(np.asarray(inputs.there))
    kept = np.asarray(inputs.there)[row]
    kept[np.arange(len(row)), column] = False
    found = of_events(function, inputs, base)
    found.values[EVENT][row, column] = found.value[row] - hidden(function, inputs, base, row, kept)
    return found.added_up()


def shapley(function: Function, inputs: Inputs, base: Base) -> Attribution:
    """Shapley values of the events, exact: all combinations (Shapley 1953; Lundberg & Lee 2017).

    Raises UserError for a history of more than MOST_EVENTS events.
    """
    there = np.asarray(inputs.there)
    found = of_events(function, inputs, base)
    for row, events in enumerate(there):
        column = np.flatnonzero(events)
        n = len(column)
        if n > MOST_EVENTS:
            raise UserError(f"method shapley: expected histories of at most {MOST_EVENTS} events, got one of {n}")
        inside = (np.arange(2**n)[:, None] >> np.arange(n)) & 1 == 1
        value = _values(function, inputs, base, row, column)(inside).astype(np.float64)
        size = inside.sum(axis=1)
        weight = np.array([1 / (n * math.comb(n - 1, k)) for k in range(n)])
        for i in range(n):
            without = np.flatnonzero(~inside[:, i])
            found.values[EVENT][row, column[i]] = weight[size[without]] @ (value[without + 2**i] - value[without])
    return found.added_up()


def kernel_shap(function: Function, inputs: Inputs, base: Base, samples: int, seed: int = 0) -> Attribution:
    """Shapley values as shap estimates them (KernelExplainer, Lundberg & Lee 2017). Needs the extra `explain`."""
    require("shap", "explain.method=shap")
    import shap

    def explain(value: Callable[[np.ndarray], np.ndarray], n: int) -> np.ndarray:
        explainer = shap.KernelExplainer(lambda z: value(z > 0.5), np.zeros((1, n)), keep_index=False)
        np.random.seed(seed)  # noqa: NPY002  the library draws from the global generator
        return explainer.shap_values(np.ones((1, n)), nsamples=samples, silent=True, l1_reg=0)[0]

    return _by_row(function, inputs, base, explain)


def lime(function: Function, inputs: Inputs, base: Base, samples: int, seed: int = 0) -> Attribution:
    """Weights of a local linear model of which events are there (LIME, Ribeiro et al. 2016); needs `explain` too."""
    require("lime", "explain.method=lime")
    from lime.lime_tabular import LimeTabularExplainer

    def explain(value: Callable[[np.ndarray], np.ndarray], n: int) -> np.ndarray:
        both = np.array([[0.0] * n, [1.0] * n])
        explainer = LimeTabularExplainer(
            both, mode="regression", categorical_features=range(n), discretize_continuous=False, random_state=seed
        )
        found = explainer.explain_instance(
            np.ones(n), lambda z: value(z > 0.5), num_features=n, num_samples=samples
        ).as_map()[1]
        return np.array([weight for _, weight in sorted(found)])

    return _by_row(function, inputs, base, explain)


def _by_row(
    function: Function,
    inputs: Inputs,
    base: Base,
    explain: Callable[[Callable[[np.ndarray], np.ndarray], int], np.ndarray],
) -> Attribution:
    found = of_events(function, inputs, base)
    for row, events in enumerate(np.asarray(inputs.there)):
        column = np.flatnonzero(events)
        found.values[EVENT][row, column] = explain(_values(function, inputs, base, row, column), len(column))
    return found.added_up()


def _values(
    function: Function, inputs: Inputs, base: Base, row: int, column: np.ndarray
) -> Callable[[np.ndarray], np.ndarray]:
    """Forecasts [m] of a row by which of its events are there, bool [m, n]."""

    def value(inside: np.ndarray) -> np.ndarray:
        kept = np.zeros((len(inside), inputs.there.shape[1]), bool)
        kept[:, column] = inside
        return hidden(function, inputs, base, np.full(len(inside), row), kept)

    return value
