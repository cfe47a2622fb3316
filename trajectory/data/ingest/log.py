"""A behaviour log, from whatever source and in whatever columns, as an `EventLog`: nothing dropped, nothing judged."""

from __future__ import annotations

from typing import Any

import polars as pl
from ml_collections import ConfigDict

from trajectory.data.ingest.columns.overview import examples, unused
from trajectory.data.ingest.columns.positions import without_untrusted_positions
from trajectory.data.ingest.source.domains import resolve
from trajectory.data.ingest.stages.amounts import read_amounts
from trajectory.data.ingest.stages.choice import choose_columns
from trajectory.data.ingest.stages.doubts import doubt_log
from trajectory.data.ingest.stages.events import read_events
from trajectory.data.ingest.stages.features import read_features
from trajectory.data.ingest.stages.item_table import read_item_table
from trajectory.data.ingest.stages.no_sales import find_no_sales, find_sent_again
from trajectory.data.ingest.stages.order import order_of
from trajectory.data.ingest.stages.reading import Reading
from trajectory.data.ingest.stages.tables import read_tables
from trajectory.schema import EventLog


def read_log(data: ConfigDict) -> EventLog:
    """Reads the log that `config.data` describes, after `domains.resolve`. UserError if it cannot be read.

    `events` holds beside the columns that `EventLog` names, each only where it is needed: `malformed` (the text of a
    row with too many or too few fields), `file` (which of several files the row is from), and `raw_item`, `raw_time`
    (the source's text where item or time could not be made of it). `label` is -1 where the source has neither 0 nor 1.
    `detected` holds `source`, `rows`, `columns` (field -> column), `found_by` (field -> how), `examples` (field ->
    cells), `unused` (columns that are not read), `time` (unit), `zone`, `span`, `order`, and what `Findings.as_dict`
    gives.
    """
    reading = read_tables(resolve(data))
    choose_columns(reading)
    read_events(reading)
    read_amounts(reading)
    find_no_sales(reading)
    find_sent_again(reading)
    read_features(reading)
    read_item_table(reading)
    doubt_log(reading)
    events = _events(reading)
    return EventLog(events, reading.items, reading.features, _detected(reading, events))


def _events(reading: Reading) -> pl.DataFrame:
    """The canonical columns as one table, without positions that order nothing."""
    columns, source, fields = reading.columns, reading.source, reading.fields
    beside = {
        name: column for name, column in (("malformed", source.malformed), ("file", source.files)) if column is not None
    }
    events = pl.DataFrame([column.alias(name) for name, column in (columns | beside).items()])
    by_name = "" if reading.known_layout else fields.get("position", "")
    events = without_untrusted_positions(events, by_name, reading.data, reading.said)
    if "position" not in events.columns:
        fields.pop("position", None)
    return events


def _detected(reading: Reading, events: pl.DataFrame) -> dict[str, Any]:
    """What was understood, for people and for later steps, as plain values."""
    table, source, fields = reading.table, reading.source, reading.fields
    return {
        "source": source.origin,
        "rows": table.height,
        "columns": fields,
        "found_by": reading.found_by,
        **reading.told,
        "examples": examples(table, fields),
        "unused": unused(source.table.columns, fields, reading.data, (*reading.features, *reading.flags, source.place)),
        "order": order_of(events, reading.data),
        "event_id": reading.event_id,
        "features": reading.features,
        "items": reading.items.height if reading.items is not None else 0,
        **reading.said.as_dict(),
    }
