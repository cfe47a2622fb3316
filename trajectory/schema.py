"""The tables and arrays that rooms pass to each other; imported by all rooms, imports none.

Dimensions: B rows of a batch, L positions of a row, T target slots of a row, M items of one target step,
H steps of the future, V items, K interests, N users (histories), E events, F numeric features of an event.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import polars as pl

CODES = 4096  # rows of the table of a field of codes; what falls on the same row is taken for the same
DEFAULT_EVENT_TYPE = "event"  # the type of a log that states none and tells none by its columns
FAILED = "failed_order"  # type of a sale whose order was cancelled, refunded or never paid
SERVICE = "service_line"  # type of a sale or return of what is no goods, such as postage
ROLES = ("input", "target", "sale", "negative")
# Standard types of event and their roles. input: the model reads it; target: the model predicts it; sale: it counts as
# demand, value and response; negative: it takes back (with sale: a return takes back a sale). Config: data.event_types.
# Types are numbered in this order.
EVENT_TYPES: dict[str, tuple[str, ...]] = {
    "view": ("input", "target"),
    "click": ("input", "target"),
    "cart": ("input", "target"),
    "favorite": ("input", "target"),
    "purchase": ("input", "target", "sale"),
    "subscribe": ("input", "target"),
    "rating": ("input", "target"),
    "event": ("input", "target"),
    "impression": (),
    "search": (),
    "checkout": (),
    "low_rating": ("negative",),
    "remove_from_cart": ("negative",),
    "return": ("sale", "negative"),
    FAILED: (),
    SERVICE: (),
}
STANDARD_EVENT_TYPES = tuple(EVENT_TYPES)[:5]  # what made-up logs are of


class UserError(ValueError):
    """A mistake of the user's: the message says what was expected, what came and what to do. Scripts exit with 2."""


@dataclass(frozen=True)
class EventLog:
    """A raw log in canonical columns, one row per source row, nothing dropped yet.

    `events`: source_line (Int64, 1 = first data row), user, item (integer or string, as in the source),
    time (Int64 unix seconds, null where it could not be read; absent if the log has no time),
    subsecond (Int32 microseconds beyond `time`; absent if all are 0),
    position (Int64; absent if none), event_type (String, raw; absent if none), value (Float64, of the whole row, null
    where unknown; absent if none), quantity (Float64, null where unknown; absent if none), rating (Float64; absent if
    none), failed (Boolean, a sale whose order came to nothing by its status; absent if none), void (Boolean, a sale
    that another column says was none; absent if none), back (Boolean, a sale that takes back; absent if none), sold
    (Boolean, all rows of a log without types are sales by the names of its columns; absent if not), service (Boolean,
    a sale or return of what is no goods; absent if none), basket (absent if none), label (Int8, -1 = none;
    absent if none), one Float32 column per name in `features`, and `row_hash` (UInt64), equal for equal whole source
    rows. Raw texts of what could not be read are kept for quarantine.
    `items`: item, and any of title, category, department, brand, price; None if the source has none.
    `detected`: what was detected and is stated to the user (time unit, order, columns, rows).
    """

    events: pl.DataFrame
    items: pl.DataFrame | None
    features: tuple[str, ...] = ()
    detected: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class CleanLog:
    """The usable rows and the others, each with its reason: rows kept + folded + quarantined = rows read.

    `events`: columns of `EventLog.events`, event_type canonical, quantity and value never negative. `quarantine`: the
    removed rows with `source_line`, `reason` and their raw values as text. `counts`: reason -> rows. `folded`: rows
    equal to one that is kept and counted in its quantity. `types`: one row for each type that is kept: type, words,
    rows, roles. `log`: what was read, without its events.
    """

    events: pl.DataFrame
    quarantine: pl.DataFrame
    counts: dict[str, int]
    log: EventLog
    folded: int = 0
    types: pl.DataFrame = field(default_factory=pl.DataFrame)

    @property
    def rows_read(self) -> int:
        """Rows of the source."""
        return self.events.height + self.folded + self.quarantine.height


class Whole(NamedTuple):
    """The log that some users' histories were drawn from."""

    fingerprint: str
    users: int
    events: int


