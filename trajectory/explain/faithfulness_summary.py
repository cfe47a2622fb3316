"""How far the reasons on a page can be trusted: the figures of faithfulness beside those of simpler orders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from trajectory.explain import event_rankings
from trajectory.explain.explain import Explainer, Reasons
from trajectory.progress import progress
from trajectory.schema import Histories

OWN = "this report"


def faithfulness(explainer: Explainer, histories: Histories, reasons: Sequence[Reasons]) -> dict[str, Any]:
    """Means over forecasts: {way of taking events away: {order: {figure: mean}}}, and `p_values` of the paired
    randomisation test of the reasons against each other order, adjusted over all of them (Holm). nats.

    `gap` is the largest completeness gap, `forecasts` their number.
    """
    seed = explainer.config.seed
    rng = np.random.default_rng(seed)
    measured = [
        event_rankings.measure(
            explainer, histories, some, {OWN: some.attribution.events} | event_rankings.rivals(explainer, some, rng)
        )
        for some in progress(reasons, "faithfulness")
    ]
    each = event_rankings.joined(measured)
    others = [order for order in next(iter(each.values())) if order != OWN]
    tested = event_rankings.p_values(each, [OWN], others, seed)
    gaps = np.concatenate([some.attribution.gap for some in reasons])
    return {
        "means": event_rankings.means(each),
        "p_values": {way: by_own[OWN] for way, by_own in tested.items()},
        "gap": float(np.nanmax(gaps)) if np.isfinite(gaps).any() else None,
        "forecasts": len(gaps),
    }
