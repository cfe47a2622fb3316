"""Attribution by masking events: one at a time, in all combinations, or as SHAP's and LIME's libraries choose."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from trajectory.explain.attribution import EVENT, Attribution, zeros_by_event
from trajectory.explain.masking import forecasts_with_events_hidden
from trajectory.explain.target_function import Inputs, Problem, Reference, TargetFunction
from trajectory.extras import require
from trajectory.schema import UserError

MAX_EVENTS = 12  # of a history whose Shapley values are computed exactly: 4,096 forecasts

Coalitions = Callable[[np.ndarray], np.ndarray]  # which of a row's n events are kept, bool [m, n] -> forecasts [m]


def occlusion(function: TargetFunction, inputs: Inputs, reference: Reference) -> Attribution:
    """Occlusion: what the forecast loses when one event is replaced by the reference (Zeiler & Fergus 2014)."""
    mask = np.asarray(inputs.mask)
    row, column = np.nonzero(mask)
    kept = mask[row]
    kept[np.arange(len(row)), column] = False
    result = zeros_by_event(function, inputs, reference)
    without = forecasts_with_events_hidden(Problem(function, inputs, reference), row, kept)
    result.values[EVENT][row, column] = result.forecast[row] - without
    return result.measured()


def shapley(function: TargetFunction, inputs: Inputs, reference: Reference) -> Attribution:
    """Exact Shapley values of the events, over all coalitions (Shapley 1953; Lundberg & Lee 2017).

    Raises UserError for a history of more than MAX_EVENTS events.
    """
    problem = Problem(function, inputs, reference)
    result = zeros_by_event(function, inputs, reference)
    for row, mask in enumerate(np.asarray(inputs.mask)):
        column = np.flatnonzero(mask)
        n = len(column)
        if n > MAX_EVENTS:
            raise UserError(f"method shapley: expected histories of at most {MAX_EVENTS} events, got one of {n}")
        coalition = (np.arange(2**n)[:, None] >> np.arange(n)) & 1 == 1
        value = _coalitions(problem, row, column)(coalition).astype(np.float64)
        size = coalition.sum(axis=1)
        weight = np.array([1 / (n * math.comb(n - 1, k)) for k in range(n)])
        for i in range(n):
            without = np.flatnonzero(~coalition[:, i])
            result.values[EVENT][row, column[i]] = weight[size[without]] @ (value[without + 2**i] - value[without])
    return result.measured()


def kernel_shap(
    function: TargetFunction, inputs: Inputs, reference: Reference, samples: int, seed: int = 0
) -> Attribution:
    """Kernel SHAP: Shapley values as shap estimates them (Lundberg & Lee 2017). Needs the extra `explain`."""
    require("shap", "explain.method=shap")
    import shap

    def explain(forecast: Coalitions, n: int) -> np.ndarray:
        explainer = shap.KernelExplainer(lambda z: forecast(z > 0.5), np.zeros((1, n)), keep_index=False)
        np.random.seed(seed)  # noqa: NPY002  the library draws from the global generator
        return explainer.shap_values(np.ones((1, n)), nsamples=samples, silent=True, l1_reg=0)[0]

    return _by_row(Problem(function, inputs, reference), explain)


def lime(function: TargetFunction, inputs: Inputs, reference: Reference, samples: int, seed: int = 0) -> Attribution:
    """LIME: weights of a local linear model of which events are kept (Ribeiro et al. 2016); needs `explain` too."""
    require("lime", "explain.method=lime")
    from lime.lime_tabular import LimeTabularExplainer

    def explain(forecast: Coalitions, n: int) -> np.ndarray:
        both = np.array([[0.0] * n, [1.0] * n])
        explainer = LimeTabularExplainer(
            both, mode="regression", categorical_features=range(n), discretize_continuous=False, random_state=seed
        )
        weights = explainer.explain_instance(
            np.ones(n), lambda z: forecast(z > 0.5), num_features=n, num_samples=samples
        ).as_map()[1]
        return np.array([weight for _, weight in sorted(weights)])

    return _by_row(Problem(function, inputs, reference), explain)


def _by_row(problem: Problem, explain: Callable[[Coalitions, int], np.ndarray]) -> Attribution:
    assert isinstance(problem.reference, Reference)
    result = zeros_by_event(problem.function, problem.inputs, problem.reference)
    for row, mask in enumerate(np.asarray(problem.inputs.mask)):
        column = np.flatnonzero(mask)
        result.values[EVENT][row, column] = explain(_coalitions(problem, row, column), len(column))
    return result.measured()


def _coalitions(problem: Problem, row: int, column: np.ndarray) -> Coalitions:
    """Forecasts of a row by which of its events, in these columns [n], are kept."""

    def forecast(coalition: np.ndarray) -> np.ndarray:
        kept = np.zeros((len(coalition), problem.inputs.mask.shape[1]), bool)
        kept[:, column] = coalition
        return forecasts_with_events_hidden(problem, np.full(len(coalition), row), kept)

    return forecast
