"""Flat histories to the rows of events a model reads: gather, time features, scaling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from trajectory.data.pipeline.splits import training_events
from trajectory.data.times import DAY
from trajectory.schema import Events, Histories, Split

SHORTEST = 4  # places of the shortest row


class Windows(NamedTuple):
    """Slices of histories and where each lies in the rows. All int64 [W]."""

    start: np.ndarray  # flat index of the first event
    length: np.ndarray  # events
    history: np.ndarray  # flat index of the first event of the history the window is cut from
    row: np.ndarray
    column: np.ndarray  # first place in the row
    position: np.ndarray  # position of the first event (a random offset in training)


@dataclass(frozen=True)
class FeatureScale:
    """Mean and standard deviation [F] of the numeric features over training events."""

    mean: np.ndarray
    deviation: np.ndarray

    @classmethod
    def fit(cls, histories: Histories, split: Split) -> FeatureScale:
        """From the events that the split gives to training, and no other."""
        features = histories.features[training_events(histories, split)]
        if not features.shape[1]:
            return cls(np.zeros(0, np.float32), np.ones(0, np.float32))
        deviation = np.nanstd(features, axis=0)
        return cls(np.nanmean(features, axis=0), np.where(deviation > 0, deviation, 1.0).astype(np.float32))


def slice_indices(start: np.ndarray, length: np.ndarray) -> np.ndarray:
    """The indices of many slices one after the other: (5, 2), (9, 3) -> 5 6 9 10 11."""
    before = np.cumsum(length) - length
    return np.repeat(start - before, length) + np.arange(int(length.sum()), dtype=np.int64)


def slices(start: np.ndarray, stop: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All indices of the slices start[i]:stop[i], in order: (number of the slice, index), int64."""
    length = np.maximum(stop - start, 0)
    return np.repeat(np.arange(len(length)), length), slice_indices(start, length)


def read_rows(
    histories: Histories,
    scale: FeatureScale,
    windows: Windows,
    rows: int,
    length: int,
    order: np.ndarray | None = None,
) -> Events:
    """Rows of events [rows, length] with each window in its place.

    `order` (int64 [E]) replaces event i by event order[i] of the same step (baskets are shuffled anew each epoch).
    """
    number, at = slices(windows.start, windows.start + windows.length)
    within = at - windows.start[number]
    place = windows.row[number] * length + windows.column[number] + within
    source = at if order is None else order[at]

    def fill(values: np.ndarray, dtype: type = np.int32) -> np.ndarray:
        out = np.zeros((rows * length, *values.shape[1:]), dtype)
        out[place] = values
        return out.reshape(rows, length, *values.shape[1:])

    item, began = histories.item[source], windows.history[number]
    features = (histories.features[source] - scale.mean) / scale.deviation
    if histories.has_time:
        time = histories.time[at]
        previous = histories.time[np.maximum(at - 1, 0)]
        # Where a published order runs against time (or a time is unknown), no time has passed.
        gap = np.where(at > began, np.maximum(time - previous, 0), 0)
        age = (time - histories.time[windows.start][number]) / DAY
        hour, weekday = time // 3600 % 24 + 1, (time // DAY + 3) % 7 + 1  # 1970-01-01 was a Thursday
    else:
        gap = age = hour = weekday = np.zeros(len(at), np.int64)
    # The whole history counts, also what lies before the window or is shuffled within a basket.
    so_far = histories.event_type_counts[at + 1] - histories.event_type_counts[began]
    # Windows of one row are numbered by their column: any distinct numbers would do.
    segment = windows.column[number] + 1
    return Events(
        item=fill(np.where(item <= histories.num_items, item, 0)),
        interest=fill(histories.item_interest[item]),
        event_type=fill(histories.event_type[source]),
        counts=fill(np.log1p(so_far), np.float32),
        gap=fill(np.log1p(gap), np.float32),
        age=fill(age, np.float32),
        hour=fill(hour),
        weekday=fill(weekday),
        features=fill(np.nan_to_num(features), np.float32),
        segment=fill(segment),
        position=fill(windows.position[number] + within),
    )


def row_length(longest: int, room: int) -> int:
    """Places of rows whose longest history has `longest` events: 4, 6, 8, 12, 16, 24 ..., at most `room`.

    So few lengths are compiled, and little is padded; numbers of rows are filled up alike.
    """
    longest = max(longest, SHORTEST)
    power = 1 << (longest - 1).bit_length()
    return min(power * 3 // 4 if longest <= power * 3 // 4 else power, room)


def last_rows(histories: Histories, scale: FeatureScale, start: np.ndarray, stop: np.ndarray, length: int) -> Events:
    """One row for each slice start:stop of a history: its last `length` events, from column 0 on."""
    first = np.maximum(start, stop - length)
    count = len(start)
    zero = np.zeros(count, np.int64)
    windows = Windows(first, stop - first, start, np.arange(count), zero, zero)
    return read_rows(histories, scale, windows, count, length)
