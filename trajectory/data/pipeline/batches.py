"""The Grain pipeline of training: epochs of packed batches, reproducible from (seed, epoch), resumable at any batch."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from ml_collections import ConfigDict

from trajectory.data.pipeline.featurize import FeatureScale, Windows, read_rows, slices
from trajectory.data.pipeline.packing import cut_windows, pack
from trajectory.data.pipeline.sessions import predicted_after
from trajectory.data.pipeline.splits import marked, step_starts, target_starts
from trajectory.data.times import DAY
from trajectory.messages import root_logger_kept
from trajectory.schema import Batch, Histories, SoftTargets, Split, Targets, UserError

with root_logger_kept():
    import grain

PREFETCH = 4


class TrainingData:
    """What training may see of the histories, cut into windows and packed anew each epoch.

    Where steps are single events, the state after each event predicts the next event's item. Where steps are baskets,
    the state after each basket predicts the items of the next basket, at most `config.target_items` of them, drawn
    anew each epoch; the lines of each basket are shuffled anew each epoch. With a `horizon` H > 1 it is not always the
    next step but one of the next H, drawn anew each epoch from those that training has. With `config.after` "session"
    only the state after the last step of each session predicts.
    `label` (int8 [E] or None) are conversion labels as training knows them. With `soft` a target's weight is shared
    between its item and those of the soft targets, of which single events only have any.
    """

    def __init__(
        self,
        histories: Histories,
        split: Split,
        scale: FeatureScale,
        config: ConfigDict,
        seed: int,
        label: np.ndarray | None = None,
        soft: SoftTargets | None = None,
        horizon: int = 1,
    ) -> None:
        if config.targets > config.length:
            raise UserError(f"batch.targets={config.targets} exceeds batch.length={config.length}")
        if horizon > 1 and (label is not None or soft is not None):
            raise UserError(
                f"heads.horizon={horizon}: conversions and teachers predict the next step only; expected 1 beside them"
            )
        self.histories, self.scale, self.config, self.seed, self.label = histories, scale, config, seed, label
        self.soft, self.horizon = soft, horizon
        first, self.end = histories.offsets[:-1], split.train_end
        self.step_end = step_starts(histories)[1:]
        self.target_start = np.append(target_starts(histories), histories.num_events)
        # The last target step of training is only that, so windows stop before it - unless its events have labels.
        last_target = self.target_start[np.maximum(np.searchsorted(self.target_start, self.end) - 1, 0)]
        stop = np.where(last_target < self.end, np.maximum(last_target, first), first) if label is None else self.end
        self.first, self.length = first, np.maximum(stop - first, 0)
        self.place = np.zeros(histories.num_events, bool)
        self.place[predicted_after(histories, config.after)] = True
        self.place &= marked(self.first, self.first + self.length, histories.num_events)
        self.places_before = np.concatenate([[0], np.cumsum(self.place)])
        if not self.place.any():
            raise UserError(
                "no history has two steps left for training; a longer log or a shorter held-out part is needed"
            )

    def plan(self, epoch: int) -> EpochPlan:
        """The batches of one epoch; the same for the same (seed, epoch)."""
        return EpochPlan(self, np.random.default_rng([self.seed, epoch]))

    def dataset(self) -> grain.IterDataset:
        """Epochs without end, batch after batch, prepared ahead in a thread."""
        return grain.experimental.ThreadPrefetchIterDataset(Epochs(self), prefetch_buffer_size=PREFETCH)


class EpochPlan:
    """Which windows lie where in which batch of one epoch; `batch(i)` assembles one."""

    def __init__(self, data: TrainingData, rng: np.random.Generator) -> None:
        c, self.data = data.config, data
        self.order = _shuffled_steps(data.step_end, rng) if data.histories.baskets else None
        start, length = cut_windows(data.first, data.length, c.length, rng)
        start, length = _split_crowded(start, length, data.places_before, c.targets)
        targets = data.places_before[start + length] - data.places_before[start]
        useful = targets > 0  # a window cut within one basket may predict nothing
        start, length, targets = start[useful], length[useful], targets[useful]
        shuffle = rng.permutation(len(start))
        start, length, targets = start[shuffle], length[shuffle], targets[shuffle]
        row, column, slot = pack(length, targets, c.length, c.targets)
        rows = int(row.max()) + 1
        row = rng.permutation(rows)[row]
        self.all_batches = -(-rows // c.rows)
        self.num_batches = min(self.all_batches, c.max_batches or self.all_batches)
        # Rows are dealt evenly, so that no batch of an epoch is much smaller than the others.
        bounds = np.linspace(0, rows, self.all_batches + 1).round().astype(np.int64)
        by_row = np.argsort(row, kind="stable")
        history = data.histories.offsets[np.searchsorted(data.histories.offsets, start, side="right") - 1]
        shift = rng.integers(0, c.length - length + 1) if c.position_offset else np.zeros_like(start)
        self.chance = rng.random(data.places_before[-1]) if data.horizon > 1 else None
        columns = (start, length, history, row, column, shift, slot)
        self.start, self.length, self.history, self.row, self.column, self.shift, self.slot = (
            x[by_row] for x in columns
        )
        self.bounds, self.edges = bounds, np.searchsorted(self.row, bounds)
        self.padding = 1.0 - float(length.sum()) / (rows * c.length)

    def batch(self, index: int) -> Batch:
        """Batch `index` of the epoch, rows [config.rows, config.length]."""
        c, h = self.data.config, self.data.histories
        windows = self._windows(index)
        events = read_rows(h, self.data.scale, windows, c.rows, c.length, self.order)
        return Batch(events, self._targets(windows, self.slot[self._part(index)]))

    def places(self, index: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Row and column in batch `index` of each of its events, and the event's flat index, int64 [n] each."""
        windows = self._windows(index)
        number, at = slices(windows.start, windows.start + windows.length)
        return windows.row[number], windows.column[number] + at - windows.start[number], at

    def _part(self, index: int) -> slice:
        return slice(self.edges[index], self.edges[index + 1])

    def _windows(self, index: int) -> Windows:
        part = self._part(index)
        row = self.row[part] - self.bounds[index]
        return Windows(
            self.start[part], self.length[part], self.history[part], row, self.column[part], self.shift[part]
        )

    def _targets(self, windows: Windows, slot: np.ndarray) -> Targets:
        c, data = self.data.config, self.data
        h = data.histories
        number, at = slices(windows.start, windows.start + windows.length)
        chosen = data.place[at]
        number, at = number[chosen], at[chosen]
        before = data.places_before
        place = windows.row[number] * c.targets + slot[number] + before[at] - before[windows.start[number]]
        column = windows.column[number] + at - windows.start[number]

        def fill(values: np.ndarray, dtype: type, empty: int = 0) -> np.ndarray:
            out = np.full((c.rows * c.targets, *values.shape[1:]), empty, dtype)
            out[place] = values
            return out.reshape(c.rows, c.targets, *values.shape[1:])

        step, last = np.searchsorted(data.target_start, at, side="right"), len(data.target_start) - 1
        user_end = data.end[np.searchsorted(h.offsets, at, side="right") - 1]
        horizon = np.ones(len(at), np.int64)
        if self.chance is not None:
            left = np.searchsorted(data.target_start, user_end, side="left") - step
            horizon += (self.chance[before[at]] * np.minimum(left, data.horizon)).astype(np.int64)
        begin = data.target_start[np.minimum(step + horizon - 1, last)]
        ahead = begin[:, None] + np.arange(c.target_items)
        step_end = np.minimum(np.searchsorted(data.step_end, begin, side="right"), len(data.step_end) - 1)
        limit = np.minimum(data.step_end[step_end], user_end)
        real = ahead < limit[:, None]
        ahead = np.minimum(ahead, h.num_events - 1)
        item = h.target_item[ahead if self.order is None else self.order[ahead]]
        real &= (item > 0) & (item <= h.num_items)
        weight = real * np.maximum(real.sum(1, keepdims=True), 1.0) ** -c.basket_power
        item *= real
        if data.soft is not None:
            share = data.soft.share[at]
            weight = np.hstack([weight * (1 - share.sum(1, keepdims=True)), share])
            item = np.hstack([item, data.soft.item[at]])
        label = data.label[at] if data.label is not None else np.full(len(at), -1, np.int8)
        return Targets(
            fill(column, np.int32),
            fill(horizon, np.int32, 1),
            fill(item, np.int32),
            fill(weight, np.float32),
            fill(_wait(h, at, np.where(begin < user_end, begin, at)), np.float32, -1),
            fill(label, np.int8, -1),
        )


