"""How far recommendations held on what was held out: relevance beside the baselines, and what diversity costs."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from trajectory.insights.recommend.baselines import ALONE, NEXT, OWN, counting_baselines
from trajectory.insights.recommend.lists import SIZE, suggest
from trajectory.insights.recommend.relevance import Relevance, limited_to_steps, owned_items, steps_asked
from trajectory.metrics.beyond_accuracy import coverage, diversity, novelty
from trajectory.metrics.ranking import distinct_items, metrics, ranks, top_k
from trajectory.metrics.significance import bootstrap, compare, holm
from trajectory.run import Run
from trajectory.schema import Histories, Queries

SHARES = (0.0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 0.8)  # of a list's merit that is the mix of interests
GIVEN_UP = 0.01  # share of the relevance (NDCG on validation) that diversity may cost
FALSE = 0.05  # p-value up to which a difference is more than chance
METRICS = (f"recall@{SIZE}", f"ndcg@{SIZE}")
GROUPS = ("all", "again", "new")  # candidates: all, those of the history, the others


def compare_lists(run: Run, relevance: Relevance, part: str) -> dict[str, Any]:
    """Lists of SIZE items on `part` by `relevance`, the next item, and counting baselines.

    `steps`: the most that are asked of any user, and `steps_mean`; `users_of_most`: who are asked for so many.
    `rows` {name: {group: {recall, ndcg, error, users}, coverage, novelty, diversity}}; `paired` {group: {metric: test
    of the first scorer against the best other one}} with p-values adjusted by Holm over all of them. Of the group
    "again" candidates and what is relevant are items of the history, of "new" the others; ties have expected ranks.
    """
    experiment, c = run.experiment, run.config
    h, queries = (
        experiment.histories,
        limited_to_steps(experiment.histories, experiment.split.queries(part), relevance.steps),
    )
    counted = counting_baselines(run, relevance)
    groups = ("all",) if relevance.filter_seen else GROUPS
    per_list: dict[str, list[_Lists]] = {name: [] for name in (*OWN, NEXT, *(row.name for row in counted))}
    for chunk in queries.chunks(relevance.batch):
        read = relevance.read(chunk)
        ours = {relevance.name: read.scores, ALONE: read.expected, NEXT: read.by_step[:, 0]}
        for name, scores in (*ours.items(), *((row.name, row.scores(chunk)) for row in counted)):
            per_list[name].append(_measured(scores, h, chunk, groups, relevance.filter_seen))
    values = {
        group: {
            name: np.concatenate([part.metrics[group] for part in parts], axis=1) for name, parts in per_list.items()
        }
        for group in groups
    }
    rows: dict[str, dict[str, Any]] = {}
    for name, parts in per_list.items():
        lists = np.concatenate([part.lists for part in parts])
        rows[name] = {group: _means(values[group][name], c) for group in groups} | {
            "coverage": coverage(lists, h.num_items),
            "novelty": float(novelty(lists, counted[0].popularity).mean()),
            "diversity": float(np.nanmean(diversity(lists, h.item_interest))) if h.interests else None,
        }
    steps = steps_asked(h, queries)
    return {
        "part": part,
        "size": SIZE,
        "steps": int(steps.max()),
        "steps_mean": float(steps.mean()),
        "users_of_most": int((steps == steps.max()).sum()),
        "users": len(queries.user),
        "rows": rows,
        "paired": _paired(values, c),
    }


def trade_off(run: Run, relevance: Relevance, part: str) -> list[dict[str, float]]:
    """Relevance and diversity of lists on `part` for each of SHARES: share, ndcg, recall, diversity, coverage."""
    experiment = run.experiment
    h, queries = (
        experiment.histories,
        limited_to_steps(experiment.histories, experiment.split.queries(part), relevance.steps),
    )
    of_share: list[list[np.ndarray]] = [[] for _ in SHARES]
    for chunk in queries.chunks(relevance.batch):
        read = relevance.read(chunk)
        for parts, share in zip(of_share, SHARES, strict=True):
            parts.append(suggest(relevance, chunk, read.scores, read.expected, share))
    targets = distinct_items(h, queries.stop, queries.end)
    points = []
    for parts, share in zip(of_share, SHARES, strict=True):
        lists = np.concatenate(parts)
        scored = np.full((len(lists), h.num_items + 1), -np.inf, np.float32)
        np.put_along_axis(scored, lists, np.arange(SIZE, 0, -1, dtype=np.float32)[None], axis=1)
        means = metrics(ranks(scored, targets), targets, (SIZE,))
        points.append(
            {
                "share": share,
                "ndcg": float(np.nanmean(means[f"ndcg@{SIZE}"])),
                "recall": float(np.nanmean(means[f"recall@{SIZE}"])),
                "diversity": float(np.nanmean(diversity(lists, h.item_interest))),
                "coverage": coverage(lists, h.num_items),
            }
        )
    return points


def found_more(held: dict[str, Any]) -> str:
    """The other list of `compare_lists` that found more than the first scorer's beyond chance; "" if none did."""
    test = held["paired"]["all"][METRICS[0]]
    return str(test["rival"]) if test["high"] < 0 and test["p_value"] <= FALSE else ""


