"""The forecast of a run: its users' steps ahead from the end of the log, as tables and as interest shares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from trajectory.data.pipeline.event_statistics import step_sizes
from trajectory.evaluation.reach import reach
from trajectory.evaluation.target_steps import moment_note, target_types
from trajectory.forecasting import tables
from trajectory.inference.new_users import read_histories, whole_histories
from trajectory.inference.step_forecast import beam_run, forecast_steps, method_description, sampling_error, steps_ahead
from trajectory.metrics.waiting_time import silent_days
from trajectory.progress import progress
from trajectory.run import Run
from trajectory.schema import Histories, Queries, UserError

TOP = 20  # items and interests kept of each kind of statement


@dataclass(frozen=True)
class Forecast:
    """Futures of n users over H steps."""

    histories: Histories
    queries: Queries
    statements: pl.DataFrame  # what forecast.parquet holds, see tables.STATEMENTS
    interests: np.ndarray  # [n, H, K + 1], share of each interest at each step
    known: np.ndarray  # [n, K + 1], share of each interest in the history
    steps: int
    method: str  # how the probabilities were made, to be read after one
    without: pl.DataFrame  # user, reason: those for whom nothing is left, of whom statements say no more
    notes: tuple[str, ...] = ()  # what is to be told of new users' events


def forecast(run: Run, users: int | Sequence[str] = 0, events: Any = None, steps: int = 0) -> Forecast:
    """Forecasts as config.forecast says, but for `steps` (0: see `steps_ahead`).

    The users of `events` (a path or data frame), or of the run's own log `users` (see `whole_histories`).
    """
    c = run.config
    f, count = c.forecast, steps or steps_ahead(c)
    if not c.heads.item:
        raise UserError("this run has no item head (heads.item=0), so it cannot forecast items")
    if f.days and not c.heads.time:
        raise UserError("forecast.days needs a run with a time head (heads.time); set it to 0")
    histories, notes = (
        (run.experiment.histories, list[str]()) if events is None else read_histories(events, run.vocabulary)
    )
    notes += [note for note in (target_types(histories), moment_note(histories, run.config.split)) if note]
    queries = whole_histories(histories, users)
    left = reach(histories, queries).left if c.evaluation.seen == "filter" else None
    without = tables.without_items(histories, queries, left)
    parts, interests = [], []
    silent = silent_days(histories, queries)
    for chunk, ahead, within in forecast_steps(run, histories, queries, count, f.paths, silent, f.days):
        parts.append(tables.statements(histories, chunk, ahead, TOP))
        if within is not None:
            parts.append(tables.within_days(histories, chunk, within, f.days, TOP))
        interests.append(ahead.interests)
    for level in ("item", "interest") if histories.interests else ("item",):
        for chunk, beams in beam_run(run, histories, queries, count, level == "interest"):
            parts.append(tables.path_statements(histories, chunk, beams, level))
    statements = pl.concat(parts).join(without, on="user", how="anti", maintain_order="left")
    if histories.interests:
        notes.append(f"interests are {run.interests_are}")
    if c.heads.time and count > 1 and c.split.kind == "temporal":
        notes.append(
            f"days until later {histories.step_unit}s tend to be too few: what had not come when training ended was "
            "not learned from"
        )
    if f.days:
        error = sampling_error(f.paths)
        notes.append(f"probabilities within days are shares of {f.paths} sampled paths (standard error up to {error})")
    return Forecast(
        histories,
        queries,
        pl.concat([statements, tables.nothing_left(without)]),
        np.concatenate(interests),
        past_shares(histories, queries, 1, c.batch.basket_power)[:, 0],
        count,
        method_description(run, count, f.paths),
        without,
        tuple(notes),
    )


def past_shares(histories: Histories, queries: Queries, windows: int, power: float) -> np.ndarray:
    """Share of each interest [n, windows, K + 1] of what is predicted, in equal windows of the log's time.

    Windows are of each history where the log has no times.

    A basket of m lines weighs m ** (1 - power), as in training (config.batch.basket_power): only so are the shares of
    the past and of the forecast of one kind. A window without events has only zeros.
    """
    shares = np.zeros((len(queries.user), windows, len(histories.interests) + 1))
    sizes = step_sizes(histories)
    weight = np.zeros(histories.num_events)
    weight[histories.has_role("target")] = np.repeat(sizes.astype(np.float64) ** -power, sizes)
    if histories.has_time:
        bounds = np.linspace(histories.time.min(), histories.time.max() + 1, windows + 1)
    bounds_of_users = zip(queries.start, queries.stop, strict=True)
    for row, (start, stop) in enumerate(progress(bounds_of_users, "past shares", len(queries.user))):
        at = slice(start, stop)
        if histories.has_time:
            window = np.clip(np.searchsorted(bounds, histories.time[at], side="right") - 1, 0, windows - 1)
        else:
            window = np.arange(stop - start) * windows // max(stop - start, 1)
        np.add.at(shares[row], (window, histories.item_interest[histories.item[at]]), weight[at])
    total = shares.sum(2, keepdims=True)
    return shares / np.where(total > 0, total, 1.0)
