"""Orders of events side by side: those of methods, and simpler ones that a method must beat."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial

import numpy as np

from trajectory.explain.attention import rollout
from trajectory.explain.explain import Explainer, Forecasts
from trajectory.explain.faithfulness import by_order
from trajectory.explain.masking import WAYS, hidden, removed
from trajectory.metrics.significance import compare, holm
from trajectory.schema import Histories

FIGURES = {"deletion": 1, "insertion": 1, "comprehensiveness": 1, "sufficiency": -1}  # 1: higher is better
RANDOM, RECENCY, ATTENTION = "random order", "newest first", "attention"
RESAMPLES = 2000

# {way of taking events away: {order: {figure: [B]}}}
Figures = Mapping[str, Mapping[str, Mapping[str, np.ndarray]]]


def rivals(explainer: Explainer, some: Forecasts, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Scores [B, L] of each order that knows nothing of what is forecast, or only where the model looks."""
    there = np.asarray(some.inputs.there)
    found = {RECENCY: np.tile(np.arange(there.shape[1]), (len(there), 1)), RANDOM: rng.random(there.shape)}
    if explainer.function.model.spec.model.backbone in ("transformer", "hybrid"):
        found[ATTENTION] = rollout(explainer.function, some.inputs)
    return found


def measure(explainer: Explainer, histories: Histories, some: Forecasts, orders: Mapping[str, np.ndarray]) -> Figures:
    """What `by_order` gives for each order's scores [B, L], in both ways of taking events away (see coalitions.py)."""
    at = explainer.function, some.inputs, explainer.base(some.inputs)
    scale = explainer.predictor.scale
    ways = partial(hidden, *at), partial(removed, *at, histories=histories, scale=scale, first=some.first)
    there = np.asarray(some.inputs.there)
    return {
        way: {order: by_order(forecast, there, score) for order, score in orders.items()}
        for way, forecast in zip(WAYS, ways, strict=True)
    }


def joined(parts: Iterable[Figures]) -> Figures:
    """Those of several lots of rows as those of all."""
    every = list(parts)
    return {
        way: {
            order: {name: np.concatenate([part[way][order][name] for part in every]) for name in values}
            for order, values in orders.items()
        }
        for way, orders in every[0].items()
    }


def means(each: Figures) -> dict[str, dict[str, dict[str, float]]]:
    """Means over rows."""
    return {
        way: {order: {name: float(values.mean()) for name, values in of.items()} for order, of in orders.items()}
        for way, orders in each.items()
    }


def p_values(
    each: Figures, own: Sequence[str], others: Sequence[str], seed: int
) -> dict[str, dict[str, dict[str, dict[str, float]]]]:
    """{way: {own order: {other order: {figure: p}}}} of paired randomisation tests, adjusted over all (Holm)."""
    tests = [(way, order, other, name) for way in each for order in own for other in others for name in FIGURES]
    resamples = max(RESAMPLES, 100 * len(tests))  # so that the least p-value is small enough for as many comparisons
    found = [compare(each[w][order][n], each[w][other][n], resamples, seed)["p_value"] for w, order, other, n in tests]
    adjusted: dict[str, dict[str, dict[str, dict[str, float]]]] = {}
    for (way, order, other, name), p in zip(tests, holm(found), strict=True):
        adjusted.setdefault(way, {}).setdefault(order, {}).setdefault(other, {})[name] = p
    return adjusted
