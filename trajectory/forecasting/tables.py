"""Forecasts as tables: the next step's top-k, items at each step and within them, and the most likely paths."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from trajectory.evaluation.reach import NOTHING_LEFT
from trajectory.inference.beam_search import Beams
from trajectory.inference.step_forecast import WithinDays
from trajectory.metrics.ranking import top_k
from trajectory.metrics.waiting_time import LEVELS, silent_days
from trajectory.protocols import StepForecast
from trajectory.schema import Histories, Queries

STATEMENTS = {  # columns of forecast.parquet; null where they say nothing
    "user": pl.String,
    "statement": pl.String,  # at_step | within_steps | within_days | time | path | nothing_left (the title says why)
    "level": pl.String,  # item | interest
    "step": pl.Int64,
    "rank": pl.Int64,
    "id": pl.String,
    "title": pl.String,
    "probability": pl.Float64,
    "path_probability": pl.Float64,
    "calibrated": pl.Boolean,  # probability or days were fitted to outcomes of validation users
    "in_set_90": pl.Boolean,  # at_step of items: in the set that holds (a line of) the step with 90 %, where sets are
    "set_size_90": pl.Int64,  # items of that set; more than the table's, where it has more than are kept here
    "days_low": pl.Float64,
    "days": pl.Float64,
    "days_high": pl.Float64,
}


def next_items(
    histories: Histories, queries: Queries, log_probability: np.ndarray, seen: np.ndarray | None, k: int
) -> pl.DataFrame:
    """The k most likely items of the next step: user, rank, item, title, probability (among those that may come; not
    calibrated, as the column `calibrated` says).

    `log_probability` [n, V + 1]; `seen` int32 [n, M] are items that cannot come (0 = none).
    """
    items, values = top_k(log_probability, seen, min(k, histories.num_items))
    left = np.ones(len(items))
    if seen is not None:
        barred = np.where(seen > 0, np.take_along_axis(log_probability, seen, axis=1), -np.inf)
        left = np.maximum(1.0 - np.exp(barred.astype(np.float64)).sum(1), 1e-9)
    return _table(
        histories, queries, items[:, None], probability=np.exp(values.astype(np.float64))[:, None] / left[:, None, None]
    ).select(pl.exclude("step"), calibrated=pl.lit(False))


def without_items(histories: Histories, queries: Queries, left: np.ndarray | None) -> pl.DataFrame:
    """Users for whom nothing is left to recommend, by how many items are `left` [n] (None: all): user, reason."""
    none = np.zeros(len(queries.user), bool) if left is None else left == 0
    users = histories.users["user"].cast(pl.String).gather(queries.user[none])
    return pl.DataFrame({"user": users, "reason": pl.Series([NOTHING_LEFT] * len(users), dtype=pl.String)})


def without_note(without: pl.DataFrame, users: int) -> str:
    """A sentence about `without_items`, of so many users in all."""
    return f"{len(without):,} of {users:,} users get an empty list: each {NOTHING_LEFT}"


def items_at_steps(histories: Histories, queries: Queries, forecast: StepForecast, k: int) -> pl.DataFrame:
    """The k most likely items at each step: user, step, rank, item, title, probability, probability_within
    (of the item within steps 1 to `step`), calibrated, in_set_90 and set_size_90 (null without sets).
    """
    items = _best(forecast.probability, k)
    probability, within = (np.take_along_axis(x, items, axis=2) for x in (forecast.probability, forecast.within))
    there = np.where(probability > 0, items, 0)
    table = _table(histories, queries, there, probability=probability, probability_within=within)
    table = table.with_columns(calibrated=pl.lit(forecast.calibrated))
    if forecast.in_sets is None:
        return table.with_columns(in_set_90=pl.lit(None, pl.Boolean), set_size_90=pl.lit(None, pl.Int64))
    row, step, _ = np.nonzero(there)
    in_set = np.take_along_axis(forecast.in_sets, items, axis=2)[there > 0]
    return table.with_columns(in_set_90=pl.Series(in_set), set_size_90=_set_sizes(forecast.in_sets)[row, step])


def items_within_steps(histories: Histories, queries: Queries, forecast: StepForecast, k: int) -> pl.DataFrame:
    """The k items that are most likely to occur within all steps: user, rank, item, title, probability,
    calibrated.
    """
    last = forecast.within[:, -1:]
    items = _best(last, k)
    probability = np.take_along_axis(last, items, axis=2)
    table = _table(histories, queries, np.where(probability > 0, items, 0), probability=probability)
    return table.select(pl.exclude("step"), calibrated=pl.lit(forecast.calibrated))


def most_likely_path(histories: Histories, queries: Queries, beams: Beams) -> pl.DataFrame:
    """The most likely path of each user: user, step, item, title, probability (of the step, given those before),
    path_probability (of the whole), calibrated (False: beam search reads the model as it was trained).
    """
    items, probability = beams.path[:, 0, :, None], np.exp(beams.log_probability[:, 0, :, None].astype(np.float64))
    whole = np.broadcast_to(probability.prod(1, keepdims=True), probability.shape)
    table = _table(histories, queries, items, probability=probability, path_probability=whole)
    return table.select(pl.exclude("rank"), calibrated=pl.lit(False))


def statements(histories: Histories, queries: Queries, forecast: StepForecast, k: int) -> pl.DataFrame:
    """All forecasts of each step, one statement a row, in the columns of STATEMENTS.

    at_step: an item or interest is (a line of) step `step`. within_steps: it comes within steps 1..step. time: the step
    comes `days` (median) after the log's last event, with 80 % probability between `days_low` and `days_high`, given
    that nothing came of the user until then, which was not calibrated; heads forecast each step alone, so none is
    stated before the step it follows. The k most likely of each are kept, in order of probability.
    """
    parts = [
        _ranked(histories, queries, "item", "at_step", forecast.probability, k, forecast.in_sets),
        _ranked(histories, queries, "item", "within_steps", forecast.within, k),
    ]
    if histories.interests:
        parts += [
            _ranked(histories, queries, "interest", "at_step", forecast.interests, k),
            _ranked(histories, queries, "interest", "within_steps", forecast.interests_within, k),
        ]
    table = pl.concat(parts).with_columns(calibrated=pl.lit(forecast.calibrated))
    silent = silent_days(histories, queries)
    days = forecast.days(silent)
    if days is not None:
        row, step = (index.ravel() for index in np.indices(days.shape[:2]))
        days = np.maximum.accumulate(days, axis=1)
        low, middle, high = (days[..., i].ravel().astype(np.float64) for i in range(len(LEVELS)))
        time = {"statement": "time", "step": step + 1, "days_low": low, "days": middle, "days_high": high}
        time["calibrated"] = forecast.days_calibrated(silent)[row]
        table = pl.concat([table, _of_users(histories, queries, row, time)])
    return table


def within_days(histories: Histories, queries: Queries, within: WithinDays, days: float, k: int) -> pl.DataFrame:
    """The k items and interests that are most likely to come within `days` days of the user's last event.

    In the columns of STATEMENTS. Nothing is stated of users whose days are over at the log's end. They are
    counted over sampled paths, so none is calibrated.
    """
    open_ = (silent_days(histories, queries) <= days)[:, None]
    levels = [("item", within.items), *([("interest", within.interests)] if histories.interests else [])]
    parts = [
        _ranked(histories, queries, level, "within_days", np.where(open_, probability, 0)[:, None], k)
        for level, probability in levels
    ]
    return pl.concat(parts).with_columns(
        step=pl.lit(None, pl.Int64), days=pl.lit(float(days)), calibrated=pl.lit(False)
    )


def path_statements(histories: Histories, queries: Queries, beams: Beams, level: str) -> pl.DataFrame:
    """The most likely paths of items or interests, a row a step, in the columns of STATEMENTS.

    `rank` numbers a user's paths, `probability` is the step's after those before it, `path_probability` the path's.
    They come from beam search over the model as it was trained, so none is calibrated.
    """
    row, rank, step = (index.ravel() for index in np.indices(beams.path.shape))
    there = np.isfinite(beams.log_probability).all(2)[row, rank]
    if level == "item":
        there &= beams.path.ravel() > 0
    row, rank, step = row[there], rank[there], step[there]
    whole = np.exp(beams.log_probability.astype(np.float64).sum(2))
    values = {
        "statement": "path",
        "level": level,
        "step": step + 1,
        "rank": rank + 1,
        **_names(histories, level, beams.path[row, rank, step]),
        "probability": np.exp(beams.log_probability[row, rank, step].astype(np.float64)),
        "path_probability": whole[row, rank],
        "calibrated": np.zeros(len(row), bool),
    }
    return _of_users(histories, queries, row, values)


def nothing_left(without: pl.DataFrame) -> pl.DataFrame:
    """The one row of each user of `without_items`, in the columns of STATEMENTS."""
    columns = without.rename({"reason": "title"}).with_columns(statement=pl.lit("nothing_left"), level=pl.lit("item"))
    return _in_columns(columns)


def _ranked(
    histories: Histories,
    queries: Queries,
    level: str,
    statement: str,
    probability: np.ndarray,
    k: int,
    in_sets: np.ndarray | None = None,
) -> pl.DataFrame:
    """The k greatest probabilities [n, H, columns] above 0 of each user and step, and whether they are in sets of that
    shape; column 0 is no item or interest.
    """
    best = _best(probability, k)
    value = np.take_along_axis(probability, best, axis=2)
    row, step, rank = np.nonzero(value > 0)
    values = {
        "statement": statement,
        "level": level,
        "step": step + 1,
        "rank": rank + 1,
        **_names(histories, level, best[row, step, rank]),
        "probability": value[row, step, rank].astype(np.float64),
    }
    if in_sets is not None:
        values["in_set_90"] = in_sets[row, step, best[row, step, rank]]
        values["set_size_90"] = _set_sizes(in_sets)[row, step]
    return _of_users(histories, queries, row, values)


def _set_sizes(in_sets: np.ndarray) -> np.ndarray:
    """How many items are in the set of each user and step, int64 [n, H]."""
    return in_sets[:, :, 1:].sum(2, dtype=np.int64)


def _names(histories: Histories, level: str, index: np.ndarray) -> dict[str, pl.Series]:
    """Id and title of items, names of interests (null: items without one)."""
    if level == "item":
        chosen = histories.items.select(pl.col("item").cast(pl.String), title=_title(histories))[index - 1]
        return {"id": chosen["item"], "title": chosen["title"]}
    names = pl.Series([None, *histories.interests], dtype=pl.String).gather(index)
    return {"id": names, "title": names}


def _of_users(histories: Histories, queries: Queries, row: np.ndarray, values: dict[str, Any]) -> pl.DataFrame:
    """Rows with all columns of STATEMENTS."""
    given = pl.DataFrame({"user": histories.users["user"].cast(pl.String).gather(queries.user[row])})
    given = given.with_columns(
        pl.lit(value).alias(name) if isinstance(value, str) else pl.Series(name, value)
        for name, value in values.items()
    )
    return _in_columns(given)


def _in_columns(given: pl.DataFrame) -> pl.DataFrame:
    return given.select(
        (pl.col(name) if name in given.columns else pl.lit(None).alias(name)).cast(kind)
        for name, kind in STATEMENTS.items()
    )


def _best(values: np.ndarray, k: int) -> np.ndarray:
    """Indices >= 1 of the k largest values [n, H, V + 1] of each row, largest first; equal ones in item order."""
    return np.argsort(-values[:, :, 1:], axis=2, kind="stable")[:, :, :k] + 1


def _table(histories: Histories, queries: Queries, items: np.ndarray, **values: np.ndarray) -> pl.DataFrame:
    """One row per item of `items` [n, H, k] that is not 0: user, step, rank, item, title (null if there is none)."""
    row, step, rank = (index.ravel() for index in np.indices(items.shape))
    named = histories.items.select(pl.col("item").cast(pl.String), title=_title(histories))
    rows = pl.DataFrame(
        {
            "user": histories.users["user"].cast(pl.String).gather(queries.user[row]),
            "step": step + 1,
            "rank": rank + 1,
            **named[np.maximum(items.ravel().astype(np.int64) - 1, 0)].to_dict(),
            **{name: value.ravel().astype(np.float64) for name, value in values.items()},
        }
    )
    return rows.filter(items.ravel() > 0)


def _title(histories: Histories) -> pl.Expr:
    return pl.col("title").cast(pl.String) if "title" in histories.items.columns else pl.lit(None, pl.String)
