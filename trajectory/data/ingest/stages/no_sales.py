"""Fifth stage: which sales were none, by the status of their order or columns of their own; which rows come again."""

from __future__ import annotations

from trajectory.data.ingest.quality.duplicates import sent_again
from trajectory.data.ingest.sales.no_sale_flags import no_sales
from trajectory.data.ingest.sales.order_status import failed_orders
from trajectory.data.ingest.stages.reading import Reading


def find_no_sales(reading: Reading) -> None:
    """Adds `failed`, `void` and `back`, and takes off quantity and value what was taken back."""
    table, columns, data, said = reading.table, reading.columns, reading.data, reading.said
    if failed := failed_orders(table, columns, reading.used, data, said):
        reading.fields["status"], columns["failed"] = failed
        reading.found_by.setdefault("status", "name")
    if not reading.known_layout or data.no_sale_flags:
        changed, reading.flags = no_sales(table, columns, reading.used, data, said)
        columns |= changed


def find_sent_again(reading: Reading) -> None:
    """Makes `row_hash` equal for rows of one event that say the same, where events have ids of their own."""
    if reading.known_layout:
        return
    reading.event_id, reading.columns["row_hash"] = sent_again(reading.table, reading.columns, reading.used)
    if reading.event_id:
        text = (
            f"rows of one {reading.event_id} that say the same are one event, sent again: the later ones are set aside"
        )
        reading.said.note("events", text, "data.duplicates=keep", warning=True)
