"""Whether reasons find what was planted: forecasts of targets whose trigger, in a synthetic log, is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from trajectory.explain.event_rankings import rivals
from trajectory.explain.explain import Explainer, Forecasts
from trajectory.explain.methods import UNSIGNED
from trajectory.explain.targets import Target
from trajectory.run import Run
from trajectory.schema import Histories, Queries, UserError

WHO = ("cause", "distractor", "alike", "others")  # whose nats are told


@dataclass(frozen=True)
class Planted:
    """n causes that fired, and the forecasts that they change."""

    queries: Queries  # what came before the step of the target
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
    first = known.group_by("user", "step").agg(stop=pl.col("event").min())
    one = known.unique(["user", "step", "item"], keep="first", maintain_order=True)  # twice in a basket is as good
    placed = lines.join(one, on=["user", "step", "item"]).join(first, on=["user", "step"])

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
    """How each method, and each simpler order, ranks the cause of `count` drawn forecasts: a row for each.

    `first`: share of forecasts in which the cause is the strongest reason for the target; `distractor_first`: share in
    which a distractor is; `distractor`: share of the ordinary events of its own step that a distractor lies above, 0.5
    if it is like them; `distractor_size`: the same by size whatever the sign; `probability`: median of the target's.
    Of what has a unit the mean `nats_` of `cause`, `distractor`, and of the ordinary events of the same step, those of
    the target's interest (`alike`) and `others`; else None.

    Raises UserError if no cause fired.
    """
    if not len(planted.target):
        raise UserError("no cause fired in this log whose trigger and target the model knows; make a larger one")
    rng = np.random.default_rng(run.config.seed)
    some = np.sort(rng.permutation(len(planted.target))[:count])
    queries = Queries(*(column[some] for column in planted.queries))
    cause = dict(zip(zip(queries.user.tolist(), queries.stop.tolist(), strict=True), planted.cause[some], strict=True))
    explainer = Explainer(run, Target("item"))
    found: dict[str, list[Mapping[str, np.ndarray]]] = {}
    for part in explainer.forecasts(histories, queries, index=planted.target[some]):
        trigger = np.array(
            [cause[at] for at in zip(part.queries.user.tolist(), part.queries.stop.tolist(), strict=True)]
        )
        scores = {name: explainer.by(name)(explainer.function, part.inputs) for name in methods}
        orders = {name: attribution.events for name, attribution in scores.items()}
        told = next(iter(scores.values())).value
        for name, score in (orders | rivals(explainer, part, rng)).items():
            found.setdefault(name, []).append(_ranks(histories, planted, part, trigger, score) | {"log_p": told})
    in_nats = set(methods).difference(UNSIGNED)
    rows = []
    for name, parts in found.items():
        every = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
        rows.append(
            {
                "order": name,
                "forecasts": len(some),
                "first": float(every["first"].mean()),
                **{name: float(every[name].mean()) for name in ("distractor_first", "distractor", "distractor_size")},
                **{f"nats_{who}": _mean(every[f"nats_{who}"]) if name in in_nats else None for who in WHO},
                "probability": float(np.exp(np.median(every["log_p"]))),
            }
        )
    return rows


def _ranks(
    histories: Histories, planted: Planted, part: Forecasts, trigger: np.ndarray, score: np.ndarray
) -> dict[str, np.ndarray]:
    """Of each forecast: is the cause first, is a distractor; where distractors lie among ordinary events of a step."""
    there = np.asarray(part.inputs.there)
    at = np.minimum(part.first[:, None] + np.arange(there.shape[1]), histories.num_events - 1)
    size, score = np.abs(score), np.where(there, score, -np.inf)
    cause = at == trigger[:, None]
    like = planted.distractor[at] & there
    best = np.where(cause & there, score, -np.inf).max(axis=1)
    others = np.where(cause, -np.inf, score).max(axis=1)
    strongest = score == score.max(axis=1, keepdims=True)
    own = there & (histories.step[at] == histories.step[trigger][:, None]) & ~cause
    alike = histories.item_interest[histories.item[at]] == histories.item_interest[part.inputs.asked.index][:, None]
    ordinary = own & ~like
    whose = cause & there, own & like, ordinary & alike, ordinary & ~alike
    pairs = [(row, own[row] & like[row], own[row] & ~like[row]) for row in range(len(there))]
    pairs = [(row, ours, theirs) for row, ours, theirs in pairs if ours.any() and theirs.any()]
    return {
        "first": best > others,
        "distractor": np.array([_above(score[row, ours], score[row, theirs]) for row, ours, theirs in pairs]),
        "distractor_size": np.array([_above(size[row, ours], size[row, theirs]) for row, ours, theirs in pairs]),
        **{f"nats_{who}": score[of] for who, of in zip(WHO, whose, strict=True)},
        "distractor_first": (strongest & like).any(axis=1) & ~(strongest & cause).any(axis=1),
    }


def _mean(values: np.ndarray) -> float | None:
    return float(values.mean()) if len(values) else None


def _above(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Share of pairs in which ours is greater, ties as half."""
    return float(((ours[:, None] > theirs).mean() + (ours[:, None] >= theirs).mean()) / 2)
