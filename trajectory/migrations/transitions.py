"""Accuracy of migration forecasts on holdout windows: each user's next window compared with baselines."""

from __future__ import annotations

from typing import Any

import numpy as np

from trajectory.metrics.significance import compare, confidence_interval, holm, user_weights
from trajectory.migrations.flow_forecast import Moves
from trajectory.migrations.state_baselines import MEMBERS, StateBaselines
from trajectory.migrations.state_forecast import StateForecast
from trajectory.migrations.step_windows import cut_back, interest_mass, shares
from trajectory.schema import Histories

QUARTERS = 4  # groups of users by their drift in the past
PAIRS = 10  # largest forecast flows that are compared with the observed ones
FORECAST = "forecast"


def check_transitions(
    forecast: StateForecast, baselines: StateBaselines, histories: Histories, resamples: int, seed: int
) -> dict[str, Any]:
    """The content of transitions.json: forecast and baselines on holdout windows, stop:end of `forecast.queries`.

    A transition is from a user's state now to the shares of interests in the next `steps` steps; its log-loss is the
    cross-entropy of these shares in nats. `log_loss` {name: {group: mean}} and `differences` {group: {baseline: paired
    test of the forecast's loss minus the baseline's}}, p-values adjusted by Holm over baselines and groups
    (`least_p_value`: the smallest that so many resamples can give), of all users and of quarters of equally many by how
    far they moved
    between their last two windows (`bounds`, bits; users without two windows are in `all` only). `slope`: of the
    observed changes on the forecast ones, over users and interests, with a 95 % bootstrap interval over users; 1 means
    forecasts are right on average, 0 that they are noise.
    `flows`: the largest forecast and the observed ones, with their standard error, in users' worth of interest.
    `interests`: the mean change of each from the last window's shares, forecast and observed, with its standard error.
    """
    queries, steps = forecast.queries, forecast.steps.interests.shape[1]
    windows = cut_back(histories, queries, steps)
    observed = interest_mass(histories, queries.stop, queries.end, histories.target_item).toarray()
    known = np.flatnonzero(observed.sum(1))
    outcome, drift = shares(observed[known]), windows.drift()[known]
    states = {FORECAST: forecast.next} | {name: baselines.states(windows, name) for name in MEMBERS}
    loss = {name: _log_loss(state[known], outcome) for name, state in states.items()}
    groups, bounds = _groups(drift)
    differences = {
        group: {name: compare(loss[FORECAST][rows], loss[name][rows], resamples, seed) for name in MEMBERS}
        for group, rows in groups.items()
    }
    tests = [test for of_group in differences.values() for test in of_group.values()]
    for test, p in zip(tests, holm([test["p_value"] for test in tests]), strict=True):
        test["p_value"] = float(p)
    now, following, last = forecast.now[known], forecast.next[known], forecast.last[known]
    return {
        "steps": steps,
        "users": {group: len(rows) for group, rows in groups.items()},
        "bounds": bounds,
        "log_loss": {
            name: {group: float(values[rows].mean()) for group, rows in groups.items()} for name, values in loss.items()
        },
        "differences": differences,
        "least_p_value": min(len(tests) / (resamples + 1), 1.0),
        "slope": _slope(following - now, outcome - now, resamples, seed),
        "flows": _flows(now, following, outcome, histories.interests),
        "interests": _interests(following - last, outcome - last, histories.interests),
    }


def table(check: dict[str, Any]) -> str:
    """Markdown: log-loss of forecast and baselines by group, and the difference to each baseline."""
    groups = list(check["users"])
    head = [f"{group} ({check['users'][group]:,})" for group in groups]
    lines = [f"log-loss of the next {check['steps']} steps' interests, nats", ""]
    lines += ["| | " + " | ".join(head) + " |", "|---|" + "--:|" * len(groups)]
    for name, values in check["log_loss"].items():
        lines.append(f"| {name} | " + " | ".join(f"{values[group]:.4f}" for group in groups) + " |")
        if name != FORECAST:
            tests = [check["differences"][group][name] for group in groups]
            cells = (f"{test['difference']:+.4f} (p {test['p_value']:.2g})" for test in tests)
            lines.append(f"| ... forecast less {name} | " + " | ".join(cells) + " |")
    slope = check["slope"]
    return "\n".join(
        [
            *lines,
            "",
            f"observed changes on forecast changes: slope {slope['value']:.2f} ({slope['low']:.2f} to "
            f"{slope['high']:.2f}; 1 = as forecast)",
            f"p-values are adjusted over all cells (Holm); none can be below {check['least_p_value']:.2g} here, as "
            "resamples are limited (evaluation.bootstrap)",
        ]
    )


