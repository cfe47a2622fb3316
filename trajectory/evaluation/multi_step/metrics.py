"""How well each of the next H steps is forecast: ranking and likelihood by step, for models and baselines alike."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from ml_collections import ConfigDict

from trajectory.data.pipeline.splits import step_bounds
from trajectory.metrics.ranking import contains, distinct_items, metrics, ranks
from trajectory.progress import progress
from trajectory.protocols import Forecaster, StepScores
from trajectory.schema import Histories, Queries


def evaluate_multi_step(
    forecaster: Forecaster[StepScores],
    histories: Histories,
    queries: Queries,
    config: ConfigDict,
    steps: int,
    cutoffs: Sequence[int],
) -> dict[str, np.ndarray]:
    """Metrics of a forecaster per user and step, float64 [n, H] each; NaN where a user has no such step.

    hr@k, recall@k and ndcg@k of the step's own items; the same with `within_` before, of the distinct items of steps
    1..h ranked by their probability of coming within them; log_loss, the mean negative log-probability of the step's
    distinct items that are candidates, in nats, where there are log-probabilities. `config` is `config.evaluation`:
    candidates and ties as there.
    """
    size = min(forecaster.batch, len(queries.user))
    parts: list[dict[str, np.ndarray]] = []
    for chunk in progress(queries.chunks(size), forecaster.name, -(-len(queries.user) // size)):
        n = len(chunk.user)
        padded = Queries(*(np.pad(column, (0, size - n), mode="edge") for column in chunk))  # one shape compiles once
        result = _chunk(forecaster, histories, padded, config, steps, cutoffs)
        parts.append({name: value[:n] for name, value in result.items()})
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _chunk(
    forecaster: Forecaster[StepScores],
    histories: Histories,
    queries: Queries,
    config: ConfigDict,
    steps: int,
    cutoffs: Sequence[int],
) -> dict[str, np.ndarray]:
    bounds = step_bounds(histories, queries, steps)
    seen = None
    if config.seen == "filter":
        seen = distinct_items(histories, queries.start, queries.stop, least=64)
    forecast = forecaster.forecast(queries)
    scores, log_p, within = forecast.scores, forecast.log_probability, forecast.within
    columns: dict[str, list[np.ndarray]] = {}
    for h in range(steps):
        targets = distinct_items(histories, bounds[:, h], bounds[:, h + 1])
        values = metrics(ranks(scores[:, h], targets, seen), targets, cutoffs)
        if log_p is not None:
            values["log_loss"] = _negative_log_likelihood(log_p[:, h], targets, seen)
        so_far = distinct_items(histories, bounds[:, 0], bounds[:, h + 1])
        together = metrics(ranks(within[:, h], so_far, seen), so_far, cutoffs)
        values |= {
            f"within_{name}": np.where(bounds[:, h] < bounds[:, h + 1], x, np.nan) for name, x in together.items()
        }
        for name, value in values.items():
            columns.setdefault(name, []).append(value)
    return {
        name: np.stack(by_step, axis=1)
        for name, by_step in columns.items()
        if not name.startswith(("mrr", "within_mrr"))
    }


def _negative_log_likelihood(log_probability: np.ndarray, targets: np.ndarray, seen: np.ndarray | None) -> np.ndarray:
    """Mean negative log-probability [n] of the targets that are candidates."""
    rows, width = np.arange(len(targets))[:, None], log_probability.shape[1]
    probability = np.exp(log_probability.astype(np.float64))
    probability[:, 0] = 0
    if seen is not None:
        probability[rows, np.where(seen < width, seen, 0)] = 0
    total = probability.sum(axis=1)
    known = (targets > 0) & (targets < width)
    if seen is not None:
        known &= ~contains(seen, targets)
    own = np.where(known, log_probability[rows, np.where(known, targets, 0)], 0).astype(np.float64)
    number = known.sum(axis=1)
    mean = np.log(np.maximum(total, 1e-300)) - own.sum(axis=1) / np.maximum(number, 1)
    return np.where(number > 0, mean, np.nan)
