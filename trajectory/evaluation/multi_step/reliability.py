"""Reliability of multi-step forecasts: calibration errors with their bands, and the coverage of sets, by step."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from trajectory.calibration.conformal import coverage
from trajectory.calibration.per_step import ALPHA, CalibratedForecaster, StepCalibration, interest_step
from trajectory.evaluation import reliability_plot
from trajectory.inference.sampled_visits import sampled_visits
from trajectory.metrics.reliability import Pairs, column_pairs, diagram, event_pairs, summary, top_pairs
from trajectory.metrics.step_targets import read_steps, read_within
from trajectory.protocols import Forecaster, UncalibratedForecast
from trajectory.schema import Histories, Queries

SIMULATIONS = 300
DRAWS = 40  # of what comes within steps, for each user
UNCALIBRATED = "uncalibrated_top"  # before calibration: in tables, not in pictures
COLUMNS = 2_000_000  # users x columns of which every single probability is looked at
LENGTHS = (20, 50, 100, 200)  # events: bounds of the groups by length of history
TITLES = {  # of statements, in the order of tables and pictures
    "uncalibrated_top": "most likely item, not calibrated",
    "top": "most likely item at step",
    "items": "each item at step",
    "interests": "each interest at step",
    "within": "each item within steps 1 to",
    "interests_within": "each interest within steps 1 to",
}


def reliability(
    forecaster: Forecaster[UncalibratedForecast],
    calibration: StepCalibration,
    histories: Histories,
    queries: Queries,
    steps: int,
    picture: Path,
) -> dict[str, Any]:
    """What reliability.json holds, measured on (test) queries, and the diagrams drawn to `picture`.

    For each step: `top`, `items` (each item's probability; absent for large catalogues), `interests` (absent without),
    each with ece, the 95 % band low..high of a perfectly calibrated model, within_sampling_error, bias, log_loss, brier
    and n;
    `uncalibrated_top`, the same before calibration; `within` and `interests_within`, of coming within the first h
    steps, with bands of outcomes that go together as in `sampled_visits`; `sets`, coverage and size of the sets at 1 -
    ALPHA by length of history.
    """
    calibrated = CalibratedForecaster(forecaster, calibration, histories)
    results: dict[str, list[Any]] = {}
    pictures: dict[str, dict[str, np.ndarray]] = {}
    length = queries.stop - queries.start
    shown = (0, steps // 2, steps - 1)

    def add(name: str, h: int, pairs: Pairs) -> None:
        results.setdefault(name, []).append(summary(pairs, SIMULATIONS))
        if h in shown and name != UNCALIBRATED:
            pictures[f"{TITLES[name]} {h + 1}"] = diagram(pairs, SIMULATIONS)

    for h, step in read_steps(forecaster, histories, queries, steps):
        add(UNCALIBRATED, h, top_pairs(step.log_p.astype(np.float64), step.target, step.lines))
    for h, step in read_steps(calibrated, histories, queries, steps):
        log_p = step.log_p.astype(np.float64)
        add("top", h, top_pairs(log_p, step.target, step.lines))
        if log_p.size <= COLUMNS:
            add("items", h, column_pairs(log_p, step.target, step.lines))
        if histories.interests:
            shares, target = interest_step(histories, log_p, step.target)
            add("interests", h, column_pairs(calibration.interests[h].apply(shares), target, step.lines))
        group = np.digitize(length[step.row], LENGTHS)
        sets = calibration.sets[h].sets(log_p, step.target)
        results.setdefault("sets", []).append(
            {_GROUP.get(name, name): of for name, of in coverage(sets, ALPHA, group).items()}
        )
    rows = max(COLUMNS // (histories.num_items + 1), 1)
    fewer = Queries(*(column[:: -(-len(column) // rows)] for column in queries))
    for name, level in (("within", "item"), ("interests_within", "interest")):
        if level == "item" or histories.interests:
            visits = sampled_visits(histories, fewer, _at_steps(calibrated, fewer, level), DRAWS, seed=0)
            read = read_within(calibrated, histories, fewer, steps, level)
            for (h, probability, observed), drawn in zip(read, visits, strict=True):
                add(name, h, event_pairs(probability, observed, drawn))
    order = [name for name in TITLES if name in results and name != UNCALIBRATED]
    reliability_plot.draw(
        {title: pictures[title] for name in order for title in pictures if title.startswith(TITLES[name])}, picture
    )
    return results


def table(results: dict[str, Any], baseline_sets: list[dict[str, Any]], unit: str) -> str:
    """Markdown: calibration error and band of each statement by step, and the sets compared with those of baselines."""
    steps = len(results["top"])
    head = "| | " + " | ".join(f"{unit} {h + 1}" for h in range(steps)) + " |"
    band = "calibration error (95 % band of a perfectly calibrated model); * = above it"
    bias = "> or < = probabilities are on average higher or lower than what came, by more than chance"
    lines = [f"{band}; {bias}", "", head]
    lines.append("|---|" + "--:|" * steps)
    for name, title in TITLES.items():
        if name in results:
            cells = [f"{x['ece']:.2g} ({x['low']:.2g} to {x['high']:.2g}){_marks(x)}" for x in results[name]]
            lines.append(f"| {title} | " + " | ".join(cells) + " |")
    for name, sets in (("sets", [by["all"] for by in results["sets"]]), ("sets of the best baseline", baseline_sets)):
        cells = [f"{x['coverage']:.3f} ({x['low']:.3f} to {x['high']:.3f})" for x in sets]
        lines.append(f"| {name} at {1 - ALPHA:.0%}: covered | " + " | ".join(cells) + " |")
        lines.append(f"| {name}: mean size | " + " | ".join(f"{x['mean_size']:.1f}" for x in sets) + " |")
    return "\n".join([*lines, ""])


def _marks(measured: dict[str, Any]) -> str:
    marks = " *" * (not measured["within_sampling_error"])
    return marks if measured["bias_within_sampling_error"] else marks + (" >" if measured["bias"] > 0 else " <")


_BOUNDS = (0, *LENGTHS)
_GROUP = {str(i): f"{low} to {high - 1} events" for i, (low, high) in enumerate(pairwise(_BOUNDS))} | {
    str(len(LENGTHS)): f"{LENGTHS[-1]} events or more"
}


def _at_steps(calibrated: CalibratedForecaster, queries: Queries, level: str) -> np.ndarray:
    """Probability of each item or interest at each step [n, H, columns], column 0 with it."""
    parts = []
    for chunk in queries.chunks(calibrated.batch):
        forecast = calibrated.forecast(chunk)
        parts.append(np.exp(forecast.log_probability if level == "item" else forecast.log_interests))
    return np.concatenate(parts)
