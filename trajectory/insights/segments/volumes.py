"""How much of each interest users buy or look at a week: since their first event, and lately."""

from __future__ import annotations

import numpy as np

from trajectory.data.pipeline.featurize import slices
from trajectory.data.store.sales import has_values, net_sales, selling_event_types
from trajectory.data.times import DAY, WEEK
from trajectory.migrations.step_windows import shares
from trajectory.schema import Histories, Queries

LATELY = 56.0  # days; half the log where it is shorter than twice that


def values(histories: Histories, until: int | None = None) -> np.ndarray:
    """What each event is worth, float64 [E]: the value that it sold, less what was given back before `until`; pieces
    where the log states no values; 1 where it has no sales.
    """
    if not selling_event_types(histories):
        return np.ones(histories.num_events)
    return net_sales(histories, has_values(histories), until)


def attention(histories: Histories, until: int | None = None) -> np.ndarray:
    """What each event says of interests, float64 [E]: its worth where all events are sales (or none is), else 1."""
    if set(histories.event_types) <= set(selling_event_types(histories)):
        return values(histories, until)
    return np.ones(histories.num_events)


def volumes(
    histories: Histories, queries: Queries, worth: np.ndarray, moment: int | None
) -> tuple[np.ndarray, np.ndarray]:
    """Volume a week of each interest before the moment, float64 [n, K] each: since the first event, and lately.

    Without times all volumes are shares of 1, and what came lately is the last quarter of a history.
    """
    return _weekly(histories.item_interest[histories.item], len(histories.interests), histories, queries, worth, moment)


def totals(
    histories: Histories, queries: Queries, worth: np.ndarray, moment: int | None
) -> tuple[np.ndarray, np.ndarray]:
    """As `volumes`, but of all events together, float64 [n] each: those of items without an interest too."""
    every = _weekly(np.ones(histories.num_events, np.int64), 1, histories, queries, worth, moment)
    return every[0][:, 0], every[1][:, 0]


def _weekly(
    code: np.ndarray, count: int, histories: Histories, queries: Queries, worth: np.ndarray, moment: int | None
) -> tuple[np.ndarray, np.ndarray]:
    """`volumes` of each code 1..count of the events."""
    if not histories.has_time:
        quarter = queries.stop - np.maximum((queries.stop - queries.start) // 4, 1)
        whole = summed(code, worth, queries.start, queries.stop, count)
        return shares(whole), shares(summed(code, worth, quarter, queries.stop, count))
    last = histories.time[queries.stop - 1] if moment is None else np.full(len(queries.stop), moment)
    lately = min(LATELY * DAY, (last.max() - histories.time.min()) / 2)
    since = np.maximum(last - histories.time[queries.start], lately)
    owner = np.repeat(np.arange(histories.num_users), np.diff(histories.offsets))
    row = np.full(histories.num_users, -1)
    row[queries.user] = np.arange(len(queries.user))
    at = row[owner]
    recent = np.concatenate([[0], np.cumsum((at >= 0) & (histories.time >= last[at] - lately))])
    began = queries.stop - (recent[queries.stop] - recent[queries.start])
    return (
        summed(code, worth, queries.start, queries.stop, count) / (since / WEEK)[:, None],
        summed(code, worth, began, queries.stop, count) / (lately / WEEK),
    )


def summed(code: np.ndarray, worth: np.ndarray, start: np.ndarray, stop: np.ndarray, count: int) -> np.ndarray:
    """Worth of each code 1..count in the events start[i]:stop[i], float64 [n, count]; code 0 counts for nothing."""
    row, event = slices(start, stop)
    volume = np.bincount(row * (count + 1) + code[event], worth[event], len(start) * (count + 1))
    return volume.reshape(len(start), count + 1)[:, 1:]
