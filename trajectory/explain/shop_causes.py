"""Whether attributions find what caused a purchase in a made-up shop: views of a trigger among all behaviour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from trajectory.data.pipeline.co_occurrence import LONGEST, co_occurrence
from trajectory.data.pipeline.splits import training_events
from trajectory.data.times import DAY
from trajectory.explain.attribution import input_forecast
from trajectory.explain.explain import Explainer, ForecastBatch
from trajectory.explain.ground_truth import mean_or_none, scored
from trajectory.explain.masking import EventSource, inputs_without
from trajectory.explain.methods import UNSIGNED
from trajectory.explain.targets import Target
from trajectory.run import Run
from trajectory.schema import Histories, Queries, UserError

GROUPS = ("cause", "control", "others")  # of events whose mean nats are reported
CO_OCCURRENCE = "co-occurrence"


@dataclass(frozen=True)
class ShopCauses:
    """n purchases that a view caused, each asked for right before the session in which it was made."""

    queries: Queries  # events before that session
    target: np.ndarray  # int32 [n], item
    trigger: np.ndarray  # int32 [n], item
    control: np.ndarray  # int32 [n], an item of the trigger's category and about as frequent, which causes nothing
    since: np.ndarray  # int64 [n], unix seconds from which on a view of the trigger may be the cause
    left_out: int  # further ones whose target was viewed, put into the cart or bought since then: causes as well


def read_shop_causes(folder: Path, histories: Histories) -> ShopCauses:
    """The truth of a shop's log (trajectory synthesize --shop) that `histories` were read from."""
    truth = pl.read_parquet(folder / "truth" / "events.parquet")
    second = pl.col("timestamp").dt.epoch("s")
    begins = truth.drop_nulls("session_id").group_by("session_id").agg(second.min().alias("asked"))
    bought = truth.filter((pl.col("origin") == "cause") & (pl.col("event_type") == "purchase"))
    users = pl.DataFrame({"user_id": histories.users["user"].cast(pl.Int64), "user": np.arange(histories.num_users)})
    item = histories.items["item"].head(histories.num_items).cast(pl.Int64)
    numbers = pl.DataFrame({"id": item, "number": np.arange(1, len(item) + 1, dtype=np.int32)})
    causes = pl.read_parquet(folder / "truth" / "causes.parquet")
    for role in ("trigger", "control", "target"):
        known = numbers.rename({"id": role, "number": f"{role}_number"})
        causes = causes.join(known, on=role)  # what the model does not know has no number
    placed = bought.join(begins, on="session_id").join(users, on="user_id")
    placed = placed.join(causes, left_on="item_id", right_on="target").sort("user", "asked", "target_number")
    user, asked, days, *items = (
        placed[name].to_numpy()
        for name in ("user", "asked", "reach_days", "target_number", "trigger_number", "control_number")
    )
    start, end = histories.offsets[user], histories.offsets[user + 1]
    since, target = asked - days * DAY, items[0]
    bounds = [(int(a), int(b)) for a, b in zip(start, end, strict=True)]
    stop = np.array([a + np.searchsorted(histories.time[a:b], t) for (a, b), t in zip(bounds, asked, strict=True)])
    fresh = np.array(
        [
            a < z and not (histories.item[a:z][histories.time[a:z] >= t] == wanted).any()
            for a, z, t, wanted in zip(start, stop, since, target, strict=True)
        ]
    )
    chosen = np.flatnonzero(fresh)
    queries = Queries(*(column[chosen].astype(np.int64) for column in (user, start, stop, stop)))
    target, trigger, control = (column[chosen] for column in items)
    return ShopCauses(queries, target, trigger, control, since[chosen], left_out=len(user) - len(chosen))


