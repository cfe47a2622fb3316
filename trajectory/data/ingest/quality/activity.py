"""Rows of users with too many events to be a single person, and of users and items with too few to learn from."""

from __future__ import annotations

import numpy as np
import polars as pl
from ml_collections import ConfigDict

from trajectory.data.store.ordering import number
from trajectory.data.times import DAY

_MINUTE = 60


def of_bots(events: pl.DataFrame, usable: np.ndarray, data: ConfigDict) -> np.ndarray:
    """Usable rows of users with more events in a clock minute or day of UTC than allowed. Baskets come all at once."""
    limits = {_MINUTE: data.cleaning.max_events_per_minute, DAY: data.cleaning.max_events_per_day}
    users = pl.Series([], dtype=events.schema["user"])
    if "time" in events.columns and not data.baskets:
        for seconds, limit in limits.items():
            if limit > 0:
                timed = events.lazy().select("user", "time").filter(pl.Series(usable) & pl.col("time").is_not_null())
                busy = timed.group_by("user", span=pl.col("time") // seconds).len().filter(pl.col("len") > limit)
                users.extend(busy.select(pl.col("user").unique()).collect()["user"])
    if users.is_empty():
        return np.zeros(events.height, bool)
    return usable & events["user"].is_in(users.unique().implode()).fill_null(False).to_numpy()


def of_rare(events: pl.DataFrame, usable: np.ndarray, read: pl.Series, cleaning: ConfigDict) -> np.ndarray:
    """Usable rows that are read outside the k-core: users and items with too few go, again until all have enough."""
    least = {"user": cleaning.min_user_events, "item": cleaning.min_item_events}
    rare = np.zeros(events.height, bool)
    if max(least.values()) <= 1:
        return rare
    rows = np.flatnonzero(usable & read.fill_null(False).to_numpy())
    kept, codes = np.ones(len(rows), bool), {name: number(events[name].gather(rows))[1] for name in least}
    while True:
        before = np.count_nonzero(kept)
        for name, count in least.items():
            enough = np.bincount(codes[name][kept], minlength=1 + codes[name].max(initial=0)) >= count
            kept &= enough[codes[name]]
        if np.count_nonzero(kept) == before:
            rare[rows[~kept]] = True
            return rare
