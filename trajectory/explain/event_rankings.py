"""Faithfulness of rankings of events: those of methods, compared with simple ones that a method must beat."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial

import numpy as np

from trajectory.explain.attention import rollout
from trajectory.explain.explain import Explainer, ForecastBatch
from trajectory.explain.faithfulness import removal_metrics
from trajectory.explain.masking import (
    MASKINGS,
    EventSource,
    forecasts_with_events_hidden,
    forecasts_with_events_removed,
)
from trajectory.explain.target_function import Problem
from trajectory.metrics.significance import holm, p_value
from trajectory.schema import Histories

METRICS = {"deletion": 1, "insertion": 1, "comprehensiveness": 1, "sufficiency": -1}  # 1: higher is better
RANDOM, RECENCY, ATTENTION = "random order", "newest first", "attention"
RESAMPLES = 2000

# {masking: {ranking: {metric: [B]}}}
PerForecast = Mapping[str, Mapping[str, Mapping[str, np.ndarray]]]


def baseline_rankings(explainer: Explainer, batch: ForecastBatch, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Scores [B, L] of rankings that know nothing of the forecast, or only where the model looks."""
    mask = np.asarray(batch.inputs.mask)
    scores = {RECENCY: np.tile(np.arange(mask.shape[1]), (len(mask), 1)), RANDOM: rng.random(mask.shape)}
    if explainer.function.model.spec.model.backbone in ("transformer", "hybrid"):
        scores[ATTENTION] = rollout(explainer.function, batch.inputs)
    return scores


def measure(
    explainer: Explainer, histories: Histories, batch: ForecastBatch, rankings: Mapping[str, np.ndarray]
) -> PerForecast:
    """`removal_metrics` of each ranking's scores [B, L], with events hidden and with events removed."""
    problem = Problem(explainer.function, batch.inputs, explainer.reference(batch.inputs))
    source = EventSource(histories, explainer.predictor.feature_scale, batch.first)
    forecasts = (
        partial(forecasts_with_events_hidden, problem),
        partial(forecasts_with_events_removed, problem, source=source),
    )
    mask = np.asarray(batch.inputs.mask)
    return {
        masking: {ranking: removal_metrics(forecast, mask, score) for ranking, score in rankings.items()}
        for masking, forecast in zip(MASKINGS, forecasts, strict=True)
    }


def concatenate(batches: Iterable[PerForecast]) -> PerForecast:
    """Values of several batches as those of all forecasts."""
    batches = list(batches)
    return {
        masking: {
            ranking: {name: np.concatenate([batch[masking][ranking][name] for batch in batches]) for name in values}
            for ranking, values in rankings.items()
        }
        for masking, rankings in batches[0].items()
    }


def means(per_forecast: PerForecast) -> dict[str, dict[str, dict[str, float]]]:
    """Means over forecasts."""
    return {
        masking: {
            ranking: {name: float(values.mean()) for name, values in metrics.items()}
            for ranking, metrics in rankings.items()
        }
        for masking, rankings in per_forecast.items()
    }


def p_values(
    per_forecast: PerForecast, own: Sequence[str], others: Sequence[str], seed: int
) -> dict[str, dict[str, dict[str, dict[str, float]]]]:
    """{masking: {own ranking: {other ranking: {metric: p}}}} of paired randomisation tests, Holm-adjusted over all."""
    tests = [
        (masking, ranking, other, name)
        for masking in per_forecast
        for ranking in own
        for other in others
        for name in METRICS
    ]
    resamples = max(RESAMPLES, 100 * len(tests))  # so that the least p-value is small enough for as many comparisons
    unadjusted = []
    for masking, ranking, other, name in tests:
        metrics = per_forecast[masking]
        unadjusted.append(p_value(metrics[ranking][name] - metrics[other][name], resamples, seed))
    adjusted: dict[str, dict[str, dict[str, dict[str, float]]]] = {}
    for (masking, ranking, other, name), p in zip(tests, holm(unadjusted), strict=True):
        adjusted.setdefault(masking, {}).setdefault(ranking, {}).setdefault(other, {})[name] = p
    return adjusted
