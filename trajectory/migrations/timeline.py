"""Timelines of single users: interests over the past, by behaviour and by the model, and their forecast."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from trajectory.migrations.flows import moments_of
from trajectory.migrations.migration import Migrations
from trajectory.migrations.migration_forecast import MigrationForecast

SHOWN_USERS = 60  # those with the smallest p-values
SHOWN_INTERESTS = 8  # of a user
SMALL = 0.001  # share of an interest below which a table leaves it out


def timelines(migrations: Migrations, states: np.ndarray, forecast: MigrationForecast | None) -> list[dict[str, Any]]:
    """Plain values of each of the users with the smallest p-values, given `states` [found, W, K] by behaviour.

    interests, states (of windows), text, when the move was; where there is a forecast `model` (states as the model saw
    them after each window, null before the first event), `forecast` (states of the next steps) and `days` (until each;
    null without times).
    """
    units, window = migrations.sessions, migrations.settings.window
    histories = units.histories
    order = migrations.moves.with_row_index("row").sort("p_value", "divergence", descending=[False, True])
    shown = order.head(SHOWN_USERS)
    times = {name: moments_of(shown[name], units) / window for name in ("low", "start", "high", "end")}
    users, movers = [], migrations.movers
    for place, move in enumerate(shown.iter_rows(named=True)):
        row = move["row"]
        pair = [histories.interests.index(move[name]) for name in ("source", "destination")]
        top = np.argsort(-states[row].mean(0), kind="stable")[:SHOWN_INTERESTS]
        top = np.array(pair + [i for i in top if i not in pair][: SHOWN_INTERESTS - 2])
        user = {
            "user": str(move["user"]),
            "interests": [histories.interests[i] for i in top] + ["all others"],
            "states": _shown(states[row], top),
            "text": _sentence(move, units.unit),
            **{name: round(float(values[place]), 3) for name, values in times.items()},
        }
        if forecast:
            user |= {"model": _shown(forecast.past[row], top), **_forecast(forecast, int(movers[row]), top)}
        users.append(user)
    return users


def states_table(migrations: Migrations, behaviour: np.ndarray, forecast: MigrationForecast | None) -> pl.DataFrame:
    """States of all users that migrated: user, window (from 0), interest, behaviour and model (share; null without).

    Interests to which neither gives a share of SMALL are left out.
    """
    model = np.full_like(behaviour, np.nan) if forecast is None else forecast.past
    row, at, interest = np.nonzero(np.fmax(behaviour, model) >= SMALL)
    return pl.DataFrame(
        {
            "user": migrations.moves["user"].gather(row),
            "window": at,
            "interest": pl.Series(migrations.sessions.histories.interests, dtype=pl.String).gather(interest),
            "behaviour": behaviour[row, at, interest],
            "model": pl.Series(model[row, at, interest], dtype=pl.Float64).fill_nan(None),
        }
    )


def _forecast(forecast: MigrationForecast, user: int, top: np.ndarray) -> dict[str, Any]:
    steps = forecast.states.steps
    days = None if steps.days is None else [round(float(day), 1) for day in np.maximum.accumulate(steps.days[user])]
    return {"forecast": _shown(steps.interests[user], top), "days": days}


def _shown(states: np.ndarray, top: np.ndarray) -> list[list[float] | None]:
    """States [T, K] of the top interests and of all others together; None for a state that is not known."""
    rest = (1 - states[:, top].sum(1)).clip(0)
    rounded = np.round(np.column_stack([states[:, top], rest]), 3)
    return [None if np.isnan(row).any() else row.tolist() for row in rounded]


def _sentence(move: dict[str, Any], unit: str) -> str:
    when = {
        name: f"{move[name]:%d %b %Y}" if unit == "days" else f"step {move[name]}" for name in ("start", "low", "high")
    }
    return (
        f"moved {move['mass']:.0%} of their interest from {move['source']} to {move['destination']}, from "
        f"{when['start']} on (90 % credible interval {when['low']} to {when['high']}); "
        f"Jensen-Shannon divergence {move['divergence']:.2f} bits, p = {move['p_value']:.2g}, "
        f"q = {move['q_value']:.2g}."
    )
