"""Methods of attribution by name."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from ml_collections import ConfigDict

from trajectory.explain import gradients, perturbation
from trajectory.explain.attention import rollout
from trajectory.explain.attribution import EVENT, Attribution, of_events
from trajectory.explain.integrated import integrated_gradients
from trajectory.explain.target_function import Base, Function, Inputs
from trajectory.schema import UserError

Method = Callable[[Function, Inputs], Attribution]
UNSIGNED = ("saliency", "rollout")  # they tell how much an event matters, not in which direction


def method(name: str, config: ConfigDict, base: Callable[[Inputs], Base], background: Callable[[], Inputs]) -> Method:
    """The method of this name, given the baseline of inputs and real histories, which some methods draw; of the whole
    config the section `explain` is read.

    Raises UserError for an unknown name.
    """
    e, seed = config.explain, config.seed
    methods: dict[str, Method] = {
        "integrated_gradients": lambda f, i: integrated_gradients(f, i, base(i), e.gap),
        "gradient_times_input": lambda f, i: gradients.gradient_times_input(f, i, base(i)),
        "saliency": lambda f, i: _unsigned(f, i, base(i), gradients.saliency(f, i)),
        "smooth_gradients": lambda f, i: gradients.smooth_gradients(f, i, base(i), e.samples, seed),
        "expected_gradients": lambda f, i: gradients.expected_gradients(f, i, background(), e.samples, seed),
        "rollout": lambda f, i: _unsigned(f, i, base(i), rollout(f, i)),
        "occlusion": lambda f, i: perturbation.occlusion(f, i, base(i)),
        "shapley": lambda f, i: perturbation.shapley(f, i, base(i)),
        "shap": lambda f, i: perturbation.kernel_shap(f, i, base(i), e.samples, seed),
        "lime": lambda f, i: perturbation.lime(f, i, base(i), e.samples, seed),
    }
    if name not in methods:
        raise UserError(f"explain.method={name!r} is unknown; expected one of {', '.join(methods)}")
    return methods[name]


def _unsigned(function: Function, inputs: Inputs, base: Base, score: np.ndarray) -> Attribution:
    """What has neither sign nor unit does not add up to anything."""
    found = of_events(function, inputs, base)
    found.values[EVENT][:] = score
    found.gap[:] = np.nan
    return found
