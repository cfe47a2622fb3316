"""Third stage: who did what with which item, and when, as canonical columns."""

from __future__ import annotations

import polars as pl

from trajectory.data.ingest.cells.distinct import apply_to_distinct
from trajectory.data.ingest.cells.missing import say_nobodies
from trajectory.data.ingest.cells.parsing import ids, names, positions, texts
from trajectory.data.ingest.cells.spellings import unify_spellings
from trajectory.data.ingest.columns.detect import LOG_NAMES, SESSIONS, matching, missing
from trajectory.data.ingest.columns.local_clock import AUTO, local_clock
from trajectory.data.ingest.columns.overview import candidates
from trajectory.data.ingest.columns.people import doubt_users
from trajectory.data.ingest.columns.positions import by_session, numbered_ties
from trajectory.data.ingest.columns.times import COUNTED
from trajectory.data.ingest.columns.zones import doubt_zone, in_one_zone
from trajectory.data.ingest.findings import clip
from trajectory.data.ingest.frames import row_hashes
from trajectory.data.ingest.quality.doubts import doubt_dates, doubt_items, doubt_times
from trajectory.data.ingest.quality.faults import time_limits
from trajectory.data.ingest.sales.event_types import split_behaviour
from trajectory.data.ingest.stages.reading import Reading
from trajectory.data.times import STEP, UNZONED, day_text, times_of
from trajectory.schema import UserError

STEP_ITEM = "step"  # the item of every event of a log that has no items: a row per user and time step
_SOME = 0.05  # of the rows, from which gaps are asked about
_STEP_USER = "user"  # the user of such a log if it has no user column


def read_events(reading: Reading) -> None:
    """Adds source_line, row_hash, user, item, event_type, time and position, as far as the log has them."""
    columns, table, data = reading.columns, reading.table, reading.data
    columns["source_line"] = pl.int_range(1, table.height + 1, dtype=pl.UInt32, eager=True)
    columns["row_hash"] = row_hashes(reading.source.table)
    columns["user"] = _users(reading)
    if "event_type" in reading.fields:
        columns["event_type"] = apply_to_distinct(names, table[reading.fields["event_type"]], reading.said)
    columns |= _items(reading)
    columns |= _times(reading)
    columns |= numbered_ties(columns, table, data, reading.fields, reading.found_by)
    session = next((name for name in matching(table.columns, SESSIONS) if name not in reading.fields.values()), "")
    if session and {"time", "position"} <= columns.keys() and data.order == "auto":
        columns["position"] = by_session(columns, table[session])


def _users(reading: Reading) -> pl.Series:
    table, fields, data, said = reading.table, reading.fields, reading.data, reading.said
    if "user" not in fields:
        if single := data.single_user or (_STEP_USER if reading.stepwise else ""):
            return reading.constant(single)
        also = "" if {"item", "behaviour"} & fields.keys() else "item"
        otherwise = ", or data.single_user if the whole log is of one user"
        table = table.drop(reading.source.place, strict=False)
        raise missing("user", table.columns, otherwise, candidates(table, fields, "user"), also)
    name = fields["user"]
    users = unify_spellings(apply_to_distinct(ids, table[name], said), name, data.fold_case, said)
    say_nobodies(users, said)
    _doubt_gaps(users, reading, "user")
    if not reading.known_layout and not data.columns.user:
        doubt_users(table, fields, {*reading.used, *reading.statuses}, said)
    return users


def _doubt_gaps(ids_read: pl.Series, reading: Reading, field: str) -> None:
    """Warns where some rows have no user or item, and another column that is called so has one in most of them."""
    table, gaps = reading.table, ids_read.is_null()
    if gaps.sum() <= _SOME * len(gaps):
        return
    free = [other for other in matching(table.columns, LOG_NAMES[field]) if other not in reading.fields.values()]
    fuller = next((other for other in free if 2 * table[other].filter(gaps).null_count() < gaps.sum()), "")
    if fuller:
        text = f"the {field} is missing in {gaps.sum():,} of {len(gaps):,} rows, {fuller} is not"
        reading.said.note(f"{field}s", text, f"data.columns.{field}={fuller}", warning=True)


