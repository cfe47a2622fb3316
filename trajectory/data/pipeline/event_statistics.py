"""What a log says about how events come, beyond their items: event types, inter-event times, sizes of baskets."""

from __future__ import annotations

import zlib
from typing import NamedTuple

import numpy as np

from trajectory.data.pipeline.splits import step_starts, target_starts
from trajectory.schema import Histories, Queries

MAX_LINES = 16  # of a drawn basket


class EventStatistics(NamedTuple):
    """How the events of sampled futures come."""

    event_type: int  # most frequent type of target event
    gap: float  # median seconds between target steps of the same user
    lines: int  # most lines of a drawn basket: 95 % of baskets have at most these, or MAX_LINES
    has_time: bool


def event_statistics(histories: Histories) -> EventStatistics:
    """Those of a log."""
    targets = histories.target_item > 0
    event_type = int(np.bincount(histories.event_type[targets], minlength=2)[1:].argmax()) + 1
    starts = target_starts(histories)
    user = np.searchsorted(histories.offsets, starts, side="right") - 1
    again, at = starts[1:][user[1:] == user[:-1]], np.flatnonzero(targets)
    gaps = histories.time[again] - histories.time[at[np.searchsorted(at, again) - 1]]
    gap = float(np.median(gaps)) if len(gaps) else 0.0
    lines = 1
    if histories.baskets:
        lines = min(MAX_LINES, int(np.quantile(step_sizes(histories), 0.95)), histories.num_items)
    return EventStatistics(event_type, max(gap, 0.0), lines, histories.has_time)


def step_sizes(histories: Histories) -> np.ndarray:
    """Target events of each target step, over all histories in order."""
    lines = np.add.reduceat(histories.has_role("target"), step_starts(histories)[:-1], dtype=np.int64)
    return lines[lines > 0]


def own_sizes(histories: Histories, queries: Queries, shape: tuple[int, int], lines: int, seed: int) -> np.ndarray:
    """Lines int32 [n, *shape] of future baskets, drawn from each user's own past ones, at most `lines`."""
    if not histories.baskets:
        return np.ones((len(queries.user), *shape), np.int32)
    starts, sizes = target_starts(histories), step_sizes(histories)
    low, high = np.searchsorted(starts, queries.start), np.searchsorted(starts, queries.stop)
    drawn = [
        sizes[np.random.default_rng([seed, int(number)]).integers(first, last, shape)]
        if last > first
        else np.ones(shape)
        for number, first, last in zip(user_numbers(histories, queries), low, high, strict=True)
    ]
    return np.clip(drawn, 1, lines).astype(np.int32)


def user_numbers(histories: Histories, queries: Queries) -> np.ndarray:
    """A number uint32 [n] for each query's user from its id alone: its draws do not depend on who else is asked for."""
    users = histories.users["user"]
    return np.array([zlib.crc32(str(users[int(user)]).encode()) for user in queries.user], np.uint32)
