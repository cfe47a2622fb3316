"""Second stage: which column of the table means what, by hand, by name, by format or by what it holds."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
from ml_collections import ConfigDict

from trajectory.data.ingest.cells.missing import blank_missing
from trajectory.data.ingest.cells.parsing import labels, mostly_numeric
from trajectory.data.ingest.columns.customers import customers
from trajectory.data.ingest.columns.detect import JOINED, LOG_NAMES, detect, matching_within, pick
from trajectory.data.ingest.columns.line_numbers import without_line_numbers
from trajectory.data.ingest.columns.order_totals import without_totals
from trajectory.data.ingest.columns.paid import what_was_paid
from trajectory.data.ingest.columns.positions import whole_positions
from trajectory.data.ingest.columns.times import find_time
from trajectory.data.ingest.columns.types import better_known, by_words
from trajectory.data.ingest.items.table import by_ids, by_titles
from trajectory.data.ingest.sales.continued_lines import continued_lines
from trajectory.data.ingest.sales.order_status import NAMES as ORDER_STATUS
from trajectory.data.ingest.stages.reading import Reading

_LOOKED_AT = 10_000  # rows
_FEATURES_OF_STEPS = {"event_type", "value", "quantity", "rating", "basket"}


def choose_columns(reading: Reading) -> None:
    """Fills `fields` and `found_by`, says whether the log is `stepwise` and `typed`, and blanks words for missing."""
    table, data, said = reading.table, reading.data, reading.said
    fields = _by_name(table, data) | _of_lines(reading)
    fields = _without_names(table, fields, data)
    reading.stepwise = not fields.keys() & {"item", "behaviour"} and "label" in fields
    if not reading.known_layout:
        fields = customers(table, fields, data, said)
    if reading.stepwise:
        fields = _without_measurements(table, fields, data)
    elif not reading.known_layout and "user" in fields:
        fields = by_ids(table, by_titles(table, fields, said), data.columns.item, said)
        fields = without_line_numbers(table, fields, data.columns.to_dict(), said)
    if not (reading.known_layout or reading.stepwise):
        table = _continued(reading, table, fields)
    reading.statuses = {*matching_within(table.columns, ORDER_STATUS), data.columns.status}
    reading.typed = bool({"event_type", "behaviour", "label", "rating"} & fields.keys() or data.columns.event_type)
    if not reading.known_layout and "event_type" in fields and not data.columns.event_type:
        fields = better_known(table, fields, reading.statuses, data, said)
    if not reading.typed and (name := by_words(table, {*fields.values(), *reading.statuses}, data)):
        fields["event_type"] = name
    if not reading.known_layout:
        decided = {*reading.statuses, *data.features}
        fields = without_totals(table, fields, data.columns.value, decided, said)
        if data.columns.discount == "":
            fields = what_was_paid(table, fields, data.columns.value, decided, said)
    ids = [fields[field] for field in ("user", "item") if field in fields]
    table = blank_missing(table, data.missing, ids, said)
    reading.table, time, how = find_time(table, fields, data.columns.time, data.order, said)
    fields = {field: name for field, name in fields.items() if field != "time"} | ({"time": time} if time else {})
    if not reading.known_layout:
        fields = whole_positions(reading.table, fields, data, said)
    reading.fields, reading.found_by = fields, _found_by(reading, fields, how)


def _continued(reading: Reading, table: pl.DataFrame, fields: dict[str, str]) -> pl.DataFrame:
    """The table in which lines of an order below its first one state the order, too, as does that of the source."""
    source = reading.source
    further = continued_lines(table, fields, (source.malformed, source.files), reading.data, reading.said)
    if further is None:
        return table
    rows, names = further
    of_source = [name for name in names if name in source.table.columns]
    reading.source = replace(source, table=source.table.with_columns(pl.col(of_source).gather(rows)))
    return table.with_columns(pl.col(names).gather(rows))


def _by_name(table: pl.DataFrame, data: ConfigDict) -> dict[str, str]:
    """Field -> column by name or by hand; a time that is asked for in several columns is no column yet.

    A column without a cell stands behind others for the same field, and is no value.
    """
    by_hand, columns = data.columns.to_dict(), table.columns
    if by_hand["time"] not in columns and JOINED in by_hand["time"]:
        by_hand["time"] = ""
    empty = {column.name for column in table if column.null_count() == table.height} - {*by_hand.values()}
    fields = pick(columns, by_hand)
    if empty & {*fields.values()}:
        others = pick([name for name in columns if name not in empty], by_hand)
        fields = others if others.keys() >= fields.keys() - {"value"} else fields
    return fields


def _without_names(table: pl.DataFrame, fields: dict[str, str], data: ConfigDict) -> dict[str, str]:
    """The fields without a label most of whose cells are neither 0 nor 1: the label of a thing is its name."""
    if "label" not in fields or data.columns.label:
        return fields
    cells = labels(table[fields["label"]].head(_LOOKED_AT)).drop_nulls()
    return {name: column for name, column in fields.items() if name != "label" or 2 * (cells < 0).sum() <= len(cells)}


def _of_lines(reading: Reading) -> dict[str, str]:
    """Value and quantity of entries of a list of items: what beside the list states them is of the whole order."""
    of_lines = detect(reading.source.lines, {field: LOG_NAMES[field] for field in ("value", "quantity")})
    return {field: name for field, name in of_lines.items() if not reading.data.columns[field]}


def _without_measurements(table: pl.DataFrame, fields: dict[str, str], data: ConfigDict) -> dict[str, str]:
    """Numbers beside a label are what the rows are about: features, unless asked for as something else."""
    measured = {
        field
        for field in _FEATURES_OF_STEPS & fields.keys()
        if not data.columns[field] and mostly_numeric(table[fields[field]])
    }
    return {field: name for field, name in fields.items() if field not in measured}


def _found_by(reading: Reading, fields: dict[str, str], time: str) -> dict[str, str]:
    """Field -> how its column was found; that of the time is told by `find_time`."""
    found_by = {field: "set by hand" if reading.data.columns[field] else "name" for field in fields} | {"time": time}
    if not reading.typed and "event_type" in fields:
        found_by["event_type"] = "content"
    if reading.source.typed and "event_type" in fields:
        found_by["event_type"] = "names of files"
    return found_by | {field: "format" for field, name in fields.items() if name == reading.source.named.get(field)}
