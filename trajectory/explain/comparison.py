"""Which method of attribution is faithful: methods compared with simple rankings, on the same forecasts of one run."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import jax
import numpy as np

from trajectory import digest, hints
from trajectory.explain import event_rankings
from trajectory.explain.attribution import Attribution
from trajectory.explain.batching import take_rows
from trajectory.explain.explain import Explainer, ForecastBatch
from trajectory.explain.faithfulness import infidelity, max_sensitivity, rank_agreement
from trajectory.explain.masking import forecasts_with_events_hidden
from trajectory.explain.methods import UNSIGNED
from trajectory.explain.perturbation import MAX_EVENTS, shapley
from trajectory.explain.target_function import Inputs, Problem
from trajectory.explain.targets import Target
from trajectory.reading import read_json
from trajectory.run import Run
from trajectory.schema import Queries, UserError
from trajectory.writing import write_json

_LOGGER = logging.getLogger(__name__)

METHODS = (
    "saliency",
    "gradient_times_input",
    "smooth_gradients",
    "integrated_gradients",
    "expected_gradients",
    "occlusion",
)
MEASURES = ("infidelity", "sensitivity", "shapley", "randomised", "completeness_error")
STORED = ("means", "p_values", "measures")
REPEATED = 64  # forecasts that are explained several times over, at most


def compare_once(
    run: Run, folder: Path, target: Target, methods: Sequence[str], part: str, users: int
) -> dict[str, Any]:
    """As `compare_methods`, cached as faithfulness_<part>.json in the run's folder: read from there where the query,
    the checkpoint and the code are the same.
    """
    config = run.config.explain.to_dict()
    query = [vars(target), list(methods), users, run.checkpoint, config, digest.of_code(("models", "explain"))]
    path = folder / f"faithfulness_{part}.json"
    comparison = _stored(path)
    if comparison.get("query") != query:
        comparison = {"query": query} | compare_methods(run, target, methods, part, users)
        write_json(comparison, path)
    return comparison


def _stored(path: Path) -> dict[str, Any]:
    if path.exists():
        expected = {"query": list, **dict.fromkeys(STORED, dict)}
        try:
            return read_json(path, expected, "it is made anew", *expected)
        except UserError as damage:
            _LOGGER.warning(damage)
    return {}


def compare_methods(run: Run, target: Target, methods: Sequence[str], part: str, users: int) -> dict[str, Any]:
    """Every method on the same forecasts of queries of `part` ("validation" or "test"), of so many `users`, drawn.

    Returns `means` {masking: {ranking: {metric: mean}}} of methods and baseline rankings (see event_rankings.py),
    `p_values` {masking: {method: {baseline: {metric: p}}}}, and `measures` {method: {...}}, None where one does not
    apply: means of `infidelity` (nats², of signed methods), `sensitivity`, `shapley` (rank correlation with exact
    Shapley values, histories of at most 12 events), `randomised` (the same with the method's own in a model whose every
    parameter has its numbers shuffled), and the largest `completeness_error`; sensitivity and Shapley values are over
    at most REPEATED forecasts.
    """
    config, histories = run.config, run.experiment.histories
    explainer = Explainer(run, target, by_field=False)
    shuffled = Explainer(run.with_model(run.model, _shuffled(run.params, config.seed)), target, by_field=False)
    rng = np.random.default_rng(config.seed)
    queries = run.experiment.split.queries(part)
    answerable = explainer.answerable(histories, queries)
    if not answerable.any():
        raise UserError(
            f"no user of {part} has an item left to recommend; compare one: {hints.argument('target', 'item=ID')}"
        )
    queries = _drawn(Queries(*(column[answerable] for column in queries)), users, rng)
    stride = -(-len(queries.user) // REPEATED)
    metrics: list[event_rankings.PerForecast] = []
    measures: dict[str, list[Mapping[str, np.ndarray]]] = {name: [] for name in methods}
    done = 0
    for batch in explainer.forecasts(histories, queries):
        attributions = {name: explainer.method_named(name)(explainer.function, batch.inputs) for name in methods}
        scores = {name: attribution.events for name, attribution in attributions.items()}
        rankings = scores | event_rankings.baseline_rankings(explainer, batch, rng)
        metrics.append(event_rankings.measure(explainer, histories, batch, rankings))
        repeated = np.arange(-done % stride, len(batch.first), stride)
        for name, attribution in attributions.items():
            measures[name].append(_measures((explainer, shuffled), name, batch, attribution, repeated))
        done += len(batch.first)
    per_forecast = event_rankings.concatenate(metrics)
    baselines = [ranking for ranking in next(iter(per_forecast.values())) if ranking not in methods]
    return {
        "data": histories.name,
        "backbone": config.model.backbone,
        "checkpoint": run.checkpoint,
        "target": target.kind,
        "part": part,
        "forecasts": len(queries.user),
        "reference": config.explain.reference,
        "means": event_rankings.means(per_forecast),
        "p_values": event_rankings.p_values(per_forecast, methods, baselines, config.seed),
        "measures": {name: _summary(batches) for name, batches in measures.items()},
    }


def _measures(
    explainers: tuple[Explainer, Explainer],
    name: str,
    batch: ForecastBatch,
    attribution: Attribution,
    rows: np.ndarray,
) -> dict[str, np.ndarray]:
    """Measures of one batch by the explainers of the model and of the shuffled one; slow ones of `rows` only."""
    explainer, shuffled = explainers
    mask, config = np.asarray(batch.inputs.mask), explainer.config
    problem = Problem(explainer.function, batch.inputs, explainer.reference(batch.inputs))
    measures = {"completeness_error": attribution.completeness_error}
    if name not in UNSIGNED:
        measures["infidelity"] = infidelity(
            partial(forecasts_with_events_hidden, problem), mask, attribution, config.seed
        )
    of_shuffled = shuffled.function.inputs(batch.inputs.events, batch.inputs.targets)
    measures["randomised"] = rank_agreement(mask, attribution.events, _events(shuffled, name, of_shuffled))
    if not len(rows):
        return measures
    repeated = take_rows(batch.inputs, rows)
    measures["sensitivity"] = max_sensitivity(partial(_events, explainer, name), repeated, seed=config.seed)
    rows = rows[mask[rows].sum(axis=1) <= MAX_EVENTS]
    if len(rows):
        exact = shapley(explainer.function, *take_rows(problem[1:], rows)).events
        measures["shapley"] = rank_agreement(mask[rows], attribution.events[rows], exact)
    return measures


def _events(explainer: Explainer, name: str, inputs: Inputs) -> np.ndarray:
    return explainer.method_named(name)(explainer.function, inputs).events


def _summary(batches: Sequence[Mapping[str, np.ndarray]]) -> dict[str, float | None]:
    summary: dict[str, float | None] = {}
    for name in MEASURES:
        values = np.concatenate([[], *(batch[name] for batch in batches if name in batch)])
        values = values[np.isfinite(values)]
        reduce = np.max if name == "completeness_error" else np.mean
        summary[name] = float(reduce(values)) if len(values) else None
    return summary


def _drawn(queries: Queries, users: int, rng: np.random.Generator) -> Queries:
    drawn = np.sort(rng.permutation(len(queries.user))[:users])
    return Queries(*(column[drawn] for column in queries))


def _shuffled(params: Any, seed: int) -> Any:
    """Parameter randomisation (Adebayo et al. 2018): the numbers of each array change places, so that the model has
    learned nothing and its numbers are of the same size.
    """
    rng = np.random.default_rng(seed)
    shuffled = jax.tree.map(lambda x: rng.permutation(np.asarray(x).ravel()).reshape(x.shape), params["params"])
    return {**params, "params": shuffled}
