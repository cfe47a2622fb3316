"""Some of a log's users: a first look that takes seconds whatever the size of the log."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import replace

import numpy as np
import polars as pl

from trajectory import hints
from trajectory.data.pipeline.featurize import slices
from trajectory.data.store.arrays import COLUMNS
from trajectory.schema import Histories, Whole

_LOGGER = logging.getLogger(__name__)


def some_users(histories: Histories, most: int) -> Histories:
    """The histories of users drawn until they have `most` events (0 = all), and says so; the items stay.

    Longer histories are likelier to be drawn, so that some can be split. Always the same ones. What these users did
    outside their histories stays with them, what others did goes.
    """
    if not 0 < most < histories.num_events:
        return histories
    length = np.diff(histories.offsets)
    # The least of exponential times with these rates: a draw without replacement (Efraimidis & Spirakis 2006).
    order = np.argsort(np.random.default_rng(0).exponential(size=len(length)) / np.maximum(length, 1e-9))
    count = max(int(np.searchsorted(np.cumsum(length[order]), most, side="right")), 1)
    sampled = np.sort(order[:count])
    _, index = slices(histories.offsets[:-1][sampled], histories.offsets[1:][sampled])
    users, outside = histories.users[sampled], histories.outside
    columns = {name: getattr(histories, name)[index] for name in COLUMNS}
    drawn = replace(
        histories,
        fingerprint=hashlib.sha256(f"{histories.fingerprint} {most} events".encode()).hexdigest(),
        offsets=np.append(0, np.cumsum(length[sampled])),
        users=users,
        whole=Whole(histories.fingerprint, histories.num_users, histories.num_events),
        outside=outside.filter(pl.col("user").is_in(users["user"].implode())) if outside.height else outside,
        **columns,
    )
    _LOGGER.info(first_look(drawn))
    return drawn


def first_look(histories: Histories) -> str:
    """That these are some of a log's users, where they are; empty otherwise."""
    if not (whole := histories.whole):
        return ""
    return (
        f"a first look at {histories.num_users:,} of {whole.users:,} users of {histories.name} and their "
        f"{histories.num_events:,} of {whole.events:,} events: all that follows is of these alone "
        f"({hints.setting('split.most_events', 0)} reads all)"
    )


def with_first_look(note: str, histories: Histories) -> str:
    """What each page of a run must say: the config's `note`, and that these are some of a log's users."""
    look = first_look(histories)
    return " ".join(filter(None, (note, look and f"{look[0].upper()}{look[1:]}.")))
