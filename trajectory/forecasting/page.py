"""report.html: what was learned, how good it is compared with baselines, and the first forecasts; works offline."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from scipy.special import ndtr
from scipy.stats import false_discovery_control

from trajectory.data.store.sample import with_first_look
from trajectory.direction import less_is_better
from trajectory.evaluation.protocol import conversion_sentence, measured_users
from trajectory.evaluation.report import read_evaluation
from trajectory.evaluation.standing import warning
from trajectory.evaluation.target_steps import several_steps, target_step_sentence
from trajectory.forecasting.forecast import Forecast, forecast, past_shares
from trajectory.forecasting.tables import without_note
from trajectory.metrics.waiting_time import silent_days
from trajectory.names import isolated
from trajectory.reports import charts, page_charts, pictures
from trajectory.reports.page import script_safe, write_page
from trajectory.reports.words import clock, steps
from trajectory.run import Run
from trajectory.run_card import write_card
from trajectory.schema import Histories, Queries
from trajectory.training.logging import curves
from trajectory.writing import write_parquet

if TYPE_CHECKING:
    import altair as alt

_LOGGER = logging.getLogger(__name__)

WINDOWS = 12  # of a user's past
SHOWN_USERS = 40
SHOWN_INTERESTS = 8
SHOWN_ITEMS = 10
FALSE = 0.05  # of the changes of interests that are shown, those that are chance at most
SHOWN_PATHS = 3
SHOWN_COLUMNS = (
    "hr@10",
    "recall@10",
    "ndcg@10",
    "mrr@10",
    "recall@10_repeat",
    "recall@10_explore",
    "interest_accuracy",
)
SHOWN_FACTS = ("guarantee", "candidates", "candidate_rule", "ties", "checkpoint")


def write_forecast(run: Run, users: int | Sequence[str] | None = None, steps: int = 0, language: str = "") -> Path:
    """Forecasts `users` and `steps` (see `forecast`; users by default as the run's config says), writes
    forecast.parquet and `write_report`; returns the page.
    """
    _evaluation(run)  # a damaged one is reported before the work
    made = forecast(run, run.config.forecast.users if users is None else users, steps=steps)
    if len(made.without):
        _LOGGER.info(without_note(made.without, len(made.queries.user)))
    write_parquet(made.statements, run.workdir / "forecast.parquet")
    _LOGGER.info(f"{made.steps} steps ahead, {made.method}; written to {run.workdir}")
    page = write_report(run, made, language)
    write_card(run.workdir)
    return page


def write_report(run: Run, forecast: Forecast, language: str = "") -> Path:
    """Writes report.html and, of a run that was measured and is not behind counting, forecast.png into the run's
    folder; returns the page.
    """
    evaluation, caution = _evaluation(run), warning(run, "these forecasts")
    interests = None if caution else interests_chart(forecast)
    picture = run.workdir / "forecast.png"
    picture.unlink(missing_ok=True)  # one of an earlier forecast
    if interests:
        pictures.save(interests, picture)
    return write_page(
        run.workdir / "report.html",
        "forecasting",
        name=run.config.name,
        language=language,
        warning=caution,
        note=with_first_look(run.config.note, forecast.histories),
        step_name=forecast.histories.step_unit,
        counts=_counts(forecast),
        clock=clock(forecast.histories),
        results=_results(evaluation) if evaluation else None,
        curves=[(name.capitalize(), pictures.svg(chart)) for name, chart in curves(run.workdir).items()],
        interests=pictures.svg(interests) if interests else "",
        chart=script_safe(
            pictures.specification(page_charts.shares(_shared(forecast.histories, run.config.batch.basket_power)))
        ),
        users=script_safe(isolated(_users(forecast, run.config.batch.basket_power))),
        has_interests=bool(forecast.histories.interests),
        interests_are=run.interests_are,
        basket_weight=1 - run.config.batch.basket_power,
        steps=forecast.steps,
        method=forecast.method,
        sets=forecast.statements["in_set_90"].any(),
        fitted_apart=forecast.statements.filter(pl.col("level") == "interest", "calibrated").height > 0,
    )


def interests_chart(forecast: Forecast) -> alt.Chart | None:
    """Interests whose share is forecast to grow and to shrink most, of those whose mean change over users is beyond
    chance (a twentieth of them is false at most, Benjamini & Hochberg 1995); None if there are none. Users without a
    forecast, or without an event of what is predicted so far, are left out.
    """
    names = forecast.histories.interests
    users = forecast.interests.any((1, 2)) & forecast.known.any(1)
    if users.sum() < 2:
        return None
    change = forecast.interests[users, :, 1:].mean(1) - forecast.known[users, 1:]
    mean, error = change.mean(0), change.std(0, ddof=1) / np.sqrt(len(change))
    p_value = np.where(np.abs(mean) > 1e-9, 2 * ndtr(-np.abs(mean) / np.maximum(error, 1e-12)), 1.0)
    clear = np.flatnonzero(false_discovery_control(p_value) <= FALSE)
    order = clear[np.argsort(mean[clear])]
    chosen = np.concatenate([order[:SHOWN_INTERESTS], order[SHOWN_INTERESTS:][-SHOWN_INTERESTS:]])
    if not len(chosen):
        return None
    ahead = steps(forecast.histories, forecast.steps)
    axis = f"forecast share in the next {ahead} minus share in the past (percentage points)"
    frame = pl.DataFrame({"interest": [names[i] for i in chosen], "change": 100 * mean[chosen]}).reverse()
    title = f"Interests that grow and shrink most, mean of {users.sum():,} users"
    return charts.bars(frame, "interest", "change", title, unit=axis).properties(width=360)


def _shared(histories: Histories, power: float) -> str:
    """What interests have shares of: a basket of m lines weighs m ** (1 - power)."""
    if not histories.baskets:
        return f"{histories.step_unit}s"
    return {0.0: "lines", 1.0: "baskets"}.get(power, "lines, of large baskets less")


def _counts(forecast: Forecast) -> list[tuple[str, str]]:
    h = forecast.histories
    pairs = [("users", h.num_users), ("events", h.num_events), ("items", h.num_items), ("interests", len(h.interests))]
    return [(f"{value:,}", name) for name, value in pairs]


def _evaluation(run: Run) -> dict[str, Any] | None:
    """What evaluation.json holds; None where the run was not evaluated."""
    if not (run.workdir / "evaluation.json").exists():
        return None
    facts = SHOWN_FACTS if run.config.heads.item else ()  # of conversions alone nothing is ranked
    return read_evaluation(run.workdir, *(f"protocol.{name}" for name in facts))


def _results(evaluation: dict[str, Any]) -> dict[str, Any]:
    rows = {"this model": evaluation["metrics"]["test"]}
    rows |= {name.replace("_", " "): by["test"] for name, by in evaluation["baselines"].items()}
    columns = [c for c in SHOWN_COLUMNS if any(c in row for row in rows.values())]
    columns += sorted({c for row in rows.values() for c in row if c.startswith("conversion_")})
    best = {c: _best(c, [row[c] for row in rows.values() if c in row]) for c in columns}
    table = [
        {
            "name": name,
            "cells": [
                {
                    "text": f"{row[c]:.4f}" if np.isfinite(row.get(c, np.nan)) else "",
                    "best": c in row and row[c] == best[c],
                }
                for c in columns
            ],
        }
        for name, row in rows.items()
    ]
    facts = evaluation["protocol"]
    return {
        "columns": [c.replace("_", " ") for c in columns],
        "rows": table,
        "users": measured_users(facts, "test"),
        "targets": f"{facts['targets']['test']:,}" if "targets" in facts else "",
        "target_items": f"{facts['target_items']['test']:,}" if "target_items" in facts else "",
        "next_step": several_steps(facts, "test") is False,
        "target_steps": target_step_sentence(facts, "test"),
        "guarantee": facts["guarantee"],
        "candidates": f"{facts['candidates']:,} ({facts['candidate_rule']})",
        "repeats": f"{facts['repeat_share']['test']:.1%} ({facts['repeat_rule']})" if "repeat_share" in facts else "",
        "ties": facts["ties"],
        "checkpoint": facts["checkpoint"],
        "conversion": conversion_sentence(facts, "test"),
        "smaller": [c.replace("_", " ") for c in columns if less_is_better(c)],
    }


def _best(metric: str, values: list[float]) -> float | None:
    return (min if less_is_better(metric) else max)((value for value in values if np.isfinite(value)), default=None)


def _users(forecast: Forecast, power: float) -> list[dict[str, Any]]:
    """What the page's script draws of each of the first users."""
    h, n = forecast.histories, min(SHOWN_USERS, len(forecast.queries.user))
    queries = Queries(*(column[:n] for column in forecast.queries))
    past = past_shares(h, queries, WINDOWS, power)
    names = ("no interest", *h.interests)
    statement, names_shown = pl.col("statement"), h.users["user"].cast(pl.String).gather(queries.user)
    shown = forecast.statements.filter(pl.col("user").is_in(names_shown.implode()))
    items = shown.filter(pl.col("level") == "item")
    next_step = _by_user(items.filter((statement == "at_step") & (pl.col("step") == 1)))
    within = _by_user(items.filter((statement == "within_steps") & (pl.col("step") == forecast.steps)))
    times = _by_user(shown.filter(statement == "time"))
    reasons = dict(forecast.without.iter_rows())
    paths = _by_user(shown.filter((statement == "path") & (pl.col("rank") <= SHOWN_PATHS)))
    silent, described = silent_days(h, queries), []
    for row, index in enumerate(queries.user):
        user = str(h.users["user"][int(index)])
        both = np.concatenate([past[row], forecast.interests[row]])
        top = np.argsort(-both.mean(0), kind="stable")[:SHOWN_INTERESTS]
        top = top[both.mean(0)[top] > 0]
        rest = len(top) < int(np.count_nonzero(both.any(0)))
        described.append(
            {
                "user": user,
                "reason": reasons.get(user, ""),
                "silent": round(float(silent[row]), 3),
                "events": int(queries.stop[row] - queries.start[row]),
                "interests": [names[i] for i in top] + ["all others"] * rest,
                "past": [_shares(shares, top, rest) for shares in past[row]],
                "future": [_shares(shares, top, rest) for shares in forecast.interests[row]],
                "next": _probabilities(next_step.get(user, [])),
                "set_size": next((r["set_size_90"] for r in next_step.get(user, [])), None),
                "visited": _probabilities(within.get(user, [])),
                "paths": {level: _paths(paths.get(user, []), level) for level in ("item", "interest")},
                "times": [
                    [round(r[name], 3) for name in ("days_low", "days", "days_high")] for r in times.get(user, [])
                ],
            }
        )
    return described


def _probabilities(rows: list[dict[str, Any]]) -> list[list[Any]]:
    return [[r["title"] or r["id"], round(r["probability"], 5), bool(r["in_set_90"])] for r in rows[:SHOWN_ITEMS]]


def _paths(rows: list[dict[str, Any]], level: str) -> list[list[Any]]:
    """[[probability of the path, [names of its steps]]], most likely first."""
    by_rank: dict[int, list[Any]] = {}
    for r in rows:
        if r["level"] == level:
            path = by_rank.setdefault(r["rank"], [r["path_probability"], []])
            path[1].append(r["title"] or r["id"] or "no interest")
    return [by_rank[rank] for rank in sorted(by_rank)]


def _shares(shares: np.ndarray, top: np.ndarray, rest: bool) -> list[float]:
    """The shares of the top interests, then that of all others together."""
    shown = [*shares[top], shares.sum() - shares[top].sum()] if rest else shares[top]
    return [round(max(float(share), 0.0), 4) for share in shown]


def _by_user(table: pl.DataFrame) -> dict[str, list[dict[str, Any]]]:
    return {str(user): part.to_dicts() for (user,), part in table.group_by("user", maintain_order=True)}
