"""Faithfulness of the attributions on a page, compared with simpler rankings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from trajectory.explain import event_rankings
from trajectory.explain.explain import AttributionBatch, Explainer
from trajectory.progress import progress
from trajectory.schema import Histories

OWN = "this report"


def faithfulness(explainer: Explainer, histories: Histories, batches: Sequence[AttributionBatch]) -> dict[str, Any]:
    """`means` over forecasts, in nats: {masking: {ranking: {metric: mean}}}, and `p_values` of the paired
    randomisation test of the attributions against each other ranking, adjusted over all of them (Holm).

    `completeness_error` is the largest, `forecasts` their number.
    """
    seed = explainer.config.seed
    rng = np.random.default_rng(seed)
    measured = [
        event_rankings.measure(
            explainer,
            histories,
            batch,
            {OWN: batch.attribution.events} | event_rankings.baseline_rankings(explainer, batch, rng),
        )
        for batch in progress(batches, "faithfulness")
    ]
    per_forecast = event_rankings.concatenate(measured)
    others = [ranking for ranking in next(iter(per_forecast.values())) if ranking != OWN]
    tested = event_rankings.p_values(per_forecast, [OWN], others, seed)
    errors = np.concatenate([batch.attribution.completeness_error for batch in batches])
    return {
        "means": event_rankings.means(per_forecast),
        "p_values": {masking: by_own[OWN] for masking, by_own in tested.items()},
        "completeness_error": float(np.nanmax(errors)) if np.isfinite(errors).any() else None,
        "forecasts": len(errors),
    }
