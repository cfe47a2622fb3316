"""How far the reasons on a page can be trusted: the figures of faithfulness beside those of simpler orders."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from trajectory.evaluation.significance import compare, holm
from trajectory.explain.attention import rollout
from trajectory.explain.coalitions import WAYS, hidden, removed
from trajectory.explain.explain import Explainer, Reasons
from trajectory.explain.faithfulness import by_order
from trajectory.schema import Histories

FIGURES = {"deletion": 1, "insertion": 1, "comprehensiveness": 1, "sufficiency": -1}  # 1: higher is better
OWN = "this report"
RANDOM, RECENCY, ATTENTION = "random order", "newest first", "attention"
RESAMPLES = 2000


def faithfulness(explainer: Explainer, histories: Histories, reasons: Sequence[Reasons]) -> dict[str, Any]:
    """Means over forecasts: {way of taking events away: {order: {figure: mean}}}, and `p_values` of the paired
    randomisation test of the reasons against each other order, adjusted over all of them (Holm). nats.

    `gap` is the largest completeness gap, `forecasts` their number.
    """
    seed, scale = explainer.config.seed, explainer.run.task.scale
    rng = np.random.default_rng(seed)
    rows: dict[str, dict[str, list[dict[str, np.ndarray]]]] = {way: {} for way in WAYS}
    for some in reasons:
        base = explainer.base(some.inputs)
        there = np.asarray(some.inputs.there)
        orders = {
            OWN: some.attribution.events,
            RECENCY: np.tile(np.arange(there.shape[1]), (len(there), 1)),
            RANDOM: rng.random(there.shape),
        }
        if explainer.function.model.spec.backbone in ("transformer", "hybrid"):
            orders[ATTENTION] = rollout(explainer.function, some.inputs)

        at = explainer.function, some.inputs, base
        ways = partial(hidden, *at), partial(removed, *at, histories=histories, scale=scale, first=some.first)
        for way, forecast in zip(WAYS, ways, strict=True):
            for order, score in orders.items():
                rows[way].setdefault(order, []).append(by_order(forecast, there, score))
    each = {
        way: {
            order: {name: np.concatenate([part[name] for part in parts]) for name in FIGURES}
            for order, parts in found.items()
        }
        for way, found in rows.items()
    }
    tests = [(way, order, name) for way in each for order in each[way] if order != OWN for name in FIGURES]
    p_values = [compare(each[w][OWN][n], each[w][o][n], RESAMPLES, seed)["p_value"] for w, o, n in tests]
    adjusted: dict[str, dict[str, dict[str, float]]] = {way: {} for way in each}
    for (way, order, name), p in zip(tests, holm(p_values), strict=True):
        adjusted[way].setdefault(order, {})[name] = p
    gaps = np.concatenate([some.attribution.gap for some in reasons])
    means = {
        w: {o: {n: float(v.mean()) for n, v in of.items()} for o, of in found.items()} for w, found in each.items()
    }
    return {
        "means": means,
        "p_values": adjusted,
        "gap": float(np.nanmax(gaps)) if np.isfinite(gaps).any() else None,
        "forecasts": len(gaps),
    }
