"""How well migrations are found where they were planted (trajectory.data.simulate.synthetic)."""

from __future__ import annotations

import numpy as np
import polars as pl

from trajectory.data.simulate.base import START, SyntheticLog
from trajectory.data.store.arrays import flatten
from trajectory.data.times import DAY, WEEK
from trajectory.schema import CleanLog, EventLog, Histories
from trajectory.settings import base

WITHIN = 28.0  # days, one window: how far from its truth a start may lie


def histories_of(log: SyntheticLog) -> Histories:
    """A planted log as histories, without files in between; baskets are steps."""
    data = base("gru").data
    data.baskets = True
    names = {"user_id": "user", "item_id": "item", "timestamp": "time", "basket_id": "basket"}
    events = log.events.drop("event_type", "position").rename(names)
    items = log.items.rename({"item_id": "item"})
    clean = CleanLog(events, events.clear(), {}, EventLog(events, items))
    return flatten(clean, data, "synthetic")


def score(moves: pl.DataFrame, log: SyntheticLog, within: float = WITHIN) -> dict[str, float]:
    """Shares of found and of planted migrations that are right, and how often the others are taken for migrating.

    Right: the user, source and destination are, and `start` is at most `within` days from the beginning of the planted
    week, in which the first part of the mass moves. Returns planted, found, precision (right / found), recall (right /
    planted), detected (migrating users found / migrating users), right_pair (of those, source and destination right),
    false_alarms, of_bursting and of_season_only (found / users without migration: all, with a burst, without one),
    covered (right ones whose interval of the start holds the beginning of the planted week) and days (median distance).
    """
    truth, users = log.truth, log.events["user_id"].n_unique()
    began = pl.from_epoch(pl.lit(START) + pl.col("week") * WEEK, time_unit="s")
    planted = truth["migrations"].with_columns(pl.col("user").cast(moves["user"].dtype), began=began)
    hits = moves.join(planted.rename({"source": "from", "destination": "to"}).drop("mass", "week"), on="user")
    pairs = hits.filter(pl.col("source") == pl.col("from"), pl.col("destination") == pl.col("to"))
    pairs = pairs.with_columns(days=(pl.col("start") - pl.col("began")).dt.total_seconds() / DAY)
    right = pairs.filter(pl.col("days").abs() <= within)
    still = set(range(1, users + 1)) - set(planted["user"])
    bursting = still & set(truth["bursts"]["user"])
    alarms = set(moves["user"]) & still
    counts = {"false_alarms": still, "of_bursting": bursting, "of_season_only": still - bursting}
    return {
        "planted": planted.height,
        "found": moves.height,
        "precision": _share(right.height, moves.height),
        "recall": _share(right.height, planted.height),
        "detected": _share(hits.height, planted.height),
        "right_pair": _share(pairs.height, hits.height),
        **{name: _share(len(alarms & group), len(group)) for name, group in counts.items()},
        "covered": _share(right.filter(pl.col("began").is_between("low", "high")).height, right.height),
        "days": float(np.median(right["days"].abs())) if right.height else float("nan"),
    }


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")