def _wait(histories: Histories, at: np.ndarray, then: np.ndarray) -> np.ndarray:
    """Days between two events of a history; -1 where there is no later one or the log's order runs against time."""
    if not histories.has_time:
        return np.full(len(at), -1.0)
    days = (histories.time[then] - histories.time[at]) / DAY
    return np.where((then > at) & (days >= 0) & (histories.time[at] > 0), days, -1.0)


def _shuffled_steps(ends: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A permutation [E] of the events within each step; `ends` are the flat indices after each step."""
    step = np.repeat(np.arange(len(ends)), np.diff(ends, prepend=0))
    return np.argsort(step + rng.random(len(step)))


def _split_crowded(start: np.ndarray, length: np.ndarray, before: np.ndarray, slots: int):
    """Halves windows until none has more target places than a row has slots."""
    while True:
        crowded = before[start + length] - before[start] > slots
        if not crowded.any():
            return start, length
        half = length[crowded] // 2
        rest, rest_length = start[crowded] + half, length[crowded] - half
        length = length.copy()
        length[crowded] = half
        start, length = np.append(start, rest), np.append(length, rest_length)


class Plan(Protocol):
    """The batches of one epoch."""

    num_batches: int
    all_batches: int  # those that batch.max_batches leaves out included

    def batch(self, index: int) -> Batch:
        """Batch `index` of the epoch."""


class Planned(Protocol):
    """Data whose epochs are planned; the same for the same epoch."""

    def plan(self, epoch: int) -> Plan:
        """The batches of one epoch."""


class Epochs(grain.IterDataset):
    """Epochs without end, batch after batch."""

    def __init__(self, data: Planned) -> None:
        super().__init__()
        self._data = data

    def __iter__(self) -> _EpochIterator:
        return _EpochIterator(self._data)


class _EpochIterator(grain.DatasetIterator):
    """State: the epoch and the batch within it that comes next."""

    def __init__(self, data: Planned) -> None:
        super().__init__()
        self._data, self._epoch, self._batch = data, 0, 0
        self._plan: Plan | None = None

    def __next__(self) -> Batch:
        if self._plan is None:
            self._plan = self._data.plan(self._epoch)
        batch = self._plan.batch(self._batch)
        self._batch += 1
        if self._batch == self._plan.num_batches:
            self._epoch, self._batch, self._plan = self._epoch + 1, 0, None
        return batch

    def get_state(self) -> dict[str, Any]:
        return {"epoch": self._epoch, "batch": self._batch}

    def set_state(self, state: dict[str, Any]) -> None:
        if self._epoch != state["epoch"]:
            self._plan = None
        self._epoch, self._batch = int(state["epoch"]), int(state["batch"])
