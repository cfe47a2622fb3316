"""What a page of sales values says first where amounts of several currencies were added up."""

from __future__ import annotations

from ml_collections import ConfigDict

from trajectory.data.ingest.findings import CURRENCIES
from trajectory.data.ingest.source.domains import resolve
from trajectory.data.store.builder import detected
from trajectory.schema import Histories


def mixed_currencies(histories: Histories, data: ConfigDict) -> str:
    """What was said of them when the log was prepared, as a sentence; "" where its amounts are of one currency."""
    notes = detected(histories, resolve(data)).get("notes", [])
    said = [note["text"] for note in notes if note["topic"] == CURRENCIES]
    return " ".join(f"{text[0].upper()}{text[1:]}." for text in said)
