"""Comparisons of methods as text: a table of each run, and which method is the most faithful over all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from trajectory.explain.comparison import MEASURES
from trajectory.explain.event_rankings import ATTENTION, METRICS, RANDOM, RECENCY

SIGNIFICANT = 0.05
BASELINES = (RECENCY, RANDOM, ATTENTION)


def titled(comparison: Mapping[str, Any]) -> str:
    """A title with the query, and the table of one run."""
    query = f"{comparison['forecasts']} forecasts of {comparison['part']}, target {comparison['target']}; nats"
    return f"{comparison['data']}, {comparison['backbone']}: {query}\n\n{markdown(comparison)}\n"


def conclusion(comparisons: Sequence[Mapping[str, Any]]) -> str:
    """Ranks of the methods over all runs, and whether the best is above newest first and random order everywhere."""
    first = next(iter(mean_ranks(comparisons)))
    behind = "".join(f"- {line}\n" for line in not_ahead(comparisons, first))
    leads = f"{first.replace('_', ' ')} is above newest first and random order"
    return f"Mean ranks over metrics, with events hidden and removed:\n\n{summary(comparisons)}\n\n" + (
        f"{leads} but for:\n\n{behind}" if behind else f"{leads} everywhere.\n"
    )


def markdown(comparison: Mapping[str, Any]) -> str:
    """One run's table (of `compare_methods`), a row for each ranking; the best method of each metric in bold, * on
    what is better than every baseline by a paired test.
    """
    methods = list(comparison["measures"])
    maskings = list(comparison["means"])
    rankings = list(comparison["means"][maskings[0]])
    best = {(masking, name): _best(comparison, methods, masking, name) for masking in maskings for name in METRICS}
    header = ["ranking", *(f"{name}, {masking}" for masking in maskings for name in METRICS), *MEASURES]
    lines = [_row(header), _row(["---", *["--:"] * (len(header) - 1)])]
    for ranking in rankings:
        cells = [ranking.replace("_", " ")]
        for masking in maskings:
            for name in METRICS:
                text = f"{comparison['means'][masking][ranking][name]:.3f}"
                if ranking in methods:
                    text = f"**{text}**" if ranking == best[masking, name] else text
                    text += " *" if _beats_all(comparison, masking, ranking, name) else ""
                cells.append(text)
        for name in MEASURES:
            value = comparison["measures"].get(ranking, {}).get(name)
            cells.append(
                "" if value is None else f"{100 * value:.2f} %" if name == "completeness_error" else f"{value:.3f}"
            )
        lines.append(_row(cells))
    return "\n".join(lines)


def mean_ranks(comparisons: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Each method's mean rank (1 = best) over runs, maskings and metrics, best first; ties get their mean rank."""
    methods = [
        name for name in comparisons[0]["measures"] if all(name in comparison["measures"] for comparison in comparisons)
    ]
    ranks = []
    for comparison in comparisons:
        for rankings in comparison["means"].values():
            for name, sign in METRICS.items():
                values = np.array([sign * rankings[method][name] for method in methods])
                better, equal = values[None] > values[:, None], values[None] == values[:, None]
                ranks.append(better.sum(axis=1) + (equal.sum(axis=1) + 1) / 2)
    mean = np.mean(ranks, axis=0)
    return {methods[i]: float(mean[i]) for i in np.argsort(mean, kind="stable")}


def summary(comparisons: Sequence[Mapping[str, Any]]) -> str:
    """A row for each run: mean ranks of all methods, best first over all runs, and of the first of them its mean lead
    in deletion (nats) over each baseline, and in how many of the metrics, over both maskings, it lies above it by a
    paired test.
    """
    over_all = mean_ranks(comparisons)
    first = next(iter(over_all))
    methods = [name.replace("_", " ") for name in over_all]
    baselines = [f"lead of {methods[0]} over {baseline}" for baseline in BASELINES]
    lines = [_row(["run", *methods, *baselines]), _row(["---", *["--:"] * (len(methods) + len(baselines))])]
    for comparison in comparisons:
        own = mean_ranks([comparison])
        cells = [f"{comparison['data']}, {comparison['backbone']}", *(f"{own[name]:.2f}" for name in over_all)]
        lines.append(_row([*cells, *(_lead(comparison, first, baseline) for baseline in BASELINES)]))
    if len(comparisons) > 1:
        lines.append(_row(["all", *(f"**{rank:.2f}**" for rank in over_all.values()), *[""] * len(BASELINES)]))
    return "\n".join(lines)


def not_ahead(comparisons: Sequence[Mapping[str, Any]], method: str) -> Iterator[str]:
    """Where a method does not lie above newest first and random order by a paired test."""
    for comparison in comparisons:
        for masking in comparison["means"]:
            for baseline in (RECENCY, RANDOM):
                for name in METRICS:
                    if not _beats(comparison, masking, method, baseline, name):
                        lead, p = _ahead(comparison, masking, method, baseline, name)
                        run = f"{comparison['data']}, {comparison['backbone']}"
                        yield f"{run}, events {masking}: {name} leads {baseline} by {lead:+.3f} (p = {p:.3f})"


def _best(comparison: Mapping[str, Any], methods: Sequence[str], masking: str, name: str) -> str:
    return max(methods, key=lambda method: METRICS[name] * comparison["means"][masking][method][name])


def _beats_all(comparison: Mapping[str, Any], masking: str, ranking: str, name: str) -> bool:
    return all(
        _beats(comparison, masking, ranking, baseline, name) for baseline in comparison["p_values"][masking][ranking]
    )


def _beats(comparison: Mapping[str, Any], masking: str, ranking: str, baseline: str, name: str) -> bool:
    lead, p = _ahead(comparison, masking, ranking, baseline, name)
    return lead > 0 and p < SIGNIFICANT


def _ahead(comparison: Mapping[str, Any], masking: str, ranking: str, baseline: str, name: str) -> tuple[float, float]:
    """How much better one ranking is than a baseline, and the p-value of that."""
    means = comparison["means"][masking]
    return METRICS[name] * (means[ranking][name] - means[baseline][name]), comparison["p_values"][masking][ranking][
        baseline
    ][name]


def _lead(comparison: Mapping[str, Any], ranking: str, baseline: str) -> str:
    pairs = [
        (masking, name)
        for masking in comparison["means"]
        for name in METRICS
        if baseline in comparison["means"][masking]
    ]
    if not pairs:
        return ""
    lead = np.mean([_ahead(comparison, masking, ranking, baseline, "deletion")[0] for masking in comparison["means"]])
    wins = sum(_beats(comparison, masking, ranking, baseline, name) for masking, name in pairs)
    return f"{lead:+.2f} ({wins} of {len(pairs)})"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
