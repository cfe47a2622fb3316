"""Eighth stage: what looks wrong in the whole log, said with the setting that changes it."""

from __future__ import annotations

from trajectory.data.ingest.cells.parsing import texts
from trajectory.data.ingest.columns.paid import doubt_taxes
from trajectory.data.ingest.columns.types import doubt_maps, doubt_unknown, doubt_unread
from trajectory.data.ingest.quality.doubts import doubt_labels, doubt_other_amounts, doubt_ratings, doubt_values
from trajectory.data.ingest.sales.event_types import of_sales
from trajectory.data.ingest.sales.stated_twice import doubt_stated_twice
from trajectory.data.ingest.sales.unread_returns import doubt_unread_returns
from trajectory.data.ingest.source.domains import DOMAINS
from trajectory.data.ingest.stages.reading import Reading


def doubt_log(reading: Reading) -> None:
    """Warns of labels, values, ratings and columns that may be read wrongly; of a named domain nothing is doubted."""
    table, columns, fields = reading.table, reading.columns, reading.fields
    data, said = reading.data, reading.said
    if data.source in DOMAINS:
        return
    if "label" in fields and "event_type" not in fields and not reading.stepwise:
        doubt_labels(columns["label"], fields["label"], said)
    if "value" in columns:
        doubt_values(columns, of_sales(columns, data, back=False), said)
    if reading.known_layout:
        return
    doubt_stated_twice(columns, data, said)
    decided = {*reading.used, *reading.statuses, *reading.flags}
    doubt_unread(table, decided, not reading.typed, data, said)
    if "event_type" not in columns:
        doubt_unread_returns(table, columns, decided, data, said)
        doubt_unknown(table, columns, decided, data, said)
    if "rating" in columns:
        doubt_ratings(columns["rating"], fields["rating"], data, said)
    if "value" in columns:
        doubt_taxes(table, fields, data.columns.value, decided, said)
    doubt_other_amounts(table, columns, fields, decided, said)
    doubt_maps(columns, texts(table[fields["status"]]) if "status" in fields else None, fields, data, said)
