"""Comparisons of methods as text: a table of each run, and which method is the most faithful over all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from trajectory.explain.comparison import MEASURES
from trajectory.explain.event_rankings import ATTENTION, FIGURES, RANDOM, RECENCY

SIGNIFICANT = 0.05
RIVALS = (RECENCY, RANDOM, ATTENTION)


def titled(found: Mapping[str, Any]) -> str:
    """What was asked of one run, and its table."""
    asked = f"{found['forecasts']} forecasts of {found['part']}, target {found['target']}; nats"
    return f"{found['data']}, {found['backbone']}: {asked}\n\n{markdown(found)}\n"


def conclusion(comparisons: Sequence[Mapping[str, Any]]) -> str:
    """Ranks of the methods over all runs, and whether the best is above newest first and random order everywhere."""
    first = next(iter(mean_ranks(comparisons)))
    behind = "".join(f"- {line}\n" for line in lost(comparisons, first))
    above = f"{first.replace('_', ' ')} is above newest first and random order"
    return f"Mean ranks over figures and both ways of taking events away:\n\n{summary(comparisons)}\n\n" + (
        f"{above} but for:\n\n{behind}" if behind else f"{above} everywhere.\n"
    )


def markdown(found: Mapping[str, Any]) -> str:
    """One run's table (of `compare_methods`), a row for each order; the best of each figure in bold, * on what is
    better than every rival by a paired test.
    """
    methods = list(found["measures"])
    ways = list(found["means"])
    orders = list(found["means"][ways[0]])
    best = {(way, name): _best(found, methods, way, name) for way in ways for name in FIGURES}
    header = ["order", *(f"{name}, {way}" for way in ways for name in FIGURES), *MEASURES]
    lines = [_row(header), _row(["---", *["--:"] * (len(header) - 1)])]
    for order in orders:
        cells = [order.replace("_", " ")]
        for way in ways:
            for name in FIGURES:
                text = f"{found['means'][way][order][name]:.3f}"
                if order in methods:
                    text = f"**{text}**" if order == best[way, name] else text
                    text += " *" if _beats_all(found, way, order, name) else ""
                cells.append(text)
        for name in MEASURES:
            value = found["measures"].get(order, {}).get(name)
            cells.append("" if value is None else f"{100 * value:.2f} %" if name == "gap" else f"{value:.3f}")
        lines.append(_row(cells))
    return "\n".join(lines)


def mean_ranks(comparisons: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Each method's mean rank (1 = best) over runs, ways and figures, best first; of equal values the mean rank."""
    methods = [name for name in comparisons[0]["measures"] if all(name in found["measures"] for found in comparisons)]
    ranks = []
    for found in comparisons:
        for orders in found["means"].values():
            for name, sign in FIGURES.items():
                values = np.array([sign * orders[method][name] for method in methods])
                better, equal = values[None] > values[:, None], values[None] == values[:, None]
                ranks.append(better.sum(axis=1) + (equal.sum(axis=1) + 1) / 2)
    mean = np.mean(ranks, axis=0)
    return {methods[i]: float(mean[i]) for i in np.argsort(mean, kind="stable")}


def summary(comparisons: Sequence[Mapping[str, Any]]) -> str:
    """A row for each run: mean ranks of all methods, best first over all runs, and of the first of them its mean lead
    in deletion (nats) over each rival, with in how many of the figures, both ways, it lies above it by a paired test.
    """
    over_all = mean_ranks(comparisons)
    first = next(iter(over_all))
    methods = [name.replace("_", " ") for name in over_all]
    rivals = [f"lead of {methods[0]} over {rival}" for rival in RIVALS]
    lines = [_row(["run", *methods, *rivals]), _row(["---", *["--:"] * (len(methods) + len(rivals))])]
    for found in comparisons:
        own = mean_ranks([found])
        cells = [f"{found['data']}, {found['backbone']}", *(f"{own[name]:.2f}" for name in over_all)]
        lines.append(_row([*cells, *(_lead(found, first, rival) for rival in RIVALS)]))
    if len(comparisons) > 1:
        lines.append(_row(["all", *(f"**{rank:.2f}**" for rank in over_all.values()), *[""] * len(RIVALS)]))
    return "\n".join(lines)


def lost(comparisons: Sequence[Mapping[str, Any]], method: str) -> Iterator[str]:
    """Says where a method does not lie above newest first and random order by a paired test."""
    for found in comparisons:
        for way in found["means"]:
            for rival in (RECENCY, RANDOM):
                for name in FIGURES:
                    if not _beats(found, way, method, rival, name):
                        lead, p = _ahead(found, way, method, rival, name)
                        yield (
                            f"{found['data']}, {found['backbone']}, events {way}: {name} leads {rival} by {lead:+.3f} "
                            f"(p = {p:.3f})"
                        )


def _best(found: Mapping[str, Any], methods: Sequence[str], way: str, name: str) -> str:
    return max(methods, key=lambda method: FIGURES[name] * found["means"][way][method][name])


def _beats_all(found: Mapping[str, Any], way: str, order: str, name: str) -> bool:
    return all(_beats(found, way, order, rival, name) for rival in found["p_values"][way][order])


def _beats(found: Mapping[str, Any], way: str, order: str, rival: str, name: str) -> bool:
    lead, p = _ahead(found, way, order, rival, name)
    return lead > 0 and p < SIGNIFICANT


def _ahead(found: Mapping[str, Any], way: str, order: str, rival: str, name: str) -> tuple[float, float]:
    """How much better one order is than a rival, and the p-value of that."""
    means = found["means"][way]
    return FIGURES[name] * (means[order][name] - means[rival][name]), found["p_values"][way][order][rival][name]


def _lead(found: Mapping[str, Any], order: str, rival: str) -> str:
    pairs = [(way, name) for way in found["means"] for name in FIGURES if rival in found["means"][way]]
    if not pairs:
        return ""
    lead = np.mean([_ahead(found, way, order, rival, "deletion")[0] for way in found["means"]])
    return f"{lead:+.2f} ({sum(_beats(found, way, order, rival, name) for way, name in pairs)} of {len(pairs)})"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
