"""Sixth stage: numeric columns that the model reads beside the event."""

from __future__ import annotations

import polars as pl

from trajectory.data.ingest.cells.amounts import amounts
from trajectory.data.ingest.cells.parsing import mostly_numeric
from trajectory.data.ingest.columns.detect import listing
from trajectory.data.ingest.stages.reading import Reading
from trajectory.schema import UserError

# Canonical columns; a feature of the same name is renamed.
_RESERVED = frozenset(
    [
        "source_line",
        "user",
        "item",
        "time",
        "subsecond",
        "position",
        "event_type",
        "value",
        "quantity",
        "rating",
        "basket",
        "label",
        "features",
        "row_hash",
        "meaning",
        "failed",
        "void",
        "back",
        "sold",
        "service",
        "malformed",
        "file",
        "raw_item",
        "raw_time",
    ]
)


def read_features(reading: Reading) -> None:
    """Adds the columns that `data.features` names; of a stepwise log that names none, all numbers."""
    table, wanted = reading.table, list(reading.data.features)
    for name in wanted:
        if name not in table.columns or not mostly_numeric(table[name]):
            there = name in table.columns
            what = "holds no numbers" if there else f"is not in the log, which has {listing(table.columns)}"
            raise UserError(f"data.features names {name!r}, which {what}; name numeric columns of the log")
    if reading.stepwise and not wanted:
        used = reading.fields.values()
        wanted = [column.name for column in table if column.name not in used and mostly_numeric(column)]
    features: dict[str, pl.Series] = {
        f"{name}_feature" if name in _RESERVED else name: amounts(table[name], reading.data.decimal, reading.said).cast(
            pl.Float32
        )
        for name in wanted
    }
    reading.columns |= features
    reading.features = tuple(features)
