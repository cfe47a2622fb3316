"""Histories as flat arrays: ordered from a clean log, described in words."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

import numpy as np
import polars as pl
from ml_collections import ConfigDict

from trajectory.data.ingest.frames import filtered
from trajectory.data.ingest.sales.event_types import roles
from trajectory.data.store.ordering import number, order
from trajectory.schema import DEFAULT_EVENT_TYPE, CleanLog, Histories, UserError

# One array per column, of one entry per event (`features`: one row of F numbers per event).
COLUMNS: dict[str, Any] = {
    "item": np.int32,
    "time": np.int64,
    "event_type": np.int8,
    "value": np.float32,
    "quantity": np.float32,
    "label": np.int8,
    "step": np.int32,
    "features": np.float32,
}
# Of those that a log may have: name, type, and what stands where it is not known.
_NUMERIC = (
    ("time", pl.Int64, 0),
    ("value", pl.Float32, np.nan),
    ("quantity", pl.Float32, np.nan),
    ("label", pl.Int8, -1),
)
_AT_ONCE = 1 << 22  # events
_LOGGER = logging.getLogger(__name__)


def flatten(clean: CleanLog, data: ConfigDict, name: str = "", fingerprint: str = "") -> Histories:
    """Orders the events of a clean log by user, step and chance, and numbers users, items, interests and event types.

    Users, items and interests are numbered in the order of their sorted ids, so equal logs give equal numbers; only
    events of types with the role input count. A time that is unknown (possible only where something else orders the
    log) is 0. Raises UserError where baskets are asked for and nothing tells them apart, or the model would read no
    event.
    """
    log, held, types = clean.log, [clean.events], roles(data)
    del clean  # if nobody else holds it, what is ordered is given back to memory column by column
    events, outside = _parted(held, [event_type for event_type, own in types.items() if "input" in own])
    users, user = number(events["user"])
    place, step = order(events, user, data)
    offsets = np.append(0, np.cumsum(np.bincount(user, minlength=users.height)))
    needed = {"item", "event_type", *(column for column, _, _ in _NUMERIC), *log.features}
    has_time, left = "time" in events.columns, {column.name: column for column in events if column.name in needed}
    del events, user
    catalogue, item = number(left.pop("item"))
    items, interests = _items(catalogue, log.items, data.interest_column)
    event_types, event_type = _event_types(left.pop("event_type"), tuple(types))
    columns = {"item": (item + np.int32(1))[place], "event_type": event_type[place]}
    del item, event_type
    for column, dtype, absent in _NUMERIC:
        columns[column] = _numeric(left.pop(column, None), dtype, absent, place)
    features = [_numeric(left.pop(feature), pl.Float32, np.nan, place) for feature in log.features]
    columns["features"] = np.stack(features, axis=1) if features else np.zeros((len(place), 0), np.float32)
    return Histories(
        name=name,
        fingerprint=fingerprint,
        offsets=offsets.astype(np.int64),
        step=step,
        **columns,
        users=users,
        items=items,
        item_interest=number_interests(items, interests),
        interests=interests,
        event_types=event_types,
        feature_names=tuple(log.features),
        has_time=has_time,
        baskets=bool(data.baskets),
        num_items=items.height,
        roles={
            event_type: own for event_type, own in types.items() if event_type in {*event_types, *outside["event_type"]}
        },
        outside=outside,
        zone=log.detected.get("clock", ""),
    )


def _parted(held: list[pl.DataFrame], read: list[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Events of the types that the model reads, and the others as `Histories.outside` has them.

    They are taken out of `held`.
    """
    if "event_type" not in held[0].columns:
        held.append(held.pop().with_columns(event_type=pl.lit(DEFAULT_EVENT_TYPE)))
    input_rows = held[0]["event_type"].is_in(read)
    others = held[0].clear() if input_rows.all() else held[0].filter(~input_rows)
    inside = filtered(held, input_rows)
    if not inside.height:
        types = ", ".join(others["event_type"].cast(pl.String).unique().sort())
        raise UserError(
            f"the model would read no event: all are of the types {types}, which have no role input; give one the "
            f"roles, such as data.event_types.{types.partition(',')[0]}=input,target"
        )
    amounts = {
        name: (pl.col(name) if name in others.columns else pl.lit(None)).cast(dtype)
        for name, dtype in {"time": pl.Int64, "quantity": pl.Float64, "value": pl.Float64}.items()
    }
    texts = pl.selectors.categorical().cast(pl.String)
    outside = others.select("user", "item", pl.col("event_type").cast(pl.String), **amounts).with_columns(texts)
    return inside, outside.with_columns(pl.col("time").fill_null(0)).sort("user", "time", maintain_order=True)


def check_targets(histories: Histories, data: ConfigDict) -> None:
    """Raises UserError where no event is of a type that is predicted: nothing can be learned, though much be asked."""
    types = roles(data)
    if absent := [name for name in data.target_types if name not in histories.event_types]:
        _LOGGER.warning(f"no event is of type {', '.join(absent)}, which data.target_types names: none is predicted")
    if not any("target" in types[name] for name in histories.event_types):
        asked = ", ".join(name for name, own in types.items() if "target" in own)
        raise UserError(
            f"no event is of a type that is predicted ({asked}); the log has {', '.join(histories.event_types)}: "
            "expected one of these in data.target_types, or () for all"
        )


