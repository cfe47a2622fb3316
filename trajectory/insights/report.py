"""migration.html: who moved from which interest to which, when, and against which chance; one file, works offline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jinja2
import numpy as np
import polars as pl

from trajectory.forecasting.page import script_safe
from trajectory.insights.flows import growth, lead_times, migration_matrix, moments_of, net_flows
from trajectory.insights.migration import Migrations
from trajectory.insights.states import interest_states

SHOWN_FLOWS = 30  # of a period
SHOWN_INTERESTS = 8  # of a user, and of those that grow or shrink
SHOWN_USERS = 60  # those with the smallest p-values
WHOLE = "whole log"
QUARTER = 91.0  # days


def write_migrations(migrations: Migrations, folder: Path, name: str, note: str = "") -> Path:
    """Writes migrations.parquet, flows.parquet (`flows_by_period`) and migration.html; returns the page."""
    flows = flows_by_period(migrations)
    migrations.found.write_parquet(folder / "migrations.parquet")
    flows.write_parquet(folder / "flows.parquet")
    units, settings = migrations.sessions, migrations.settings
    environment = jinja2.Environment(loader=jinja2.PackageLoader("trajectory.insights", "pages"), autoescape=True)
    page = environment.get_template("migration.html.j2").render(
        name=name,
        note=note,
        counts=[
            ("users", f"{units.histories.num_users:,}"),
            ("with enough sessions to tell", f"{migrations.tested.height:,}"),
            ("migrated", f"{migrations.found.height:,}"),
        ],
        settings=settings,
        unit=units.unit,
        lead=_lead(migrations),
        net=_ends(net_flows(migrations.found), "net"),
        growth=_growth(migrations),
        data=script_safe({"flows": _flows(flows), "users": _users(migrations), "timed": units.histories.has_time}),
    )
    path = folder / "migration.html"
    path.write_text(page, encoding="utf-8")
    return path


def flows_by_period(migrations: Migrations) -> pl.DataFrame:
    """The migration matrix of the whole log and, where it has times, of each calendar quarter of starts: `period`."""
    parts = {WHOLE: migrations.found}
    if migrations.sessions.histories.has_time:
        quarter = pl.format("{} Q{}", pl.col("start").dt.year(), pl.col("start").dt.quarter())
        dated = migrations.found.with_columns(period=quarter).sort("period")
        parts |= {period: part for (period,), part in dated.group_by("period", maintain_order=True)}
    return pl.concat(
        [migration_matrix(part).select(pl.lit(period).alias("period"), pl.all()) for period, part in parts.items()]
    )


def _flows(flows: pl.DataFrame) -> list[dict[str, Any]]:
    """What the page draws of each period: its largest flows."""
    columns = ("from", "to", "users", "lift", "low", "high")
    return [
        {
            "period": period,
            "users": int(part["users"].sum()),
            "flows": [
                [one, other, users, *(round(value, 2) for value in lift)]
                for one, other, users, *lift in part.select(columns).head(SHOWN_FLOWS).iter_rows()
            ],
        }
        for (period,), part in flows.group_by("period", maintain_order=True)
    ]


def _lead(migrations: Migrations) -> list[dict[str, str]]:
    """Median and quartiles of the lead times."""
    times = lead_times(migrations)
    words = {
        "ramp": "from the start until all of the mass has moved",
        "first_to_end": "from the first event of the destination until all of the mass has moved",
        "drop_to_rise": "from the drop of the source to the rise of the destination",
    }
    return [
        {"name": text, **dict(zip(("low", "median", "high"), (f"{value:.0f}" for value in quartiles), strict=True))}
        for column, text in words.items()
        if times.height
        for quartiles in [np.quantile(times[column].to_numpy(), (0.25, 0.5, 0.75))]
    ]


def _ends(table: pl.DataFrame, column: str) -> list[dict[str, Any]]:
    """The rows that gain and lose most, in order."""
    if table.height <= 2 * SHOWN_INTERESTS:
        return table.to_dicts()
    ordered = table.sort(column, descending=True)
    return pl.concat([ordered.head(SHOWN_INTERESTS), ordered.tail(SHOWN_INTERESTS)]).to_dicts()


def _growth(migrations: Migrations) -> list[dict[str, Any]]:
    """For each period of a quarter (of three windows of steps) after the first: the interests that change most."""
    units = migrations.sessions
    table = growth(units, QUARTER if units.histories.has_time else 3 * migrations.settings.window)
    certain = table.filter((pl.col("low") > 0) | (pl.col("high") < 0))
    return [
        {"period": f"{period} to {period + 1}", "rows": _ends(part, "change")}
        for (period,), part in certain.group_by("period", maintain_order=True)
    ]


def _users(migrations: Migrations) -> list[dict[str, Any]]:
    """What the page's script draws of each of the surest users."""
    units, window = migrations.sessions, migrations.settings.window
    histories = units.histories
    row_of = {user: row for row, user in enumerate(histories.users["user"])}
    shown = migrations.found.sort("p_value", "divergence", descending=[False, True]).head(SHOWN_USERS)
    states = interest_states(units, np.array([row_of[user] for user in shown["user"]], np.int64), window)
    times = {name: moments_of(shown[name], units) / window for name in ("low", "start", "high", "end")}
    found = []
    for row, move in enumerate(shown.iter_rows(named=True)):
        pair = [histories.interests.index(move[name]) for name in ("source", "destination")]
        top = np.argsort(-states[row].mean(0), kind="stable")[:SHOWN_INTERESTS]
        top = np.array(pair + [i for i in top if i not in pair][: SHOWN_INTERESTS - 2])
        rest = 1 - states[row][:, top].sum(1)
        found.append(
            {
                "user": str(move["user"]),
                "interests": [histories.interests[i] for i in top] + ["all others"],
                "states": np.round(np.column_stack([states[row][:, top], rest.clip(0)]), 3).tolist(),
                "text": _sentence(move, units.unit),
                **{name: round(float(values[row]), 3) for name, values in times.items()},
            }
        )
    return found


def _sentence(move: dict[str, Any], unit: str) -> str:
    when = {
        name: f"{move[name]:%d %b %Y}" if unit == "days" else f"step {move[name]}" for name in ("start", "low", "high")
    }
    return (
        f"moved {move['mass']:.0%} of their interest from {move['source']} to {move['destination']}, from "
        f"{when['start']} on (90 % interval {when['low']} to {when['high']}); "
        f"Jensen-Shannon divergence {move['divergence']:.2f} bits, p = {move['p_value']:.2g}, "
        f"q = {move['q_value']:.2g}."
    )
