"""What is wrong with a row of a log, and the quarantine that keeps each such row with its reason."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
from ml_collections import ConfigDict

from trajectory.data.ingest.findings import clip, lines
from trajectory.data.ingest.frames import filtered
from trajectory.data.ingest.quality.duplicates import add_repeats, repeated_rows, treatment
from trajectory.data.ingest.sales.event_types import default_event_type, event_type_table, roles, with_meaning
from trajectory.data.ingest.source.domains import resolve
from trajectory.data.store.ordering import number
from trajectory.data.times import DAY
from trajectory.schema import CleanLog, EventLog, UserError

UNKNOWN_TYPE = "unknown event type"
SHOWN = 5  # words that are named
# A row gets the first that applies.
REASONS = (
    "malformed row",
    "missing user",
    "missing item",
    "missing time",
    "missing position",
    "unparsable time",
    "impossible time",
    "time in the future",
    UNKNOWN_TYPE,
    "invalid label",
    "invalid feature",
    "duplicate",
    "bot",
    "below minimum count",
)
_CODE = {reason: code for code, reason in enumerate(REASONS, start=1)}  # 0 = usable
_FOLDED = len(REASONS) + 1  # code of a row that is counted in the quantity of one that is equal
_OUTPUT = (
    *("user", "item", "time", "subsecond", "position", "event_type", "value", "quantity", "rating", "basket", "label"),
)
_RAW = ("user", "item", "time", "event_type", "value", "malformed")
_AT_ONCE = 1 << 20  # rows
_MINUTE = 60
_CALENDAR = 2**37  # seconds, some four thousand years: beyond it a time is shown as the number it is
_EASTERNMOST = timedelta(hours=14)  # wall clocks run this far ahead of UTC; times that name no zone are taken as UTC


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
    for reason, fault in _faults(log, data).items():
        faulty = events.select(pl.repeat(False, pl.len()) | fault.fill_null(False)).to_series()
        codes[faulty.to_numpy() & (codes == 0)] = _CODE[reason]
    if equal != "keep":
        again = repeated_rows(events["row_hash"], codes == 0)
        codes[again] = _FOLDED if equal == "count" else _CODE["duplicate"]
    _mark(codes, _bots(events, codes == 0, data), "bot")
    # What the model does not read makes no history longer: it neither counts nor goes.
    read = events["meaning"].is_in([event_type for event_type, own in roles(data).items() if "input" in own])
    _mark(codes, _rare(events, codes == 0, read, data.cleaning), REASONS[-1])
    if (codes == _FOLDED).any():
        events, codes = add_repeats(events, codes, _FOLDED)
    rows = np.bincount(codes, minlength=_FOLDED + 1)  # by code
    counts = {reason: int(rows[code]) for reason, code in _CODE.items() if rows[code]}
    if not rows[0]:
        raise UserError(_nothing_left(events, counts))
    types = event_type_table(events, pl.Series((codes == 0) | (codes == _FOLDED)), data)
    quarantine, held = _quarantine(events, codes), [events]
    del events
    usable, folded = _usable(held, log, codes), int(rows[_FOLDED])
    if usable.height + folded + quarantine.height != len(codes):
        raise RuntimeError(
            f"{usable.height} rows kept + {folded} folded + {quarantine.height} removed != {len(codes)} read"
        )
    return CleanLog(usable, quarantine, counts, log, folded, types)


def summary(clean: CleanLog) -> str:
    """What was understood of the log, and the rows kept and removed by reason, as a short table."""
    log = clean.log
    kept = clean.events.height
    unread = clean.types.filter(~_reads(clean.types))["rows"].sum()
    table = [
        *lines(log.detected),
        ("features", ", ".join(log.features)),
        ("items", f"{log.items.height:,} in the item table" if log.items is not None else "no item table"),
        ("event types", log.detected.get("types", f"{clean.types.height}")),
        *((f"  {row['type']}", _type(row)) for row in clean.types.iter_rows(named=True)),
        ("  sales", _sales(clean.types)),
        ("rows read", f"{clean.rows_read:,}"),
        (
            "rows kept",
            f"{kept:,} ({clean.events['user'].n_unique():,} users, {clean.events['item'].n_unique():,} items)",
        ),
        ("  not read", f"{unread:,} of types without the role input, kept beside the histories" if unread else ""),
        ("folded", f"{clean.folded:,} equal rows, counted as quantity; data.duplicates" if clean.folded else ""),
        ("quarantined", f"{clean.quarantine.height:,}"),
        *((f"  {reason}", f"{count:,}{_examples(clean, reason)}") for reason, count in clean.counts.items()),
    ]
    return "\n".join(f"{name:<22} {text}" for name, text in table if text)


def _unstated(columns: list[str], data: ConfigDict) -> dict[str, str]:
    """How the type of events came about where the log states none."""
    if "event_type" in columns:
        return {}
    event_type, told = default_event_type(columns, data)
    other = "view" if event_type == "purchase" else "purchase"
    setting = f"--config.data.event_type_map=\"{{'': '{other}'}}\""
    return {"types": f"none stated: all rows are of the type {event_type}, told by {told}; {setting} changes it"}


def _type(row: dict[str, Any]) -> str:
    words = f"; from {_quoted(row['words'])}" if row["words"] else ""
    return f"{row['rows']:,} rows ({row['roles'] or 'no role'}){words}"


def _quoted(words: list[str]) -> str:
    """The first words of a log, each not longer than what is shown of a cell."""
    return ", ".join(repr(clip(word)) for word in words[:SHOWN]) + (", ..." if len(words) > SHOWN else "")


def _reads(types: pl.DataFrame) -> pl.Series:
    """Whether the model reads each type."""
    return types["roles"].str.contains(r"input\b")


def _sales(types: pl.DataFrame) -> str:
    """Said where no type is a sale."""
    if types["roles"].str.contains(r"sale\b").any():
        return ""
    last = [*types["type"], *types.filter(_reads(types))["type"]][-1]
    return f"none of these types is one; --config.data.event_types.{last}=input,target,sale would make it one, if it is"


def _examples(clean: CleanLog, reason: str) -> str:
    """The words that are no known type of event, most frequent first."""
    if reason != UNKNOWN_TYPE:
        return ""
    words = (
        clean.quarantine.filter(pl.col("reason") == reason)["event_type"]
        .drop_nulls()
        .value_counts(sort=True)["event_type"]
    )
    return f" ({_quoted(words.to_list()) or 'no word'}; data.event_type_map says what they mean)"


def _faults(log: EventLog, data: ConfigDict) -> dict[str, pl.Expr]:
    """Reason -> where it applies, of the faults that a row shows on its own, in the order of REASONS."""
    have, order = set(log.events.columns), log.detected.get("order", data.order)
    faults = {"malformed row": pl.col("malformed").is_not_null()} if "malformed" in have else {}
    faults |= {f"missing {column}": pl.col(column).is_null() for column in ("user", "item")}
    if "time" in have:
        unread = pl.col("raw_time").is_not_null() if "raw_time" in have else pl.lit(False)
        if order == "time":
            faults["missing time"] = pl.col("time").is_null() & ~unread
    if order == "position":
        faults["missing position"] = pl.col("position").is_null()
    if "time" in have:
        first, last = time_limits(data.cleaning)
        faults["unparsable time"] = unread
        faults["impossible time"] = pl.col("time") < first
        faults["time in the future"] = pl.col("time") > last
    if "event_type" in have:
        faults[UNKNOWN_TYPE] = pl.col("meaning").is_null()
    if "label" in have:
        faults["invalid label"] = ~pl.col("label").is_in([0, 1])
    if log.features:
        # A model can be fed no gap: a feature that is absent is as unusable as one that is no number.
        faults["invalid feature"] = ~pl.all_horizontal(pl.col(log.features).is_finite().fill_null(False))
    return faults


def time_limits(cleaning: ConfigDict) -> tuple[int, int]:
    """First and last possible time, unix seconds. A bare date counts from its first to its last second."""
    first = _moment("min_date", cleaning.min_date)
    if cleaning.max_date == "now":
        last = datetime.now(UTC) + _EASTERNMOST
    else:
        last = _moment("max_date", cleaning.max_date)
        if len(cleaning.max_date.strip()) == len("2024-05-31"):
            last += timedelta(days=1) - timedelta(seconds=1)
    if first > last:
        raise UserError(
            f"data.cleaning.min_date={cleaning.min_date!r} lies after max_date={cleaning.max_date!r}; exchange them"
        )
    return int(first.timestamp()), int(last.timestamp())


def _moment(field: str, text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        now = ' or "now"' if field == "max_date" else ""
        raise UserError(f"data.cleaning.{field}={text!r}: expected an ISO date such as 2024-05-31{now}") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _mark(codes: np.ndarray, faulty: np.ndarray, reason: str) -> None:
    """Gives `reason` to rows that are `faulty`."""
    codes[faulty] = _CODE[reason]


def _bots(events: pl.DataFrame, usable: np.ndarray, data: ConfigDict) -> np.ndarray:
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


def _rare(events: pl.DataFrame, usable: np.ndarray, read: pl.Series, cleaning: ConfigDict) -> np.ndarray:
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


def _quarantine(events: pl.DataFrame, codes: np.ndarray) -> pl.DataFrame:
    """The removed rows; a cell is the source's text where nothing could be made of it, else the value read.

    Those of a large log are worked out some millions at a time, and their texts are categories: often they repeat.
    """
    large, parts = events.height > _AT_ONCE, []
    for start in range(0, max(events.height, 1), _AT_ONCE):
        part = _aside(events.slice(start, _AT_ONCE), codes[start : start + _AT_ONCE])
        parts.append(part.with_columns(pl.selectors.string().cast(pl.Categorical)) if large else part)
    return pl.concat(parts)


def _aside(events: pl.DataFrame, codes: np.ndarray) -> pl.DataFrame:
    have = events.columns
    aside = (codes != 0) & (codes != _FOLDED)
    needed = {"source_line", "file", *_RAW, *(f"raw_{name}" for name in _RAW)}
    rows = events.select(name for name in have if name in needed).filter(pl.Series(aside))
    raw = {name: pl.col(name).cast(pl.String) if name in have else pl.lit(None, pl.String) for name in _RAW}
    if "time" in have:
        within = pl.col("time").abs() < _CALENDAR
        date = pl.from_epoch(pl.when(within).then("time")).dt.strftime("%Y-%m-%dT%H:%M:%S")
        raw["time"] = pl.coalesce(date, pl.col("time").cast(pl.String))
    raw |= {name: pl.coalesce(f"raw_{name}", raw[name]) for name in raw if f"raw_{name}" in have}
    reason = pl.Series("reason", REASONS).gather(codes[aside] - 1)
    file = [pl.col("file").cast(pl.String)] if "file" in have else []
    return rows.select(pl.col("source_line").cast(pl.Int64), *file, reason, **raw)


def _buddhist(time: pl.Series) -> int:
    """The year of the middle time if it may be of the Buddhist calendar, 543 ahead, in the last 50 years; else 0."""
    middle = time.median()
    year = 1970 + int(middle / (365.2425 * DAY)) if isinstance(middle, (int, float)) else 0
    return year if 0 <= datetime.now(UTC).year - (year - 543) < 50 else 0


def _nothing_left(events: pl.DataFrame, counts: dict[str, int]) -> str:
    by_reason = ", ".join(f"{count} {reason}" for reason, count in counts.items())
    message = f"not one of the {events.height} rows is usable: {by_reason}; correct the log or config.data"
    if "time in the future" in counts and (year := _buddhist(events["time"])):
        message += f"; the year {year} is {year - 543} in the Buddhist calendar: write years of the common era"
    if UNKNOWN_TYPE in counts:
        words = (
            events.filter(pl.col("meaning").is_null())["event_type"].drop_nulls().value_counts(sort=True)["event_type"]
        )
        message += f"; the words {_quoted(words.to_list())} are unknown: say what they mean in data.event_type_map"
    return message
