"""Several runs as one table: mean and standard deviation over seeds, floors below."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


def table(runs: dict[str, list[dict[str, Any]]], metrics: Sequence[str]) -> str:
    """Markdown rows: model, seeds, test metrics as mean ± standard deviation over seeds, epochs, seconds, events/s.

    `runs` maps a row's name to its runs, each {"evaluation": evaluation.json, "training": training.json}.
    """
    lines = [
        "| model | seeds | " + " | ".join(metrics) + " | epochs (best) | s per epoch | events/s |",
        "|---|--:|" + "--:|" * (len(metrics) + 3),
    ]
    for name, members in runs.items():
        training = [m["training"] for m in members]
        cells = [
            _spread([m["evaluation"]["metrics"]["test"].get(metric, np.nan) for m in members]) for metric in metrics
        ]
        best = ", ".join(f"{t['epochs']} ({t['best_epoch']})" for t in training)
        seconds = np.mean([t["seconds_per_epoch"] for t in training])
        rate = np.mean([t["events_per_second"] for t in training])
        lines.append(f"| {name} | {len(members)} | {' | '.join(cells)} | {best} | {seconds:.1f} | {rate:,.0f} |")
    floors = next(iter(runs.values()))[0]["evaluation"]["floors"]
    for name, parts in floors.items():
        cells = [f"{parts['test'][metric]:.4f}" if metric in parts["test"] else "-" for metric in metrics]
        if set(cells) != {"-"}:
            lines.append(f"| floor: {name.replace('_', ' ')} | | {' | '.join(cells)} | | | |")
    return "\n".join(lines)


def _spread(values: Sequence[float]) -> str:
    if len(values) < 2:
        return f"{values[0]:.4f}"
    return f"{np.mean(values):.4f} ± {np.std(values, ddof=1):.4f}"
