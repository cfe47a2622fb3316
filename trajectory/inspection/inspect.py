"""What is understood of a log before anything is trained or stored, what looks wrong, and which setting changes it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from ml_collections import ConfigDict

from trajectory.data.ingest.columns.detect import matching
from trajectory.data.ingest.findings import UNIT_NAMES
from trajectory.data.ingest.log import read_log
from trajectory.data.ingest.quality.cleaning import clean
from trajectory.data.ingest.quality.doubts import doubt_events
from trajectory.data.ingest.quality.faults import UNKNOWN_TYPE
from trajectory.data.ingest.quality.outliers import busiest_users
from trajectory.data.ingest.sales.order_status import NAMES as ORDER_STATUS
from trajectory.data.ingest.source.domains import resolve
from trajectory.data.times import DAY, day_text
from trajectory.inspection.words import HOW_FOUND, MEANINGS, REMEDIES
from trajectory.schema import CleanLog

_MUCH = 0.01  # share of rows set aside for one reason that is worth a look
_TIED = 0.2  # share of events that share their time
_BUSY = 50  # events a day that a shopper may make
_EXAMPLES = 3
_WORDS = 5
_MANY = 5_000_000
_USERS = 10
_BARS = 40
# Section -> the topics of what was noted while the log was read that it tells; the first one tells all others.
_TOPICS = {
    "Columns": (),
    "Times": ("dates", "time", "order"),
    "Types of event": ("types", "sales", "no sales", "order status", "service lines"),
    "Amounts": ("value", "amounts"),
    "Missing and unreadable cells": ("orders",),
    "Rows set aside": ("events",),
    "Users": ("users",),
    "Items": ("items", "item table", "interests", "ids", "names"),
}


@dataclass(frozen=True)
class Section:
    """A part of the page: sentences, then a table. `bars` are shares of the longest, one a row; () = none."""

    title: str
    sentences: tuple[str, ...] = ()
    header: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    bars: tuple[float, ...] = ()

    @property
    def numeric(self) -> tuple[int, ...]:
        """The columns that hold numbers."""
        columns = zip(*self.rows, strict=True)
        return tuple(i for i, cells in enumerate(columns) if all(re.fullmatch(r"-?[\d.,]*%?", cell) for cell in cells))


@dataclass(frozen=True)
class Inspection:
    """All that is shown. `counts`: (number, what); `doubts`: (what looks wrong, the setting that changes it)."""

    name: str
    counts: tuple[tuple[str, str], ...]
    doubts: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]


def inspect(data: ConfigDict) -> Inspection:
    """Reads and cleans the log of `config.data` and says what came of it. UserError if it cannot be read."""
    data = resolve(data)
    cleaned = clean(read_log(data), data)
    events = cleaned.events
    counts = (
        (f"{cleaned.rows_read:,}", "rows read"),
        (f"{events.height:,}", "events kept"),
        (f"{cleaned.quarantine.height:,}", "rows set aside"),
        (f"{events['user'].n_unique():,}", "users"),
        (f"{events['item'].n_unique():,}", "items"),
    )
    tied = _tied(events)
    sections = (
        _columns(cleaned),
        _time(cleaned, tied, data),
        _types(cleaned),
        _amounts(cleaned),
        _missing(cleaned),
        _set_aside(cleaned),
        _users(cleaned),
        _items(cleaned),
    )
    shown = tuple(section for section in sections if section.sentences or section.rows)
    return Inspection(Path(data.source).name or data.source, counts, tuple(_doubts(cleaned, tied, data.baskets)), shown)


def _doubts(cleaned: CleanLog, tied: float, baskets: bool) -> Iterator[tuple[str, str]]:
    log, events = cleaned.log, cleaned.events
    for note in log.detected["notes"]:
        if note["warning"]:
            yield (
                f"{note['topic'].capitalize()}: {note['text']}{'' if note['text'].endswith('?') else '.'}",
                note["setting"],
            )
    for reason, rows in cleaned.counts.items():
        if rows >= _MUCH * cleaned.rows_read or reason == UNKNOWN_TYPE:
            share = f"{rows / cleaned.rows_read:.0%}" if rows >= _MUCH * cleaned.rows_read else "less than 1%"
            yield f"{rows:,} rows ({share}) are set aside: {reason}.", _remedy(cleaned, reason)
    if log.detected["order"] == "file":
        yield "No time was found: events are in the order of the file.", "data.columns.time=..."
    if tied > _TIED and "position" not in events.columns and not baskets:
        text = f"{tied:.0%} of the events share their time with another of the same user; chance orders these"
        basket = log.detected["columns"].get("basket", "")
        meaning = f"makes those of one {basket} one step" if basket else "if they are baskets"
        yield f"{text}.", f"data.columns.position=... if a column has their order, data.baskets=True {meaning}"
    crowd, others = busiest_users(events)
    nobodies = " ".join(note["text"] for note in log.detected["notes"] if note["topic"] == "users")
    if crowd.height > 1 or (crowd.height and f"{str(crowd['user'][0])!r} has " not in nobodies):
        most = crowd.row(0, named=True)
        limit = max(2 * others, _BUSY)
        limited = f" or data.cleaning.max_events_per_day={limit}" if limit < (most["in_a_day"] or 0) else ""
        yield (
            f"{crowd.height:,} users have far more events than the rest, first {most['user']!r} with "
            f"{most['events']:,}: programs, staff, or a word for 'unknown'?",
            f"data.missing={most['user']}{limited}",
        )
    yield from doubt_events(events, cleaned.types, log.detected)


def _columns(cleaned: CleanLog) -> Section:
    detected = cleaned.log.detected
    fields = sorted(detected["columns"], key=[*MEANINGS].index)
    how = {
        field: HOW_FOUND.get(detected["found_by"].get(field, ""), detected["found_by"].get(field, ""))
        for field in fields
    }
    rows = tuple(
        (
            MEANINGS[field],
            detected["columns"][field],
            how[field],
            ", ".join(detected["examples"].get(field, [])),
            f"data.columns.{field}",
        )
        for field in fields
    )
    lists = {"Features of each event": detected.get("features", ()), "Not read": detected["unused"]}
    named = [
        f"{what}: {', '.join(name or '(a column without a name)' for name in names)}."
        for what, names in lists.items()
        if names
    ]
    sentences = (*_texts(cleaned, "Columns"), *named)
    return Section("Columns", sentences, ("Meaning", "Column", "Found", "For example", "Setting"), rows)


def _time(cleaned: CleanLog, tied: float, data: ConfigDict) -> Section:
    found = cleaned.log.detected
    sentences = []
    if "time" in found:
        sentences.append(
            f"Written as {UNIT_NAMES.get(found['time'], found['time'])}; zone {found.get('zone') or 'none'}."
        )
    if found.get("span"):
        sentences.append(f"From {found['span'][0]} to {found['span'][-1]}, without times that are set aside.")
    order = {"time": "time", "position": "a column of positions", "file": "the order of the file"}[found["order"]]
    sentences.append(f"Events of a user are in the order of {order} (data.order={data.order}).")
    if tied:
        breaker = "their position" if "position" in cleaned.events.columns and data.order == "auto" else "chance"
        sentences.append(
            f"{tied:.1%} of the events share their time with another of the same user; {breaker} orders them."
        )
    sentences += _texts(cleaned, "Times")
    if "time" not in cleaned.events.columns:
        return Section("Times", tuple(sentences))
    periods = _periods(cleaned.events["time"].drop_nulls())
    longest = max(periods["rows"].max() or 1, 1)  # type: ignore[type-var]
    rows = tuple((label, f"{count:,}") for label, count in periods.iter_rows())
    bars = tuple(count / longest for count in periods["rows"])  # type: ignore[operator]
    return Section("Times", tuple(sentences), ("Beginning", "Events"), rows, bars)


def _periods(time: pl.Series) -> pl.DataFrame:
    """Events of equal stretches of time, at most `_BARS`: days, weeks or longer."""
    if time.is_empty():
        return pl.DataFrame({"label": [], "rows": []})
    first, last = int(time.min()) // DAY, int(time.max()) // DAY  # type: ignore[arg-type]
    days = next(days for days in (1, 7, 28, 91, 364, 3640, 10**6) if (last - first) // days < _BARS)
    number = ((time // DAY - first) // days).value_counts(name="rows").rename({time.name: "number"})
    every = pl.DataFrame({"number": range((last - first) // days + 1)}, schema={"number": pl.Int64})
    filled = every.join(number, on="number", how="left", maintain_order="left").with_columns(
        pl.col("rows").fill_null(0)
    )
    labels = [day_text((first + number * days) * DAY) for number in filled["number"]]
    return pl.DataFrame({"label": labels, "rows": filled["rows"]})


def _types(cleaned: CleanLog) -> Section:
    rows = tuple(
        (row["type"], f"{row['rows']:,}", ", ".join(row["words"][:5]), row["roles"] or "kept, not read")
        for row in cleaned.types.iter_rows(named=True)
    )
    stated = cleaned.log.detected.get("types", "")
    sentence = (
        "Input: the model reads it. Target: the model predicts it. Sale: it counts as demand and value. Negative: it "
        "takes back. data.event_type_map says which word is which type, data.event_types which type has which roles."
    )
    sentences = ((f"{stated[0].upper()}{stated[1:]}.",) if stated else ()) + _texts(cleaned, "Types of event")
    return Section("Types of event", (*sentences, sentence), ("Type", "Events", "Words in the log", "Roles"), rows)


def _amounts(cleaned: CleanLog) -> Section:
    rows = []
    for name in ("value", "quantity", "rating"):
        if name in cleaned.events.columns:
            for (event_type,), events in cleaned.events.group_by("event_type", maintain_order=True):
                cells = events[name].drop_nulls()
                numbers = (cells.min(), cells.median(), cells.max(), cells.sum()) if len(cells) else ()
                shown = [f"{number:,.2f}" for number in numbers if isinstance(number, int | float)]
                if shown:
                    rows.append((name, str(event_type), f"{len(cells):,}", *shown))
    header = ("Amount", "Type", "Events with it", "Smallest", "Median", "Largest", "Sum")
    return Section("Amounts", _texts(cleaned, "Amounts"), header if rows else (), tuple(rows))


def _missing(cleaned: CleanLog) -> Section:
    found = cleaned.log.detected
    rows = [(cell["column"], cell["word"], f"{cell['rows']:,}", "missing") for cell in found["missing"]]
    rows += [
        (
            cell["column"],
            cell["example"] + (f" and {cell['different'] - 1:,} others" if cell["different"] > 1 else ""),
            f"{cell['rows']:,}",
            f"not readable: {cell['setting']}",
        )
        for cell in found["unread"]
    ]
    sentences = _texts(cleaned, "Missing and unreadable cells")
    if rows:
        words = "data.missing=unknown,guest adds words; data.missing=!NA keeps NA as a word like any other."
        sentences = (words, *sentences)
    header = ("Column", "Cell", "Rows", "Read as")
    return Section("Missing and unreadable cells", sentences, header if rows else (), tuple(rows))


def _set_aside(cleaned: CleanLog) -> Section:
    rows = []
    for reason, count in cleaned.counts.items():
        examples = cleaned.quarantine.filter(pl.col("reason") == reason).head(_EXAMPLES)
        for number, row in enumerate(examples.to_dicts()):
            cells = row["malformed"] or ", ".join(
                f"{name} {row[name]}"
                for name in ("user", "item", "time", "event_type", "value")
                if row[name] is not None
            )
            first = (reason, f"{count:,}") if not number else ("", "")
            rows.append((*first, f"{row['source_line']:,}", cells, _remedy(cleaned, reason) if not number else ""))
    equal = {"drop": "set aside", "keep": "kept", "count": "counted as the quantity of one event"}
    sentences = [
        f"Rows that are equal in every cell are {equal[cleaned.log.detected['duplicates']]} (data.duplicates)."
    ]
    if cleaned.folded:
        sentences.append(f"{cleaned.folded:,} rows were counted so.")
    sentences += _texts(cleaned, "Rows set aside")
    if not rows:
        sentences.insert(0, "No row was set aside.")
    header = ("Reason", "Rows", "Row", "For example", "What helps")
    return Section("Rows set aside", tuple(sentences), header if rows else (), tuple(rows))


def _users(cleaned: CleanLog) -> Section:
    events = cleaned.events
    counts = events.group_by("user").len()["len"].to_numpy()
    middle, high = np.quantile(counts, (0.5, 0.99))
    sentences = [
        f"A user has {middle:,.0f} events in the middle, {high:,.0f} at the 99th percentile, {counts.max():,} at most.",
        *_texts(cleaned, "Users"),
    ]
    crowd, _ = busiest_users(events)
    if crowd.height:
        sentences.append("Likely no single people:")
    rows = tuple(
        (str(row["user"]), f"{row['events']:,}", f"{row['share']:.1%}", str(row["in_a_minute"] or ""))
        for row in crowd.head(_USERS).iter_rows(named=True)
    )
    return Section("Users", tuple(sentences), ("User", "Events", "Of all", "Most in a minute") if rows else (), rows)


def _items(cleaned: CleanLog) -> Section:
    top = cleaned.events["item"].value_counts(sort=True, name="events").head(5)
    sentences = _texts(cleaned, "Items")
    table = cleaned.log.items
    titles = dict(table.select("item", "title").iter_rows()) if table is not None and "title" in table.columns else {}
    rows = tuple((str(item), str(titles.get(item) or ""), f"{events:,}") for item, events in top.iter_rows())
    return Section("Items", sentences, ("Most frequent", "Title", "Events"), rows)


def _texts(cleaned: CleanLog, section: str) -> tuple[str, ...]:
    """What was noted of a section's topics, as sentences with their settings; warnings stand above all."""
    by_topic = {topic: title for title, topics in _TOPICS.items() for topic in topics}
    return tuple(
        f"{note['topic'].capitalize()}: {note['text']}" + (f" ({note['setting']})." if note["setting"] else ".")
        for note in cleaned.log.detected["notes"]
        if by_topic.get(note["topic"], next(iter(_TOPICS))) == section and not note["warning"]
    )


def _remedy(cleaned: CleanLog, reason: str) -> str:
    example: Any = ""
    if reason == UNKNOWN_TYPE:
        words = (
            cleaned.quarantine.filter(pl.col("reason") == reason)["event_type"]
            .drop_nulls()
            .value_counts(sort=True)["event_type"]
        )
        example = ", ".join(f"{word!r}: TYPE" for word in (words.head(_WORDS).to_list() or [""]))
        if name := next(iter(matching([cleaned.log.detected["columns"].get("event_type", "")], ORDER_STATUS)), ""):
            return f"data.columns.event_type=- data.columns.status={name} if it says what became of an order"
    return REMEDIES.get(reason, "").format(example=example)


def _tied(events: pl.DataFrame) -> float:
    """Share of the events that share their time with another of the same user."""
    moment = [name for name in ("user", "time", "subsecond") if name in events.columns]
    if "time" not in moment:
        return 0.0
    every = events.height // _MANY + 1  # of so many users one, where there are very many events
    events = events.filter(pl.col("user").hash() % every == 0) if every > 1 else events
    sizes = events.lazy().group_by(moment).len().filter(pl.col("len") > 1).select(pl.col("len").sum()).collect()
    return int(sizes.item()) / max(events.height, 1)
