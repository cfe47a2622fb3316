"""Whether attributions find planted causes: forecasts of targets whose trigger, in a synthetic log, is known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from trajectory.explain.event_rankings import baseline_rankings
from trajectory.explain.explain import Explainer, ForecastBatch
from trajectory.explain.methods import UNSIGNED
from trajectory.explain.targets import Target
from trajectory.run import Run
from trajectory.schema import Histories, Queries, UserError

GROUPS = ("cause", "distractor", "same_interest", "others")  # of events whose mean nats are reported


@dataclass(frozen=True)
class Planted:
    """n causes that fired, and the forecasts that they change."""

    queries: Queries  # events before the step of the target
    target: np.ndarray  # int32 [n], item
    cause: np.ndarray  # int64 [n], flat index of the trigger
    distractor: np.ndarray  # bool [E], events that look like a trigger and cause nothing


def read_planted(folder: Path, histories: Histories) -> Planted:
    """The truth of a log of trajectory synthesize that `histories` were read from, item by item as the model knows it.

    What was dropped from the log (a trigger, a target) is left out.
    """
    log = pl.read_parquet(folder / "interactions.parquet").sort("user_id", "position")
    step = pl.col("basket_id").rank("dense").over("user_id").cast(pl.Int64) - 1
    lines = log.select(user=pl.col("user_id"), position=pl.col("position"), item=pl.col("item_id"), step=step)
    user = np.repeat(np.arange(histories.num_users), np.diff(histories.offsets))
    known = pl.DataFrame(
        {
            "user": histories.users["user"].cast(pl.Int64).gather(user),
            "step": histories.step.astype(np.int64),
            "item": histories.items["item"].cast(pl.Int64).gather(np.maximum(histories.item, 1) - 1),
            "event": np.arange(histories.num_events),
            "begin": histories.offsets[user],
            "row": user,
        }
    )
    known = known.filter(pl.Series(histories.item > 0))  # what the model does not know has no id
    steps = known.group_by("user", "step").agg(stop=pl.col("event").min())
    unique = known.unique(["user", "step", "item"], keep="first", maintain_order=True)  # twice in a basket is as good
    placed = lines.join(unique, on=["user", "step", "item"]).join(steps, on=["user", "step"])

    fired = pl.read_parquet(folder / "truth" / "fired.parquet")
    for role in ("trigger", "target"):
        columns = {f"{role}_{name}": name for name in ("position", "event", "row", "begin", "stop")}
        fired = fired.join(placed.select("user", **columns), on=["user", f"{role}_position"])
    fired = fired.sort("user", "target_position")  # joins promise no order
    origins = pl.read_parquet(folder / "truth" / "origins.parquet").filter(pl.col("origin") == "distractor")
    distractor = np.zeros(histories.num_events, bool)
    planted = lines.join(origins, on=["user", "position"])
    distractor[known.join(planted, on=["user", "step", "item"], how="semi")["event"].to_numpy()] = True
    user, start, stop, target, cause = (
        fired[name].to_numpy()
        for name in ("target_row", "target_begin", "target_stop", "target_event", "trigger_event")
    )
    item = histories.item[target].astype(np.int32)
    return Planted(Queries(user, start, stop, stop), item, cause, distractor)


def find_causes(
    run: Run, histories: Histories, planted: Planted, methods: Sequence[str], count: int
) -> list[dict[str, Any]]:
    """How each method, and each baseline `ranking`, ranks the cause of `count` drawn forecasts: a row for each.

    `first`: share of forecasts in which the cause has the highest attribution; `distractor_first`: share in which a
    distractor has; `distractor`: share of the ordinary events of its own step that a distractor lies above, 0.5 if it
    is like them; `distractor_size`: the same by absolute value; `probability`: median of the target's. Of signed
    methods the mean `nats_` of `cause`, `distractor`, and of the ordinary events of the same step, those of the
    target's interest (`same_interest`) and `others`; else None.

    Raises UserError if no cause fired.
    """
    if not len(planted.target):
        raise UserError("no cause fired in this log whose trigger and target the model knows; make a larger one")
    rng = np.random.default_rng(run.config.seed)
    drawn = np.sort(rng.permutation(len(planted.target))[:count])
    queries = Queries(*(column[drawn] for column in planted.queries))
    cause = dict(zip(_keys(queries), planted.cause[drawn], strict=True))
    explainer = Explainer(run, Target("item"))
    measured: dict[str, list[Mapping[str, np.ndarray]]] = {}
    for batch, scores, log_p in scored(explainer, histories, queries, planted.target[drawn], methods, rng):
        trigger = np.array([cause[key] for key in _keys(batch.queries)])
        for name, score in scores.items():
            ranks = _ranks(histories, planted, batch, trigger, score)
            measured.setdefault(name, []).append(ranks | {"log_p": log_p})
    signed = set(methods).difference(UNSIGNED)
    rows = []
    for name, parts in measured.items():
        values = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
        rows.append(
            {
                "ranking": name,
                "forecasts": len(drawn),
                "first": float(values["first"].mean()),
                **{key: float(values[key].mean()) for key in ("distractor_first", "distractor", "distractor_size")},
                **{
                    f"nats_{group}": mean_or_none(values[f"nats_{group}"]) if name in signed else None
                    for group in GROUPS
                },
                "probability": float(np.exp(np.median(values["log_p"]))),
            }
        )
    return rows


def scored(
    explainer: Explainer,
    histories: Histories,
    queries: Queries,
    target: np.ndarray,
    methods: Sequence[str],
    rng: np.random.Generator,
) -> Iterator[tuple[ForecastBatch, dict[str, np.ndarray], np.ndarray]]:
    """Forecasts of the items `target` [n] in batches, the scores [B, L] that each method and baseline gives their
    events, and their log-probabilities [B].
    """
    for batch in explainer.forecasts(histories, queries, index=target):
        attributions = {name: explainer.method_named(name)(explainer.function, batch.inputs) for name in methods}
        scores = {name: attribution.events for name, attribution in attributions.items()}
        log_p = next(iter(attributions.values())).forecast
        yield batch, scores | baseline_rankings(explainer, batch, rng), log_p


def _keys(queries: Queries) -> list[tuple[int, int]]:
    return list(zip(queries.user.tolist(), queries.stop.tolist(), strict=True))


def _ranks(
    histories: Histories, planted: Planted, batch: ForecastBatch, trigger: np.ndarray, score: np.ndarray
) -> dict[str, np.ndarray]:
    """Of each forecast: is the cause first, is a distractor; where distractors lie among ordinary events of a step."""
    mask = np.asarray(batch.inputs.mask)
    event = batch.events(histories)
    size, score = np.abs(score), np.where(mask, score, -np.inf)
    cause = event == trigger[:, None]
    distractor = planted.distractor[event] & mask
    best = np.where(cause & mask, score, -np.inf).max(axis=1)
    others = np.where(cause, -np.inf, score).max(axis=1)
    strongest = score == score.max(axis=1, keepdims=True)
    same_step = mask & (histories.step[event] == histories.step[trigger][:, None]) & ~cause
    interest = histories.item_interest
    same_interest = interest[histories.item[event]] == interest[batch.inputs.targets.index][:, None]
    ordinary = same_step & ~distractor
    groups = cause & mask, same_step & distractor, ordinary & same_interest, ordinary & ~same_interest
    pairs = [(row, same_step[row] & distractor[row], ordinary[row]) for row in range(len(mask))]
    pairs = [(row, distractors, rest) for row, distractors, rest in pairs if distractors.any() and rest.any()]
    return {
        "first": best > others,
        "distractor": np.array([_share_above(score[row, chosen], score[row, rest]) for row, chosen, rest in pairs]),
        "distractor_size": np.array([_share_above(size[row, chosen], size[row, rest]) for row, chosen, rest in pairs]),
        **{f"nats_{group}": score[members] for group, members in zip(GROUPS, groups, strict=True)},
        "distractor_first": (strongest & distractor).any(axis=1) & ~(strongest & cause).any(axis=1),
    }


def mean_or_none(values: np.ndarray) -> float | None:
    """Their mean, None where there are none."""
    return float(values.mean()) if len(values) else None


def _share_above(values: np.ndarray, others: np.ndarray) -> float:
    """Share of pairs in which the value is greater, ties as half."""
    return float(((values[:, None] > others).mean() + (values[:, None] >= others).mean()) / 2)
