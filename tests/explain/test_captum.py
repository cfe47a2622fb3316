"""The same weights in a small torch twin, explained by captum: our gradients are its, to 1e-4.

Needs the extra `captum`, which brings torch; elsewhere these tests skip.
"""

from __future__ import annotations

import runpy
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flax.traverse_util import flatten_dict

import trajectory
from tests.builders import NO_FEATURES, initialise, make_model
from tests.explain.cases import HISTORIES, ITEMS, LENGTH, targets_at
from trajectory.data.pipeline.featurize import last_rows
from trajectory.explain import gradients
from trajectory.explain.integrated import integrated_gradients
from trajectory.explain.references import reference_of
from trajectory.explain.target_function import Inputs, TargetFunction

torch = pytest.importorskip("torch", reason="torch is not installed (extra `captum`)")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    captum = pytest.importorskip("captum.attr", reason="captum is not installed (extra `captum`)")
TWIN = runpy.run_path(str(Path(trajectory.__file__).parent / "benchmarks" / "torch_twin.py"))["Twin"]

BACKBONES = ("gru", "lstm", "transformer")
ITEM = 2  # of which the log-probability is explained
CLOSE = 1e-4


@cache
def ours(backbone: str) -> tuple[TargetFunction, Inputs]:
    """A model without a repeat head: events of one history a row, newest last."""
    model = make_model(backbone, items=ITEMS, repeat=False)
    events = last_rows(HISTORIES, NO_FEATURES, HISTORIES.offsets[:-1], HISTORIES.offsets[1:], LENGTH)
    function = TargetFunction.create(model, initialise(model, events), "item", HISTORIES.item_interest)
    one = targets_at(np.diff(HISTORIES.offsets) - 1)._replace(horizon=np.ones(HISTORIES.num_users, np.int32))
    return function, function.inputs(events, one)


def twin(function: TargetFunction) -> Callable[[Any], Any]:
    """The model in torch: event vectors [B, n, width] of whole rows of n events -> log-probability of ITEM [B]."""
    params, spec = flatten_dict(function.variables["params"]["model"], sep="/"), function.model.spec
    made = TWIN(
        {name: np.array(value) for name, value in params.items()},
        spec.model.backbone,
        spec.model.layers,
        spec.model.attention_heads,
    )
    return lambda x: made(x, torch.full((len(x),), ITEM))


def rows(inputs: Inputs) -> list[tuple[int, Any, Any]]:
    """Each row: its events, their vectors, and those of the padding reference."""
    found = []
    for row, mask in enumerate(np.asarray(inputs.mask)):
        n = int(mask.sum())
        vectors, none = (torch.tensor(np.array(x)[row : row + 1, :n]) for x in (inputs.vectors, inputs.constant))
        found.append((n, vectors, none))
    return found


@pytest.mark.parametrize("backbone", BACKBONES)
def test_the_twin_forecasts_the_same(backbone: str) -> None:
    function, inputs = ours(backbone)
    predicted = np.asarray(function.log_probabilities(inputs))[:, ITEM]
    same = [float(twin(function)(vectors).detach()) for _, vectors, _ in rows(inputs)]
    np.testing.assert_allclose(same, predicted, atol=1e-5)


@pytest.mark.parametrize("backbone", BACKBONES)
def test_integrated_gradients_are_captum_s(backbone: str) -> None:
    function, inputs = ours(backbone)
    found = integrated_gradients(function, inputs, reference_of("padding", inputs), max_error=1e-6).events
    method = captum.IntegratedGradients(twin(function))
    for row, (n, vectors, none) in enumerate(rows(inputs)):
        theirs = method.attribute(vectors, none, n_steps=512, method="gausslegendre").sum(-1)
        np.testing.assert_allclose(found[row, :n], theirs[0].detach(), atol=CLOSE)


@pytest.mark.parametrize("backbone", BACKBONES)
def test_gradient_times_input_is_captum_s(backbone: str) -> None:
    function, inputs = ours(backbone)
    found = gradients.gradient_times_input(function, inputs, reference_of("padding", inputs)).events
    model = twin(function)
    for row, (n, vectors, none) in enumerate(rows(inputs)):
        # captum's input is the whole vector; what every event has of it is no input of ours.
        whole, constant = (
            captum.InputXGradient(model).attribute(vectors.requires_grad_()).sum(-1).detach(),
            (torch.autograd.grad(model(vectors).sum(), vectors)[0] * none).sum(-1),
        )
        np.testing.assert_allclose(found[row, :n], (whole - constant)[0], atol=CLOSE)


@pytest.mark.parametrize("backbone", BACKBONES)
def test_saliency_is_captum_s(backbone: str) -> None:
    function, inputs = ours(backbone)
    found = gradients.saliency(function, inputs)
    for row, (n, vectors, _) in enumerate(rows(inputs)):
        theirs = captum.Saliency(twin(function)).attribute(vectors.requires_grad_(), abs=False)
        np.testing.assert_allclose(found[row, :n], theirs.detach().norm(dim=-1)[0], atol=CLOSE)
