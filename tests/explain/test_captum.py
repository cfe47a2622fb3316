"""The same weights in a small torch twin, explained by captum: our gradients are its, to 1e-4.

Needs the extra `captum`, which brings torch; elsewhere these tests skip.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest

from tests.builders import NO_FEATURES, initialise, make_model
from tests.explain.cases import HISTORIES, ITEMS, LENGTH, asked
from trajectory.data.rows import last_rows
from trajectory.explain import gradients
from trajectory.explain.baselines import baseline
from trajectory.explain.function import Function, Inputs

torch = pytest.importorskip("torch", reason="torch is not installed (extra `captum`)")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    captum = pytest.importorskip("captum.attr", reason="captum is not installed (extra `captum`)")

BACKBONES = ("gru", "lstm", "transformer")
ITEM = 2  # of which the log-probability is explained
CLOSE = 1e-4


@cache
def ours(backbone: str) -> tuple[Function, Inputs]:
    """A model without a repeat head: events of one history a row, newest last."""
    model = make_model(backbone, items=ITEMS, repeat=False)
    events = last_rows(HISTORIES, NO_FEATURES, HISTORIES.offsets[:-1], HISTORIES.offsets[1:], LENGTH)
    function = Function.of(model, initialise(model, events), "item", HISTORIES.item_interest)
    one = asked(np.diff(HISTORIES.offsets) - 1)._replace(horizon=np.ones(HISTORIES.num_users, np.int32))
    return function, function.inputs(events, one)


def twin(function: Function) -> Callable[[Any, Any], Any]:
    """The model in torch: event vectors [B, n, width] of whole rows of n events -> log-probability of ITEM [B]."""
    params = _torch(function.variables["params"]["model"])
    body = _attention if function.model.spec.backbone == "transformer" else _recurrent

    def forward(x: Any) -> Any:
        state = body(function, params["backbone"], x)[:, -1]
        if "narrow" in params:
            state = _dense(params["narrow"], state)
        return (state @ params["items"]["ids"]["embedding"][1:].T).log_softmax(-1)[:, ITEM - 1]

    return forward


def _torch(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {name: _torch(value) for name, value in tree.items()}
    return torch.tensor(np.array(tree), dtype=torch.float32)


def _dense(params: dict[str, Any], x: Any) -> Any:
    return x @ params["kernel"] + params["bias"]


def _recurrent(function: Function, params: dict[str, Any], x: Any) -> Any:
    cell = function.model.spec.backbone
    for number, width in enumerate(function.model.spec.layers):
        own = params[f"stack_{number}"]
        layer = {"gru": torch.nn.GRU, "lstm": torch.nn.LSTM}[cell](x.shape[-1], width, batch_first=True)
        bias, inner = own["inputs"]["bias"].clone(), torch.zeros(len(own["inputs"]["bias"]))
        if cell == "lstm":
            bias[:width] += own["bias"]  # of the input gate
            bias[width : 2 * width] += 1  # the forget gate begins open
        else:
            inner[2 * width :] = own["bias"]  # within what the reset gate lets through
        with torch.no_grad():
            layer.weight_ih_l0.copy_(own["inputs"]["kernel"].T)
            layer.weight_hh_l0.copy_(own["recurrent"].T)
            layer.bias_ih_l0.copy_(bias)
            layer.bias_hh_l0.copy_(inner)
        x, _ = layer(x)
    return x


def _attention(function: Function, params: dict[str, Any], x: Any) -> Any:
    spec, length = function.model.spec, x.shape[1]
    x = x + params["position"]["embedding"][:length]
    hidden = torch.triu(torch.ones(length, length, dtype=torch.bool), 1)
    for number in range(len(spec.layers)):
        own = params[f"stack_{number}"]
        q, k, v = (
            part.reshape(len(x), length, spec.heads, -1).transpose(1, 2)
            for part in _dense(own["qkv"], _norm(own["norm_attention"], x)).chunk(3, -1)
        )
        score = (q @ k.transpose(2, 3) / q.shape[-1] ** 0.5).masked_fill(hidden, -torch.inf)
        mixed = (score.softmax(-1) @ v).transpose(1, 2).reshape(x.shape)
        x = x + _dense(own["out"], mixed)
        up = torch.nn.functional.gelu(_dense(own["up"], _norm(own["norm_mlp"], x)), approximate="tanh")
        x = x + _dense(own["down"], up)
    return _norm(params["norm"], x)


def _norm(params: dict[str, Any], x: Any) -> Any:
    return torch.nn.functional.layer_norm(x, x.shape[-1:], params["scale"], params["bias"], eps=1e-6)


def rows(inputs: Inputs) -> list[tuple[int, Any, Any]]:
    """Each row: its events, their vectors, and those of the padding baseline."""
    found = []
    for row, there in enumerate(np.asarray(inputs.there)):
        n = int(there.sum())
        vectors, none = (torch.tensor(np.array(x)[row : row + 1, :n]) for x in (inputs.x, inputs.constant))
        found.append((n, vectors, none))
    return found


@pytest.mark.parametrize("backbone", BACKBONES)
def test_the_twin_forecasts_the_same(backbone: str) -> None:
    function, inputs = ours(backbone)
    told = np.asarray(function.foretold(inputs))[:, ITEM]
    same = [float(twin(function)(vectors).detach()) for _, vectors, _ in rows(inputs)]
    np.testing.assert_allclose(same, told, atol=1e-5)


@pytest.mark.parametrize("backbone", BACKBONES)
def test_integrated_gradients_are_captum_s(backbone: str) -> None:
    function, inputs = ours(backbone)
    found = gradients.integrated_gradients(function, inputs, baseline("padding", inputs), gap=1e-6).events
    method = captum.IntegratedGradients(twin(function))
    for row, (n, vectors, none) in enumerate(rows(inputs)):
        theirs = method.attribute(vectors, none, n_steps=512, method="gausslegendre").sum(-1)
        np.testing.assert_allclose(found[row, :n], theirs[0].detach(), atol=CLOSE)


@pytest.mark.parametrize("backbone", BACKBONES)
def test_gradient_times_input_is_captum_s(backbone: str) -> None:
    function, inputs = ours(backbone)
    found = gradients.gradient_times_input(function, inputs, baseline("padding", inputs)).events
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
