"""The quarantine: each row that was set aside, with its reason and the source's text."""

from __future__ import annotations

import numpy as np
import polars as pl

from trajectory.data.ingest.quality.faults import FOLDED, REASONS

_RAW = ("user", "item", "time", "event_type", "value", "malformed")
_AT_ONCE = 1 << 20  # rows
_CALENDAR = 2**37  # seconds, some four thousand years: beyond it a time is shown as the number it is


def quarantine_of(events: pl.DataFrame, codes: np.ndarray) -> pl.DataFrame:
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
    aside = (codes != 0) & (codes != FOLDED)
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
