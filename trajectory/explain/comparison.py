"""Which method's reasons are a run's own: methods beside simpler orders, on the same forecasts of one run."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import jax
import numpy as np

from trajectory import digest
from trajectory.explain import event_rankings
from trajectory.explain.attribution import Attribution
from trajectory.explain.batching import some as some_rows
from trajectory.explain.explain import Explainer, Forecasts
from trajectory.explain.faithfulness import infidelity, max_sensitivity, rank_agreement
from trajectory.explain.masking import hidden
from trajectory.explain.methods import UNSIGNED
from trajectory.explain.perturbation import MOST_EVENTS, shapley
from trajectory.explain.target_function import Inputs
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
MEASURES = ("infidelity", "sensitivity", "shapley", "randomised", "gap")
KEPT = ("means", "p_values", "measures")
REPEATED = 64  # forecasts that are explained several times over, at most


def compare_once(
    run: Run, folder: Path, target: Target, methods: Sequence[str], part: str, users: int
) -> dict[str, Any]:
    """As `compare_methods`; kept as faithfulness_<part>.json in the run's folder, and read from there where the same
    was asked of the same checkpoint by the same code.
    """
    config = run.config.explain.to_dict()
    asked = [vars(target), list(methods), users, run.checkpoint, config, digest.of_code(("models", "explain"))]
    path = folder / f"faithfulness_{part}.json"
    found = _kept(path)
    if found.get("asked") != asked:
        found = {"asked": asked} | compare_methods(run, target, methods, part, users)
        write_json(found, path)
    return found


def _kept(path: Path) -> dict[str, Any]:
    if path.exists():
        try:
            return read_json(path, {"asked": list, **dict.fromkeys(KEPT, dict)}, "it is made anew", "asked", *KEPT)
        except UserError as damage:
            _LOGGER.warning(damage)
    return {}


def compare_methods(run: Run, target: Target, methods: Sequence[str], part: str, users: int) -> dict[str, Any]:
    """Every method on the same forecasts of queries of `part` ("validation" or "test"), of so many `users`, drawn.

    Returns `means` {way: {order: {figure: mean}}} of methods and rivals (see orders.py), `p_values` {way: {method:
    {rival: {figure: p}}}}, and `measures` {method: {...}}, None where one does not apply: means of `infidelity` (nats²,
    of what has a sign), `sensitivity`, `shapley` (correlation of ranks with exact Shapley values, histories of at most
    12 events), `randomised` (the same with the method's own in a model whose every parameter has its numbers shuffled),
    and the largest `gap`; of sensitivity and Shapley values over at most REPEATED forecasts.
    """
    config, histories = run.config, run.task.histories
    explainer = Explainer(run, target, by_field=False)
    other = Explainer(run.with_params(_shuffled(run.params, config.seed)), target, by_field=False)
    rng = np.random.default_rng(config.seed)
    queries = run.task.split.queries(part)
    answerable = explainer.answerable(histories, queries)
    if not answerable.any():
        raise UserError(f"no user of {part} has an item left to recommend; compare a named one: --target=item=ID")
    queries = _drawn(Queries(*(column[answerable] for column in queries)), users, rng)
    every = -(-len(queries.user) // REPEATED)
    figures: list[event_rankings.Figures] = []
    measured: dict[str, list[Mapping[str, np.ndarray]]] = {name: [] for name in methods}
    done = 0
    for some in explainer.forecasts(histories, queries):
        found = {name: explainer.by(name)(explainer.function, some.inputs) for name in methods}
        scores = {name: attribution.events for name, attribution in found.items()}
        figures.append(
            event_rankings.measure(explainer, histories, some, scores | event_rankings.rivals(explainer, some, rng))
        )
        for name, attribution in found.items():
            repeated = np.arange(-done % every, len(some.first), every)
            measured[name].append(_measures(explainer, other, name, some, attribution, repeated))
        done += len(some.first)
    each = event_rankings.joined(figures)
    rivals = [order for order in next(iter(each.values())) if order not in methods]
    return {
        "data": histories.name,
        "backbone": config.model.backbone,
        "checkpoint": run.checkpoint,
        "target": target.kind,
        "part": part,
        "forecasts": len(queries.user),
        "baseline": config.explain.baseline,
        "means": event_rankings.means(each),
        "p_values": event_rankings.p_values(each, methods, rivals, config.seed),
        "measures": {name: _summary(parts) for name, parts in measured.items()},
    }


def _measures(
    explainer: Explainer, other: Explainer, name: str, some: Forecasts, attribution: Attribution, rows: np.ndarray
) -> dict[str, np.ndarray]:
    there, config = np.asarray(some.inputs.there), explainer.config
    base = explainer.base(some.inputs)
    found = {"gap": attribution.gap}
    if name not in UNSIGNED:
        forecast = partial(hidden, explainer.function, some.inputs, base)
        found["infidelity"] = infidelity(forecast, there, attribution, config.seed)
    in_other = other.function.inputs(some.inputs.events, some.inputs.asked)
    found["randomised"] = rank_agreement(there, attribution.events, _events(other, name, in_other))

    if not len(rows):
        return found
    few = some_rows(some.inputs, rows)
    found["sensitivity"] = max_sensitivity(partial(_events, explainer, name), few, seed=config.seed)
    rows = rows[there[rows].sum(axis=1) <= MOST_EVENTS]
    if len(rows):
        exact = shapley(explainer.function, some_rows(some.inputs, rows), some_rows(base, rows)).events
        found["shapley"] = rank_agreement(there[rows], attribution.events[rows], exact)
    return found


def _events(explainer: Explainer, name: str, inputs: Inputs) -> np.ndarray:
    return explainer.by(name)(explainer.function, inputs).events


def _summary(parts: Sequence[Mapping[str, np.ndarray]]) -> dict[str, float | None]:
    found: dict[str, float | None] = {}
    for name in MEASURES:
        values = np.concatenate([[], *(part[name] for part in parts if name in part)])
        values = values[np.isfinite(values)]
        mean = np.max if name == "gap" else np.mean
        found[name] = float(mean(values)) if len(values) else None
    return found


def _drawn(queries: Queries, users: int, rng: np.random.Generator) -> Queries:
    some = np.sort(rng.permutation(len(queries.user))[:users])
    return Queries(*(column[some] for column in queries))


def _shuffled(params: Any, seed: int) -> Any:
    """Parameters whose numbers have changed places, each array by itself: a model that has learned nothing, with
    numbers of the same size (Adebayo et al. 2018).
    """
    rng = np.random.default_rng(seed)
    return jax.tree.map(lambda x: rng.permutation(np.asarray(x).ravel()).reshape(x.shape), params)
