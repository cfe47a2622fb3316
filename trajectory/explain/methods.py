"""Methods of attribution by name."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from ml_collections import ConfigDict

from trajectory.explain import gradients, perturbation
from trajectory.explain.attention import rollout
from trajectory.explain.attribution import EVENT, Attribution, zeros_by_event
from trajectory.explain.integrated import integrated_gradients
from trajectory.explain.target_function import Inputs, Reference, TargetFunction
from trajectory.schema import UserError

Method = Callable[[TargetFunction, Inputs], Attribution]
UNSIGNED = ("saliency", "rollout")  # they score how much an event matters, not in which direction


def attribution_method(
    name: str, config: ConfigDict, reference: Callable[[Inputs], Reference], background: Callable[[], Inputs]
) -> Method:
    """The method of this name, given the reference of inputs and real histories, which some methods draw; of the whole
    config the section `explain` is read.

    Raises UserError for an unknown name.
    """
    e, seed = config.explain, config.seed
    methods: dict[str, Method] = {
        "integrated_gradients": lambda f, i: integrated_gradients(f, i, reference(i), e.completeness_error),
        "gradient_times_input": lambda f, i: gradients.gradient_times_input(f, i, reference(i)),
        "saliency": lambda f, i: _unsigned(f, i, reference(i), gradients.saliency(f, i)),
        "smooth_gradients": lambda f, i: gradients.smooth_gradients(f, i, reference(i), e.samples, seed),
        "expected_gradients": lambda f, i: gradients.expected_gradients(f, i, background(), e.samples, seed),
        "rollout": lambda f, i: _unsigned(f, i, reference(i), rollout(f, i)),
        "occlusion": lambda f, i: perturbation.occlusion(f, i, reference(i)),
        "shapley": lambda f, i: perturbation.shapley(f, i, reference(i)),
        "shap": lambda f, i: perturbation.kernel_shap(f, i, reference(i), e.samples, seed),
        "lime": lambda f, i: perturbation.lime(f, i, reference(i), e.samples, seed),
    }
    if name not in methods:
        raise UserError(f"explain.method={name!r} is unknown; expected one of {', '.join(methods)}")
    return methods[name]


def _unsigned(function: TargetFunction, inputs: Inputs, reference: Reference, score: np.ndarray) -> Attribution:
    """Scores without sign and unit, which do not add up to anything."""
    result = zeros_by_event(function, inputs, reference)
    result.values[EVENT][:] = score
    result.completeness_error[:] = np.nan
    return result
