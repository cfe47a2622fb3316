"""What is wrong with a row of a log, and the quarantine that keeps each such row with its reason."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import polars as pl
from ml_collections import ConfigDict

from trajectory import hints
from trajectory.data.ingest.frames import filtered
from trajectory.data.ingest.quality.activity import of_bots, of_rare
from trajectory.data.ingest.quality.duplicates import add_repeats, repeated_rows, treatment
from trajectory.data.ingest.quality.faults import CODES, FOLDED, UNKNOWN_TYPE, faults_of
from trajectory.data.ingest.quality.quarantine import quarantine_of
from trajectory.data.ingest.quality.summary import quoted_words
from trajectory.data.ingest.sales.event_types import default_event_type, event_type_table, roles, with_meaning
from trajectory.data.ingest.source.domains import resolve
from trajectory.data.times import DAY
from trajectory.schema import CleanLog, EventLog, UserError

_OUTPUT = (
    *("user", "item", "time", "subsecond", "position", "event_type", "value", "quantity", "rating", "basket", "label"),
)


def clean(log: EventLog, data: ConfigDict) -> CleanLog:
    """Parts the usable rows of a log from the others by `config.data.cleaning`, after `domains.resolve`.

    Where something else than time orders the log, a missing time is no fault: it is filled with the user's previous
    (or else next) time, and null only where the user has none. UserError if no row is usable. `quarantine`:
    source_line, file (of several), reason, then user, item, time, event_type, value and malformed (the row's text) as
    String.
    """
    data = resolve(data)
    events, equal = with_meaning(log.events, data), treatment(log, data)
    # Of the log only what was detected goes on: its rows are not held twice.
    log = replace(
        log,
        events=log.events.clear(),
        detected=log.detected | {"duplicates": equal} | _unstated(log.events.columns, data),
    )
    codes = np.zeros(events.height, np.uint8)
    for reason, fault in faults_of(log, data).items():
        faulty = events.select(pl.repeat(False, pl.len()) | fault.fill_null(False)).to_series()
        codes[faulty.to_numpy() & (codes == 0)] = CODES[reason]
    if equal != "keep":
        again = repeated_rows(events["row_hash"], codes == 0)
        codes[again] = FOLDED if equal == "count" else CODES["duplicate"]
    codes[of_bots(events, codes == 0, data)] = CODES["bot"]
    # What the model does not read makes no history longer: it neither counts nor goes.
    read = events["meaning"].is_in([event_type for event_type, own in roles(data).items() if "input" in own])
    codes[of_rare(events, codes == 0, read, data.cleaning)] = CODES["below minimum count"]
    if (codes == FOLDED).any():
        events, codes = add_repeats(events, codes, FOLDED)
    rows = np.bincount(codes, minlength=FOLDED + 1)  # by code
    counts = {reason: int(rows[code]) for reason, code in CODES.items() if rows[code]}
    if not rows[0]:
        raise UserError(_nothing_left(events, counts, data))
    types = event_type_table(events, pl.Series((codes == 0) | (codes == FOLDED)), data)
    quarantine, held = quarantine_of(events, codes), [events]
    del events
    usable, folded = _usable(held, log, codes), int(rows[FOLDED])
    if usable.height + folded + quarantine.height != len(codes):
        raise RuntimeError(
            f"{usable.height} rows kept + {folded} folded + {quarantine.height} removed != {len(codes)} read"
        )
    return CleanLog(usable, quarantine, counts, log, folded, types)


def _unstated(columns: list[str], data: ConfigDict) -> dict[str, str]:
    """How the type of events came about where the log states none."""
    if "event_type" in columns:
        return {}
    event_type, told = default_event_type(columns, data)
    other = "view" if event_type == "purchase" else "purchase"
    setting = hints.setting("data.event_type_map", {"": other})
    return {"types": f"none stated: all rows are of the type {event_type}, told by {told}; {setting} changes it"}


def _usable(held: list[pl.DataFrame], log: EventLog, codes: np.ndarray) -> pl.DataFrame:
    """The usable rows of the one table in `held`, which is taken out."""
    order = log.detected.get("order", "time")
    columns = [name for name in (*_OUTPUT, *log.features, "source_line") if name in {*held[0].columns, "event_type"}]
    held.append(held.pop().with_columns(event_type="meaning").select(columns))
    events = filtered(held, pl.Series(codes == 0))
    if "time" in columns and order != "time" and events["time"].null_count():
        by = "position" if order == "position" else "source_line"
        known = pl.col("time").forward_fill().backward_fill().over("user", order_by=by)
        events = events.with_columns(time=known)
    return events


def _nothing_left(events: pl.DataFrame, counts: dict[str, int], data: ConfigDict) -> str:
    by_reason = ", ".join(f"{count} {reason}" for reason, count in counts.items())
    message = f"not one of the {events.height} rows is usable: {by_reason}; correct the log or config.data"
    if "time in the future" in counts and (year := _buddhist(events["time"])):
        message += f"; the year {year} is {year - 543} in the Buddhist calendar: write years of the common era"
    if data.time_unit != "auto" and {"time in the future", "impossible time"} & counts.keys():
        message += f"; data.time_unit={data.time_unit} is set by hand: auto finds the unit by the times"
    if "invalid label" in counts:
        message += "; labels are 0 and 1: data.columns.label=- if the column is none"
    if UNKNOWN_TYPE in counts:
        words = events.filter(pl.col("meaning").is_null())["event_type"].drop_nulls()
        words = words.value_counts(sort=True)["event_type"]
        message += f"; the words {quoted_words(words.to_list())} are unknown: say what they mean in data.event_type_map"
    return message


def _buddhist(time: pl.Series) -> int:
    """The year of the middle time if it may be of the Buddhist calendar, 543 ahead, in the last 50 years; else 0."""
    middle = time.median()
    year = 1970 + int(middle / (365.2425 * DAY)) if isinstance(middle, (int, float)) else 0
    return year if 0 <= datetime.now(UTC).year - (year - 543) < 50 else 0
