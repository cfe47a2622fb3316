"""What a page of sales values says of their currency, or of several that were added up."""

from __future__ import annotations

from ml_collections import ConfigDict

from trajectory.data.ingest.findings import CURRENCIES, CURRENCY
from trajectory.data.ingest.source.domains import resolve
from trajectory.data.store.builder import detected
from trajectory.data.store.sales import has_values
from trajectory.schema import Histories


def mixed_currencies(histories: Histories, data: ConfigDict) -> str:
    """What was said of them when the log was prepared, as a sentence; "" where its amounts are of one currency."""
    return _said(histories, data, CURRENCIES)


def currency(histories: Histories, data: ConfigDict) -> str:
    """Which one amounts are in, as a sentence; "" for a log without sales values."""
    if not has_values(histories) or mixed_currencies(histories, data):
        return ""
    return _said(histories, data, CURRENCY) or "The log does not say which currency its amounts are in."


def _said(histories: Histories, data: ConfigDict, topic: str) -> str:
    notes = detected(histories, resolve(data)).get("notes", [])
    said = [note["text"] for note in notes if note["topic"] == topic]
    return " ".join(f"{text[0].upper()}{text[1:]}." for text in said)