def _event_types(event_type: pl.Series, types: tuple[str, ...]) -> tuple[tuple[str, ...], np.ndarray]:
    present = set(event_type.unique())
    event_types = tuple(event_type for event_type in types if event_type in present)
    numbers = {event_type: index for index, event_type in enumerate(event_types, start=1)}
    return event_types, event_type.replace_strict(numbers, return_dtype=pl.Int8).to_numpy()


def _numeric(values: pl.Series | None, dtype: Any, absent: float, place: np.ndarray) -> np.ndarray:
    if values is None:
        return pl.Series([absent], dtype=dtype).new_from_index(0, len(place)).to_numpy()
    return values.cast(dtype).fill_null(absent).to_numpy()[place]


def _items(
    catalogue: pl.DataFrame, table: pl.DataFrame | None, interest_column: str
) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """The item table in index order with each item's interest by name, and the sorted names of the interests."""
    if table is not None:
        catalogue = catalogue.join(table, on="item", how="left", maintain_order="left", validate="1:1")
    if interest_column in catalogue.columns:
        name = pl.col(interest_column).cast(pl.String).str.strip_chars()
    else:
        name = pl.lit(None, pl.String)
    items = catalogue.with_columns(interest=pl.when(name != "").then(name))
    return items, tuple(items["interest"].drop_nulls().unique().sort().to_list())


def number_interests(items: pl.DataFrame, interests: tuple[str, ...]) -> np.ndarray:
    """The interest index of each item index, int32 [len(items) + 1]; 0 for the padding item and where none is known."""
    numbers = pl.DataFrame(
        {"interest": interests, "number": range(1, len(interests) + 1)},
        schema={"interest": pl.String, "number": pl.Int32},
    )
    rows = items.select("interest").join(numbers, on="interest", how="left", maintain_order="left")
    return np.append(np.int32(0), rows["number"].fill_null(0).to_numpy().astype(np.int32))


def describe(histories: Histories) -> str:
    """Size, span and habits of the histories in a few lines for people."""
    lengths = np.diff(histories.offsets)
    lines = [
        f"{histories.name}: {histories.num_users:,} users, {histories.num_events:,} events, "
        f"{histories.num_items:,} items, {len(histories.interests):,} interests",
        f"median length of a history: {np.median(lengths):,.0f} events",
        f"types of event: {', '.join(histories.event_types)}"
        + (f"; {histories.outside.height:,} events that the model does not read" if histories.outside.height else ""),
        f"{'events' if histories.only_targets else f'{histories.step_unit}s'} that repeat an earlier item of the same "
        f"user: {repeat_share(histories, histories.offsets[1:]):.1%}",
    ]
    times = histories.time[histories.time != 0]
    if len(times):
        first, last = (datetime.fromtimestamp(int(t), UTC).date() for t in (times.min(), times.max()))
        lines.insert(2, f"from {first} to {last}")
        lines.append(f"events in the same second as another of the same user: {_tied(histories):.1%}")
    return "\n".join(lines)


def repeat_share(histories: Histories, end: np.ndarray, of_any: bool = False) -> float:
    """Share of the target events before `end` (flat index of each history) whose item was a target of it before, or,
    `of_any`, the item of any event.
    """
    offsets, repeats, targets = histories.offsets, 0, 0
    blocks = np.unique(np.searchsorted(offsets, np.arange(0, max(histories.num_events, 1), _AT_ONCE)))
    for first, last in zip(blocks, np.append(blocks[1:], histories.num_users), strict=True):
        events = slice(offsets[first], offsets[last])
        user = np.repeat(np.arange(first, last), np.diff(offsets[first : last + 1]))
        counted = np.arange(events.start, events.stop) < end[user]
        asked = histories.target_item[events] > 0
        counted &= asked | of_any
        pairs = pl.Series(user[counted] * (len(histories.items) + 1) + histories.item[events][counted])
        targets += int(asked[counted].sum())
        repeats += int((asked[counted] & ~pairs.is_first_distinct().to_numpy()).sum())
    return repeats / max(targets, 1)


def _tied(histories: Histories) -> float:
    same = histories.time[1:] == histories.time[:-1]
    same[histories.offsets[1:-1] - 1] = False  # neighbours of two users
    tied = np.zeros(histories.num_events, bool)
    tied[1:] |= same
    tied[:-1] |= same
    return float(tied.mean())


def events_table(histories: Histories) -> pl.DataFrame:
    """One row for each event, in order: user, item (ids of the source), time, event_type, step, quantity, value.

    What a log does not have is null.
    """
    length = np.diff(histories.offsets)
    of_user = pl.Series(np.repeat(np.arange(histories.num_users), length))
    time = pl.from_epoch(pl.Series(histories.time, dtype=pl.Int64), "s") if histories.has_time else None
    return pl.DataFrame(
        {
            "user": histories.users["user"].gather(of_user),
            "item": histories.items["item"].gather(pl.Series(histories.item - 1)),
            "time": time if time is not None else pl.Series([None] * histories.num_events, dtype=pl.Datetime),
            "event_type": pl.Series(["", *histories.event_types]).gather(pl.Series(histories.event_type)),
            "step": histories.step,
            "quantity": pl.Series(histories.quantity, nan_to_null=True),
            "value": pl.Series(histories.value, nan_to_null=True),
        }
    )