def chosen_share(curve: list[dict[str, float]]) -> float:
    """The largest share of a `trade_off` on validation that costs at most GIVEN_UP of the NDCG of relevance alone."""
    enough = curve[0]["ndcg"] * (1 - GIVEN_UP)
    return max(point["share"] for point in curve if point["ndcg"] >= enough)


class _Lists(NamedTuple):
    """Of some users: METRICS [2, n] of each group of candidates, and lists of all candidates int [n, SIZE]."""

    metrics: dict[str, np.ndarray]
    lists: np.ndarray


def _measured(scores: Any, h: Histories, queries: Queries, groups: tuple[str, ...], filter_seen: bool) -> _Lists:
    scores = np.array(scores, np.float64)
    owned, targets = owned_items(h, queries.start, queries.stop), distinct_items(h, queries.stop, queries.end)
    cold = len(h.items) + 1 - owned.shape[1]
    again = np.take_along_axis(np.pad(owned, ((0, 0), (0, cold))), targets, axis=1)
    per_group, lists = {}, np.zeros(0)
    for group in groups:
        possible = np.ones_like(owned) if group == "all" else owned == (group == "again")
        if filter_seen:
            possible &= ~owned
        wanted = targets if group == "all" else np.where(again == (group == "again"), targets, 0)
        allowed = np.where(possible, scores, -np.inf)
        values = metrics(ranks(allowed, wanted), wanted, (SIZE,))
        per_group[group] = np.stack([values[name] for name in METRICS])
        if group == "all":
            lists = top_k(allowed, None, SIZE)[0]
    return _Lists(per_group, lists)


def _means(values: np.ndarray, config: Any) -> dict[str, float]:
    error = bootstrap(values[1], config.evaluation.bootstrap, config.seed).standard_error
    recall, ndcg = np.nanmean(values, axis=1)
    return {
        "recall": float(recall),
        "ndcg": float(ndcg),
        "error": float(error),
        "users": int(np.isfinite(values[1]).sum()),
    }


def _paired(values: dict[str, dict[str, np.ndarray]], config: Any) -> dict[str, dict[str, dict[str, Any]]]:
    comparisons: dict[str, dict[str, dict[str, Any]]] = {}
    for group, of in values.items():
        if not np.isfinite(of[Relevance.name]).any():
            continue  # nobody took any of it
        means = {name: np.nanmean(value, axis=1) for name, value in of.items() if name not in OWN}
        for number, metric in enumerate(METRICS):
            rival = max((float(mean[number]), name) for name, mean in means.items())[1]
            own, other = of[Relevance.name][number], of[rival][number]
            test = compare(own, other, config.evaluation.bootstrap, config.seed)
            comparisons.setdefault(group, {})[metric] = {"rival": rival, **test}
    tests = [test for of in comparisons.values() for test in of.values()]
    for test, p in zip(tests, holm([test["p_value"] for test in tests]), strict=True):
        test["p_value"] = float(p)
    return comparisons
