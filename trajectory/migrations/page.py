"""migration.html: who moved from which interest to which, when, and who is expected to; one file, works offline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from trajectory.evaluation.target_steps import target_types
from trajectory.migrations.attention import Attention
from trajectory.migrations.attention_page import attention_values
from trajectory.migrations.flow_forecast import flow_forecast_matrix, share_forecasts
from trajectory.migrations.flows import growth, lead_times, migration_matrix, net_flows
from trajectory.migrations.groups import by_activity
from trajectory.migrations.migration import Migrations
from trajectory.migrations.migration_forecast import MigrationForecast, largest_moves
from trajectory.migrations.states import interest_states
from trajectory.migrations.timeline import states_table, timelines
from trajectory.migrations.transitions import slope_sentence
from trajectory.names import isolated
from trajectory.reports import page_charts, pictures
from trajectory.reports.page import script_safe, write_page
from trajectory.reports.words import attention_words, clock
from trajectory.run_card import write_card
from trajectory.schema import Histories
from trajectory.writing import write_json, write_parquet

SHOWN_FLOWS = 30  # of a period and segment
SHOWN_ENDS = 8  # of those that grow and of those that shrink most
WHOLE = "whole log"
EVERYBODY = "all users"
QUARTER = 91.0  # days
FALSE = 0.05  # of the changes of interests that are shown, those that are chance at most
VISIBLE = 5e-5  # a change of share that shows in hundredths of a percentage point


def write_migrations(
    migrations: Migrations,
    folder: Path,
    name: str,
    note: str = "",
    forecast: MigrationForecast | None = None,
    segment: np.ndarray | None = None,
    attention: Attention | None = None,
    language: str = "",
) -> Path:
    """Writes the migrations found and, where given, their forecast, as tables and as migration.html; returns the page.

    migrations.parquet, flows.parquet (`flows_by_period`) and states.parquet (`states_table`); of a forecast also
    migration_forecast.parquet (`largest_moves`), flow_forecast.parquet and transitions.json; of `attention` also
    attention.parquet and lag.parquet. `segment` str [N] of each user (default: by activity): what the page's flows can
    be filtered by; `language`: that the page opens in.
    """
    units, settings = migrations.sessions, migrations.settings
    segment = by_activity(units) if segment is None else segment
    flows = flows_by_period(migrations, segment)
    write_parquet(migrations.moves, folder / "migrations.parquet")
    write_parquet(flows, folder / "flows.parquet")
    behaviour = interest_states(units, migrations.movers, settings.window)
    write_parquet(states_table(migrations, behaviour, forecast), folder / "states.parquet")
    if attention:
        write_parquet(attention.shares, folder / "attention.parquet")
        write_parquet(attention.lag, folder / "lag.parquet")
    drawn, shown = _flows(flows), None
    if forecast:
        expected = flow_forecasts(forecast, units.histories.interests, segment)
        write_parquet(expected, folder / "flow_forecast.parquet")
        write_parquet(largest_moves(forecast, units.histories), folder / "migration_forecast.parquet")
        if forecast.check:
            write_json(forecast.check, folder / "transitions.json")
        drawn += [] if forecast.standing.withheld else _flows(expected, forecast=True)
        shown = _forecast(forecast, units.histories.interests)
    page = write_page(
        folder / "migration.html",
        "migrations",
        name=name,
        language=language,
        note=note,
        clock=clock(units.histories),
        warning=forecast.standing.warning if forecast else "",
        counts=[
            (f"{units.histories.num_users:,}", "users"),
            (f"{migrations.tested.height:,}", "with enough sessions to be tested"),
            (f"{migrations.moves.height:,}", "migrated"),
        ],
        settings=settings,
        unit=units.unit,
        counted=_counted(units.histories),
        step=units.histories.step_unit,
        predicted=target_types(units.histories),
        migrated=migrations.moves.height > 0,
        lead=_lead(migrations),
        net=_ends(net_flows(migrations.moves), "net"),
        growth=_growth(migrations),
        forecast=shown,
        interests_are=forecast.interests_are if forecast else "",
        attention=attention_values(attention) if attention else None,
        flow_chart=script_safe(pictures.specification(page_charts.flows())),
        share_chart=script_safe(pictures.specification(page_charts.shares("interest"))),
        data=script_safe(isolated({"flows": drawn, "users": timelines(migrations, behaviour, forecast)})),
    )
    write_card(folder)
    return page


def _counted(histories: Histories) -> str:
    """Of what events interests are, in words: "what users bought", or "what users turned to (view, cart)"."""
    said = f"what users {attention_words(histories).past}"
    return said if len(histories.event_types) == 1 else f"{said} ({', '.join(histories.event_types)})"


def flows_by_period(migrations: Migrations, segment: np.ndarray) -> pl.DataFrame:
    """Migration matrices (`flows.migration_matrix`) by `period` and `segment`.

    Periods: the whole log and, where it has times, each calendar quarter of starts. Segments: all users, and each.
    """
    of_user = pl.DataFrame({"user": migrations.sessions.histories.users["user"], "segment": segment})
    with_groups = migrations.moves.join(of_user, on="user", how="left", maintain_order="left")
    periods = {WHOLE: with_groups}
    if migrations.sessions.histories.has_time:
        quarter = pl.format("{} Q{}", pl.col("start").dt.year(), pl.col("start").dt.quarter())
        dated = with_groups.with_columns(period=quarter).sort("period")
        periods |= {period: part for (period,), part in dated.group_by("period", maintain_order=True)}
    parts = []
    for period, part in periods.items():
        for name in _segments(segment):
            chosen = part if name == EVERYBODY else part.filter(pl.col("segment") == name)
            labels = pl.lit(period).alias("period"), pl.lit(name).alias("segment")
            parts.append(migration_matrix(chosen).select(*labels, pl.all()))
    return pl.concat(parts)


def flow_forecasts(forecast: MigrationForecast, interests: tuple[str, ...], segment: np.ndarray) -> pl.DataFrame:
    """Matrices of expected flows (`flow_forecast_matrix`) by `period` (the steps to come) and `segment`, of users with
    a whole window.
    """
    parts = []
    for name in _segments(segment):
        users = np.flatnonzero(((segment == name) | (name == EVERYBODY)) & forecast.states.whole)
        matrix = flow_forecast_matrix(forecast.states.now[users], forecast.states.next[users], interests)
        labels = pl.lit(f"next {forecast.steps} steps").alias("period"), pl.lit(name).alias("segment")
        parts.append(matrix.select(*labels, pl.all()))
    return pl.concat(parts)


def _segments(segment: np.ndarray) -> list[str]:
    return [EVERYBODY, *sorted(set(segment.tolist()))]


def _forecast(forecast: MigrationForecast, interests: tuple[str, ...]) -> dict[str, Any]:
    """What the page says of the next window and of the accuracy of such forecasts on holdout windows."""
    states = forecast.states
    changes = share_forecasts(states.last[states.whole], states.next[states.whole], interests)
    certain = changes.filter(pl.col("q_value") <= FALSE, pl.col("change").abs() >= VISIBLE)
    values: dict[str, Any] = {"steps": forecast.steps, "withheld": forecast.standing.withheld, "check": None}
    values["changes"], values["users"] = _ends(certain, "change"), int(states.whole.sum())
    if not forecast.check:
        return values
    net = sorted(forecast.check["interests"], key=lambda row: -abs(row["forecast"]))[:SHOWN_ENDS]
    return values | {"check": forecast.check, "net": net, "slope": slope_sentence(forecast.check["slope"])}


def _flows(flows: pl.DataFrame, forecast: bool = False) -> list[dict[str, Any]]:
    """What the page draws of each period and segment: its largest flows."""
    columns = ("source", "destination", "users", "lift", "low", "high")
    return [
        {
            "period": period,
            "segment": segment,
            "forecast": forecast,
            "users": round(float(part["users"].sum()), 1),
            "flows": [
                [source, destination, *(round(value, 2) for value in values)]
                for source, destination, *values in part.select(columns).head(SHOWN_FLOWS).iter_rows()
            ],
        }
        for (period, segment), part in flows.group_by("period", "segment", maintain_order=True)
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
        {
            "name": text,
            **dict(zip(("low", "median", "high"), (str(round(float(value))) for value in quartiles), strict=True)),
        }
        for column, text in words.items()
        if times.height
        for quartiles in [np.quantile(times[column].to_numpy(), (0.25, 0.5, 0.75))]
    ]


def _ends(table: pl.DataFrame, column: str) -> list[dict[str, Any]]:
    """The rows that gain and lose most, in order."""
    if table.height <= 2 * SHOWN_ENDS:
        return table.to_dicts()
    ordered = table.sort(column, descending=True)
    return pl.concat([ordered.head(SHOWN_ENDS), ordered.tail(SHOWN_ENDS)]).to_dicts()


def _growth(migrations: Migrations) -> list[dict[str, Any]]:
    """For each period of a quarter (of three windows of steps) after the first: the interests that change most."""
    units = migrations.sessions
    table = growth(units, QUARTER if units.histories.has_time else 3 * migrations.settings.window)
    certain = table.filter(pl.col("q_value") <= FALSE)
    return [
        {"period": f"{period} to {period + 1}", "rows": _ends(part, "change")}
        for (period,), part in certain.group_by("period", maintain_order=True)
    ]
