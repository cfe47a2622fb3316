"""Comparisons of methods as text: a table of each run, and which method is the most faithful over all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from trajectory.explain.comparison import MEASURES
from trajectory.explain.orders import FIGURES, RANDOM, RECENCY

SIGNIFICANT = 0.05


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


def lost(comparisons: Sequence[Mapping[str, Any]], method: str) -> Iterator[str]:
    """Says where a method does not lie above newest first and random order by a paired test."""
    for found in comparisons:
        for way, by_method in found["p_values"].items():
            for rival in (RECENCY, RANDOM):
                for name, sign in FIGURES.items():
                    lead = sign * (found["means"][way][method][name] - found["means"][way][rival][name])
                    p = by_method[method][rival][name]
                    if lead <= 0 or p >= SIGNIFICANT:
                        yield (
                            f"{found['data']}, {found['backbone']}, events {way}: {name} leads {rival} by {lead:+.3f} "
                            f"(p = {p:.3f})"
                        )


def _best(found: Mapping[str, Any], methods: Sequence[str], way: str, name: str) -> str:
    return max(methods, key=lambda method: FIGURES[name] * found["means"][way][method][name])


def _beats_all(found: Mapping[str, Any], way: str, order: str, name: str) -> bool:
    means, tested = found["means"][way], found["p_values"][way][order]
    return all(
        FIGURES[name] * (means[order][name] - means[rival][name]) > 0 and p[name] < SIGNIFICANT
        for rival, p in tested.items()
    )


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