def slope_sentence(slope: dict[str, float]) -> str:
    """What the slope of observed on forecast changes says."""
    value, low, high = slope["value"], slope["low"], slope["high"]
    if value < 0:
        return (
            "The changes forecast for single users did not come: on average shares moved the other way (slope of the "
            f"observed on the forecast changes {value:.2f}, {low:.2f} to {high:.2f}; 1 = as forecast)."
        )
    return (
        f"Of the changes forecast for single users, {value:.0%} were observed on average ({low:.0%} to {high:.0%}; "
        "100 % = as forecast)."
    )


def _log_loss(state: np.ndarray, outcome: np.ndarray) -> np.ndarray:
    return -(outcome * np.log(np.maximum(state, 1e-12))).sum(1)


def _groups(drift: np.ndarray) -> tuple[dict[str, np.ndarray], list[float]]:
    """Rows of all users and of quarters by drift; the bounds between the quarters."""
    known = np.flatnonzero(np.isfinite(drift))
    order = known[np.argsort(drift[known], kind="stable")]
    quarters = np.array_split(order, QUARTERS)
    names = ["steadiest quarter", "second", "third", "quarter that moved most"]
    groups = {"all": np.arange(len(drift))} | {
        name: np.sort(rows) for name, rows in zip(names, quarters, strict=True) if len(rows)
    }
    return groups, [float(drift[rows[0]]) for rows in quarters[1:] if len(rows)]


def _slope(forecast: np.ndarray, observed: np.ndarray, resamples: int, seed: int) -> dict[str, float]:
    both, square = (forecast * observed).sum(1), (forecast**2).sum(1)
    drawn = [
        (weight @ both) / np.maximum(weight @ square, 1e-300)
        for weight in user_weights(np.arange(len(both)), resamples, seed)
    ]
    between = confidence_interval(np.concatenate(drawn))
    value = float(both.sum() / max(square.sum(), 1e-300))
    return {"value": value, "low": float(between.low), "high": float(between.high)}


def _flows(
    now: np.ndarray, following: np.ndarray, outcome: np.ndarray, interests: tuple[str, ...]
) -> list[dict[str, Any]]:
    """The largest forecast flows and the observed ones.

    Of a user's forecast flow, what the source lost in truth counts by the destination's share of all that was expected
    to be taken up, and what the destination won by the source's share of all left, half each: as much as forecast on
    average, if shares come as forecast.
    """
    moves = Moves(now, following)
    flow = moves.flow()
    largest = np.argsort(-flow, axis=None, kind="stable")[:PAIRS]
    rows = []
    for i, j in zip(*np.unravel_index(largest, flow.shape), strict=True):
        if flow[i, j] <= 0:
            continue
        source, destination = moves.source[:, i], moves.destination[:, j]
        lost, won = now[:, i] - outcome[:, i], outcome[:, j] - now[:, j]
        goes = (source > 0) & (destination > 0)
        observed = np.where(goes, (lost * destination + won * source) / 2, 0)
        rows.append(
            {
                "from": interests[i],
                "to": interests[j],
                "forecast": float(flow[i, j]),
                "observed": float(observed.sum()),
                "error": float(observed.std() * np.sqrt(len(observed))),
            }
        )
    return rows


def _interests(forecast: np.ndarray, observed: np.ndarray, interests: tuple[str, ...]) -> list[dict[str, Any]]:
    rows = zip(interests, forecast.mean(0), observed.mean(0), observed.std(0) / np.sqrt(len(observed)), strict=True)
    return [
        {"interest": name, "forecast": float(expected), "observed": float(actual), "error": float(error)}
        for name, expected, actual, error in rows
    ]