@dataclass(frozen=True)
class Histories:
    """All users' events that the model reads, in time order, flat: history u is the slice offsets[u]:offsets[u + 1].

    Item indices run 1..V over the catalogue (`num_items`); 0 is padding / unknown; indices above `num_items` are *cold*
    items that a temporal split hides from the model. Interest indices run 1..K; 0 = the item has none.
    Events with the same `step` of one history have no order (lines of one basket); elsewhere every event is a step.
    """

    name: str
    fingerprint: str  # of the source's bytes and of how they were read
    offsets: np.ndarray  # int64 [N + 1]
    item: np.ndarray  # int32 [E]
    time: np.ndarray  # int64 [E], unix seconds; all 0 if not has_time
    event_type: np.ndarray  # int8 [E], 1-based index into `event_types`
    value: np.ndarray  # float32 [E], of the whole row; NaN where absent
    quantity: np.ndarray  # float32 [E], pieces; NaN where absent
    label: np.ndarray  # int8 [E], 0 / 1, -1 where absent
    step: np.ndarray  # int32 [E], number of the event's step within its history, from 0
    features: np.ndarray  # float32 [E, F], raw units
    users: pl.DataFrame  # N rows: user (id of the source)
    items: pl.DataFrame  # rows for indices 1, 2, ...: item (id of the source), title, interest (name) ...
    item_interest: np.ndarray  # int32 [len(items) + 1], interest index of each item index
    interests: tuple[str, ...]  # names of interests 1..K
    event_types: tuple[str, ...]  # names of event types 1..
    feature_names: tuple[str, ...]
    has_time: bool
    baskets: bool  # True: several events may share a step
    num_items: int  # V, size of the catalogue
    roles: dict[str, tuple[str, ...]] = field(default_factory=lambda: dict(EVENT_TYPES))  # of the log's types
    # Events of types without the role input: user, item (ids of the source), time, event_type, quantity,
    # value.
    outside: pl.DataFrame = field(default_factory=pl.DataFrame)
    source: str = ""  # digest of the source's bytes alone
    whole: Whole | None = None  # where these are some of its users
    zone: str = ""  # by whose clock times are, as data.time_zone says it; "" where the log names none

    @property
    def num_users(self) -> int:
        """Number of histories."""
        return len(self.offsets) - 1

    @property
    def num_events(self) -> int:
        """Number of events over all histories."""
        return int(self.offsets[-1])

    @property
    def now(self) -> int:
        """The moment after the last event of all but returns, which trail the sales they are of, unix seconds."""
        trailing = [event_type for event_type, roles in self.roles.items() if {"sale", "negative"} <= {*roles}]
        outside = self.time[:0]
        if self.outside.height:
            outside = self.outside.filter(~pl.col("event_type").is_in(trailing))["time"].to_numpy()
        return max(int(self.time.max(initial=-1)), int(outside.max(initial=-1))) + 1

    @cached_property
    def once_a_step(self) -> np.ndarray:
        """True at the first line of each item within its step, bool [E]; all True where steps are events."""
        if not self.baskets:
            return np.ones(self.num_events, bool)
        new = np.ones(self.num_events, bool)
        new[1:] = self.step[1:] != self.step[:-1]
        new[self.offsets[:-1][self.offsets[:-1] < self.num_events]] = True
        once = np.zeros(self.num_events, bool)
        once[np.unique(np.cumsum(new) * len(self.item_interest) + self.item, return_index=True)[1]] = True
        return once

    @cached_property
    def distinct_so_far(self) -> np.ndarray:
        """Events before each event that count by `once_a_step`, over all histories in order, int64 [E + 1]."""
        return np.concatenate([[0], np.cumsum(self.once_a_step)])

    def has_role(self, role: str) -> np.ndarray:
        """Whether each event is of a type with this role, bool [E]."""
        return np.array([False, *(role in self.roles[event_type] for event_type in self.event_types)])[self.event_type]

    @cached_property
    def only_targets(self) -> bool:
        """Whether every type of event that the log has is one that is predicted."""
        return all("target" in self.roles[event_type] for event_type in self.event_types)

    @property
    def step_unit(self) -> str:
        """What a step of a forecast is called: "event", "basket" or, if purchases alone are predicted, "purchase"."""
        predicted = [event_type for event_type in self.event_types if "target" in self.roles[event_type]]
        if self.baskets:
            return "basket"
        return "event" if self.only_targets or len(predicted) > 1 else predicted[0].replace("_", " ")

    @property
    def only_read(self) -> tuple[str, ...]:
        """The types of event that are read and not predicted."""
        return tuple(event_type for event_type in self.event_types if "target" not in self.roles[event_type])

    @cached_property
    def target_item(self) -> np.ndarray:
        """The item of each event that is predicted, int32 [E]; 0 at events that are only read (without role target)."""
        return self.item if self.only_targets else np.where(self.has_role("target"), self.item, np.int32(0))

    @cached_property
    def event_type_counts(self) -> np.ndarray:
        """Events of each type before each event, over all histories in order, int32 [E + 1, event types]."""
        counts = np.zeros((self.num_events + 1, len(self.event_types)), np.int32)
        for index in range(len(self.event_types)):
            np.cumsum(self.event_type == index + 1, dtype=np.int32, out=counts[1:, index])
        return counts


