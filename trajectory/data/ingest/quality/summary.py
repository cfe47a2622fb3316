"""What was understood of a log and the rows that were kept and set aside, as a short table."""

from __future__ import annotations

from typing import Any

import polars as pl

from trajectory import hints
from trajectory.data.ingest.findings import lines, quoted
from trajectory.data.ingest.quality.faults import UNKNOWN_TYPE
from trajectory.schema import CleanLog

_SHOWN = 5  # words that are named


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


def _type(row: dict[str, Any]) -> str:
    words = f"; from {quoted_words(row['words'])}" if row["words"] else ""
    return f"{row['rows']:,} rows ({row['roles'] or 'no role'}){words}"


def _reads(types: pl.DataFrame) -> pl.Series:
    """Whether the model reads each type."""
    return types["roles"].str.contains(r"input\b")


def _sales(types: pl.DataFrame) -> str:
    """Said where no type is a sale."""
    if types["roles"].str.contains(r"sale\b").any():
        return ""
    last = [*types["type"], *types.filter(_reads(types))["type"]][-1]
    setting = hints.setting(f"data.event_types.{last}", "input,target,sale")
    return f"none of these types is one; {setting} would make it one, if it is"


def _examples(clean: CleanLog, reason: str) -> str:
    """The words that are no known type of event, most frequent first."""
    if reason != UNKNOWN_TYPE:
        return ""
    words = clean.quarantine.filter(pl.col("reason") == reason)["event_type"]
    words = words.drop_nulls().value_counts(sort=True)["event_type"]
    return f" ({quoted_words(words.to_list()) or 'no word'}; data.event_type_map says what they mean)"


def quoted_words(words: list[str]) -> str:
    """The first words of a log, each not longer than what is shown of a cell."""
    return quoted(words[:_SHOWN]) + (", ..." if len(words) > _SHOWN else "")