def _doubt_constant(items: pl.Series, reading: Reading) -> None:
    """Warns of one item in all rows, where other columns could hold them."""
    if items.n_unique() == 1 < len(items) and (could := candidates(reading.table, reading.fields, "item")):
        text = f"{reading.fields['item']} is {clip(str(items[0]))!r} in every row, so there is nothing to predict"
        reading.said.note("items", f"{text}; {could.removesuffix('; ')}", "data.columns.item=...", warning=True)


def _items(reading: Reading) -> dict[str, pl.Series]:
    """The item, and the type of the event where one column states both."""
    table, fields, data, said = reading.table, reading.fields, reading.data, reading.said
    if "item" in fields:
        name = fields["item"]
        items = unify_spellings(apply_to_distinct(ids, table[name], said), name, data.fold_case, said)
        doubt_items(items, table, name, {*fields.values()}, said)
        _doubt_gaps(items, reading, "item")
        _doubt_constant(items, reading)
        doubt_dates(items, name, "time" in fields, said)
        return {"item": items}
    if "behaviour" in fields:
        raw = texts(table[fields["behaviour"]])
        event_types, items = split_behaviour(raw, data)
        if not items.count():
            raise UserError(
                f"no text in column {fields['behaviour']!r} begins with a known word for a type of event "
                f"and goes on with an item, for example {clip(next(iter(raw.drop_nulls()), ''))!r}; add "
                "words to data.event_type_map or set data.columns.item"
            )
        return {"event_type": event_types, "item": items}
    if reading.stepwise:
        could = candidates(table, fields, "item").removesuffix("; ")
        text = f"no column is known to hold items, so each row is a step with a {fields['label']}, its numbers features"
        said.note("items", f"{text}{could and '; '}{could}", "data.columns.item=...", warning=bool(could))
        return {"item": reading.constant(STEP_ITEM)}
    table = table.drop(reading.source.place, strict=False)
    raise missing("item", table.columns, "", candidates(table, fields, "item"))


def _times(reading: Reading) -> dict[str, pl.Series]:
    table, fields, told, said = reading.table, reading.fields, reading.told, reading.said
    columns = {"position": positions(table[fields["position"]])} if "position" in fields else {}
    if "time" not in fields:
        return columns
    source = table[fields["time"]]
    if reading.found_by["time"] == COUNTED:
        told["time"] = "none: days and seconds are counted, and read as position"
        return {"position": positions(source)} | columns
    times = times_of(source, reading.data.time_unit, reading.data.day_first, said)
    told["time"], told["zone"] = times.unit, times.zone
    if times.unit == STEP:
        told["time"] = "none: the time column counts steps and is read as position"
        return {"position": times.seconds} | columns
    zones = table[fields["zone"]] if "zone" in fields else None
    if times.zone.startswith(UNZONED) and not reading.known_layout and not reading.data.columns.zone:
        doubt_zone(table, source.name, said)
    target = reading.data.time_zone
    if target == AUTO:
        target = "" if zones is not None else local_clock(table, times, source.name, said)
    times = in_one_zone(times, source.name, zones, target, said)
    told["zone"], told["clock"] = times.zone, target or ("" if times.zone.startswith(UNZONED) else "UTC")
    columns["time"] = times.seconds
    if times.subsecond is not None:
        columns["subsecond"] = times.subsecond
        said.note("order", "times have parts of a second, which order events")
    limits = time_limits(reading.data.cleaning)
    doubt_times(times.seconds, source, limits, said)
    kept = times.seconds.filter(times.seconds.is_between(*limits))
    shown = kept if len(kept) else times.seconds
    bounds = (shown.min(), shown.max())
    told["span"] = [day_text(bound) for bound in bounds if isinstance(bound, int)]
    unread = times.seconds.is_null() & source.is_not_null()
    if unread.any():
        columns["raw_time"] = texts(source).set(~unread, None)
        said.unreadable(source.name, columns["raw_time"].drop_nulls(), "set aside")
    return columns
