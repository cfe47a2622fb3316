"""Do foreseen migrations come: the forecast of each user's next window beside floors, on windows that were held out."""

from __future__ import annotations

from typing import Any

import numpy as np

from trajectory.metrics.significance import compare, holm, spread, user_weights
from trajectory.migrations.flow_forecast import Moves
from trajectory.migrations.state_baselines import MEMBERS, StateFloors
from trajectory.migrations.state_forecast import StateForecast
from trajectory.migrations.step_windows import cut_back, interest_mass, shares
from trajectory.schema import Histories

QUARTERS = 4  # groups of users by their drift in the past
PAIRS = 10  # largest foreseen flows that are compared with what came
FORECAST = "forecast"


def check_transitions(
    foreseen: StateForecast, floors: StateFloors, histories: Histories, resamples: int, seed: int
) -> dict[str, Any]:
    """What transitions.json holds: forecast and floors of windows that were held out, `foreseen.queries`' stop:end.

    A transition is from a user's state now to the shares of interests in the next `steps` steps; its log-loss is the
    cross-entropy of these shares in nats. `log_loss` {name: {group: mean}} and `leads` {group: {floor: paired test of
    the forecast's loss minus the floor's}}, p-values adjusted by Holm over floors and groups, of all users and of
    quarters of equally many by how far they moved between their last two windows (`bounds`, bits; users without two
    windows are in `all` only). `slope`: of the changes that came on those foreseen, over users and interests, with a
    95 % bootstrap interval over users; 1 means they come as foreseen on average, 0 that they are noise. `flows`: the
    largest foreseen ones beside what moved, with its standard error, in users' worth of interest. `interests`: the mean
    change of each, foreseen and come, with its standard error.
    """
    queries, steps = foreseen.queries, foreseen.steps.interests.shape[1]
    windows = cut_back(histories, queries, steps)
    came = interest_mass(histories, queries.stop, queries.end).toarray()
    there = np.flatnonzero(came.sum(1))
    outcome, drift = shares(came[there]), windows.drift()[there]
    states = {FORECAST: foreseen.next} | {name: floors.states(windows, name) for name in MEMBERS}
    loss = {name: _log_loss(state[there], outcome) for name, state in states.items()}
    groups, bounds = _groups(drift)
    leads = {
        group: {name: compare(loss[FORECAST][rows], loss[name][rows], resamples, seed) for name in MEMBERS}
        for group, rows in groups.items()
    }
    tests = [test for of_group in leads.values() for test in of_group.values()]
    for test, p in zip(tests, holm([test["p_value"] for test in tests]), strict=True):
        test["p_value"] = float(p)
    now, following = foreseen.now[there], foreseen.next[there]
    return {
        "steps": steps,
        "users": {group: len(rows) for group, rows in groups.items()},
        "bounds": bounds,
        "log_loss": {
            name: {group: float(values[rows].mean()) for group, rows in groups.items()} for name, values in loss.items()
        },
        "leads": leads,
        "slope": _slope(following - now, outcome - now, resamples, seed),
        "flows": _flows(now, following, outcome, histories.interests),
        "interests": _interests(following - now, outcome - now, histories.interests),
    }


def table(found: dict[str, Any]) -> str:
    """Markdown: log-loss of forecast and floors by group, and the forecast's lead over each floor."""
    groups = list(found["users"])
    head = [f"{group} ({found['users'][group]:,})" for group in groups]
    lines = [f"log-loss of the next {found['steps']} steps' interests, nats", ""]
    lines += ["| | " + " | ".join(head) + " |", "|---|" + "--:|" * len(groups)]
    for name, values in found["log_loss"].items():
        lines.append(f"| {name} | " + " | ".join(f"{values[group]:.4f}" for group in groups) + " |")
        if name != FORECAST:
            tests = [found["leads"][group][name] for group in groups]
            cells = (f"{test['difference']:+.4f} (p {test['p_value']:.2g})" for test in tests)
            lines.append(f"| ... forecast less {name} | " + " | ".join(cells) + " |")
    slope = found["slope"]
    return "\n".join(
        [
            *lines,
            "",
            f"changes that came on changes foreseen: slope {slope['value']:.2f} ({slope['low']:.2f} to "
            f"{slope['high']:.2f}; 1 = as foreseen)",
        ]
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


def _slope(foreseen: np.ndarray, came: np.ndarray, resamples: int, seed: int) -> dict[str, float]:
    both, square = (foreseen * came).sum(1), (foreseen**2).sum(1)
    drawn = [
        (weight @ both) / np.maximum(weight @ square, 1e-300)
        for weight in user_weights(np.arange(len(both)), resamples, seed)
    ]
    between = spread(np.concatenate(drawn))
    value = float(both.sum() / max(square.sum(), 1e-300))
    return {"value": value, "low": float(between.low), "high": float(between.high)}


def _flows(
    now: np.ndarray, following: np.ndarray, outcome: np.ndarray, interests: tuple[str, ...]
) -> list[dict[str, Any]]:
    """The largest foreseen flows beside what came.

    Of a user's foreseen flow, what the source lost in truth counts by the destination's share of all that was foreseen
    to be taken up, and what the destination won by the source's share of all left, half each: as much as foreseen on
    average, if shares come as foreseen.
    """
    moves = Moves(now, following)
    flow = moves.flow()
    largest = np.argsort(-flow, axis=None, kind="stable")[:PAIRS]
    found = []
    for one, other in zip(*np.unravel_index(largest, flow.shape), strict=True):
        if flow[one, other] <= 0:
            continue
        source, destination = moves.source[:, one], moves.destination[:, other]
        lost, won = now[:, one] - outcome[:, one], outcome[:, other] - now[:, other]
        goes = (source > 0) & (destination > 0)
        came = np.where(goes, (lost * destination + won * source) / 2, 0)
        found.append(
            {
                "from": interests[one],
                "to": interests[other],
                "foreseen": float(flow[one, other]),
                "came": float(came.sum()),
                "error": float(came.std() * np.sqrt(len(came))),
            }
        )
    return found


def _interests(foreseen: np.ndarray, came: np.ndarray, interests: tuple[str, ...]) -> list[dict[str, Any]]:
    rows = zip(interests, foreseen.mean(0), came.mean(0), came.std(0) / np.sqrt(len(came)), strict=True)
    return [
        {"interest": name, "foreseen": float(one), "came": float(other), "error": float(error)}
        for name, one, other, error in rows
    ]