def find_shop_causes(
    run: Run, histories: Histories, planted: ShopCauses, methods: Sequence[str], count: int
) -> list[dict[str, Any]]:
    """How each method, and each baseline `ranking`, ranks the causes of `count` drawn forecasts: a row for each.

    `first`: share of forecasts in which a view of the trigger since then (any is as good as another) has the highest
    attribution of all events that were read; `control_first`: in which a view of the control has; `probability`: median
    of the target's, `probability_without` of the same history without those views of the trigger. Of signed methods
    the mean `nats_` of a `cause`, a `control` and of the `others`; else None. `left_out`: see `ShopCauses`.

    Raises UserError if there is no cause to ask for.
    """
    if not len(planted.target):
        raise UserError("no purchase of this shop was caused by a view that the model knows; make a shop of more users")
    rng = np.random.default_rng(run.config.seed)
    drawn = np.sort(rng.permutation(len(planted.target))[:count])
    queries, target = Queries(*(column[drawn] for column in planted.queries)), planted.target[drawn]
    number = dict(zip(_keys(queries, target), drawn, strict=True))
    explainer, before = Explainer(run, Target("item")), _bought_after(run)
    measured: dict[str, list[Mapping[str, np.ndarray]]] = {}
    for batch, scores, log_p in scored(explainer, histories, queries, target, methods, rng):
        index = np.asarray(batch.inputs.targets.index)
        row = np.array([number[key] for key in _keys(batch.queries, index)])
        event, mask = batch.events(histories), np.asarray(batch.inputs.mask)
        view = mask & (histories.event_type[event] == 1 + histories.event_types.index("view"))
        item = histories.item[event]
        cause = view & (item == planted.trigger[row, None]) & (histories.time[event] >= planted.since[row, None])
        control = view & (item == planted.control[row, None])
        forecast = {"log_p": log_p, "without": _without(explainer, histories, batch, mask & ~cause)}
        for name, score in (scores | {CO_OCCURRENCE: before[item, index[:, None]]}).items():
            measured.setdefault(name, []).append(_ranks(score, mask, cause, control) | forecast)
    rows = []
    for name, parts in measured.items():
        values = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
        signed = name in set(methods).difference(UNSIGNED)
        rows.append(
            {
                "ranking": name,
                "forecasts": len(drawn),
                "left_out": planted.left_out,
                **{key: float(values[key].mean()) for key in ("first", "control_first")},
                **{f"nats_{group}": mean_or_none(values[f"nats_{group}"]) if signed else None for group in GROUPS},
                "probability": float(np.exp(np.median(values["log_p"]))),
                "probability_without": float(np.exp(np.nanmedian(values["without"]))),
            }
        )
    return rows


def _keys(queries: Queries, target: np.ndarray) -> list[tuple[int, int, int]]:
    return list(zip(queries.user.tolist(), queries.stop.tolist(), target.tolist(), strict=True))


def _ranks(score: np.ndarray, mask: np.ndarray, cause: np.ndarray, control: np.ndarray) -> dict[str, np.ndarray]:
    """Of each forecast: is a cause above all other events, is a control among the highest; and values by group."""
    score = np.where(mask, score, -np.inf)
    best, others = (np.where(some, score, -np.inf).max(axis=1) for some in (cause, mask & ~cause))
    control_best = np.where(control, score, -np.inf).max(axis=1)
    groups = cause, control, mask & ~cause & ~control
    return {
        "first": best > others,
        "control_first": (control_best == others) & (others > best),
        **{f"nats_{group}": score[members] for group, members in zip(GROUPS, groups, strict=True)},
    }


def _without(explainer: Explainer, histories: Histories, batch: ForecastBatch, kept: np.ndarray) -> np.ndarray:
    """Forecasts [B] of the histories with the events `kept` alone, NaN where that is none."""
    rows = np.flatnonzero(kept.any(axis=1))
    found = np.full(len(kept), np.nan)
    if len(rows):
        source = EventSource(histories, explainer.predictor.feature_scale, batch.first)
        inputs = inputs_without(explainer.function, batch.inputs, rows, kept[rows], source)
        found[rows] = np.asarray(input_forecast(explainer.function, inputs))
    return found


def _bought_after(run: Run) -> np.ndarray:
    """How much an event of each item was followed by what is predicted of each, up to LONGEST events later and nearer
    ones more, per event of training.
    """
    histories = run.experiment.histories
    index = np.flatnonzero(training_events(histories, run.experiment.split))
    index = index[(histories.item[index] > 0) & (histories.item[index] <= histories.num_items)]
    user = np.searchsorted(histories.offsets, index, side="right") - 1
    targets = histories.has_role("target")[index]
    counts = co_occurrence(histories, user, index, LONGEST, after=targets).toarray()
    return counts / np.maximum(np.bincount(histories.item[index], minlength=len(counts)), 1)[:, None]