class Queries(NamedTuple):
    """What is asked of a model: after events start:stop of `user`, which items are in stop:end? Flat event indices."""

    user: np.ndarray  # int64 [n]
    start: np.ndarray  # int64 [n]
    stop: np.ndarray  # int64 [n]
    end: np.ndarray  # int64 [n]

    def chunks(self, size: int) -> Iterator[Queries]:
        """The same queries in order, at most `size` at a time."""
        for i in range(0, len(self.user), size):
            yield Queries(*(column[i : i + size] for column in self))

    def padded(self, size: int) -> Queries:
        """The same queries and then the last one again, `size` in all."""
        return Queries(*(np.pad(column, (0, size - len(column)), mode="edge") for column in self))


@dataclass(frozen=True)
class Split:
    """Which events train, validate and test. Training sees offsets[u]:train_end[u] of each history, nothing else."""

    kind: str
    train_end: np.ndarray  # int64 [N], flat index, exclusive
    validation: Queries
    test: Queries
    guarantee: str  # one sentence, printed with each result
    cut: dict[str, Any] = field(default_factory=dict)  # e.g. the dates of a temporal split

    def queries(self, part: str) -> Queries:
        """The queries of "validation" or "test"."""
        if part not in ("validation", "test"):
            raise ValueError(f'expected part "validation" or "test", got {part!r}')
        return self.validation if part == "validation" else self.test

    def cut_time(self, part: str) -> int | None:
        """Unix seconds at which "validation" or "test" begins; None where the split is not by time."""
        return int(datetime.fromisoformat(self.cut[part]).timestamp()) if part in self.cut else None


class Events(NamedTuple):
    """Packed rows of events: what a model reads. Padding has segment 0."""

    item: Any  # int32 [B, L]; 0 = padding or an item the model does not know
    interest: Any  # int32 [B, L], of the item; 0 = none or unknown
    event_type: Any  # int32 [B, L]; 0 = padding
    counts: Any  # float32 [B, L, event types], log(1 + events of each so far, this one included, in the whole history)
    gap: Any  # float32 [B, L], log(1 + seconds since the previous event of the history); 0 for its first event
    age: Any  # float32 [B, L], days since the first event of the window (for differences only)
    hour: Any  # int32 [B, L], 1..24; 0 = no time
    weekday: Any  # int32 [B, L], 1 = Monday .. 7; 0 = no time
    features: Any  # float32 [B, L, F], standardised on training events
    segment: Any  # int32 [B, L], 1, 2, ... per packed window; 0 = padding
    position: Any  # int32 [B, L], 0, 1, ... within a window


class Targets(NamedTuple):
    """What the states at some positions of each row should predict. A slot with weight 0 is empty."""

    position: Any  # int32 [B, T], index into the row's L positions
    horizon: Any  # int32 [B, T], steps from there to the target step; 1 = the next one
    item: Any  # int32 [B, T, M], items of the target step; 0 = none
    weight: Any  # float32 [B, T, M]; 0 = empty
    wait: Any  # float32 [B, T], days from there to the target step; -1 = unknown
    label: Any  # int8 [B, T], conversion label 0 / 1; -1 = unknown


class SoftTargets(NamedTuple):
    """What teacher models hold most likely after each event of the log: soft labels beside the observed targets."""

    item: np.ndarray  # int32 [E, K]; 0 = none
    share: np.ndarray  # float32 [E, K] of a target's weight; 0 where nothing is taught


class ItemContent(NamedTuple):
    """What is known of the items beside which is which, in rows 0 to V (0: no item)."""

    vectors: dict[str, Any]  # name -> float32 [V + 1, any]; a row of zeros where it is not known
    codes: dict[str, Any]  # name -> int32 [V + 1], 0 = not known; the same word has the same code in every domain
    frozen: Any  # float32 [V + 1, any], what no learning changes: a unit vector or zeros, then log popularity


class Batch(NamedTuple):
    """One training batch."""

    events: Events
    targets: Targets
