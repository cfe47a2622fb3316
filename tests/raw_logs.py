"""Small raw logs, read from text or a table, and what is asked of them in several tests."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
from ml_collections import ConfigDict

from trajectory.data.ingest.log import read_log
from trajectory.data.ingest.quality.cleaning import clean
from trajectory.data.store.arrays import flatten
from trajectory.schema import CleanLog, EventLog, Histories
from trajectory.settings import base

T0 = 1_700_000_000  # 2023-11-14 22:13:20 UTC
MINUTE = T0 - T0 % 60


def settings(source: Path, **changes: Any) -> ConfigDict:
    data = base().data
    data.source = str(source)
    for name, value in changes.items():
        data[name].update(value) if isinstance(value, dict) else data.__setitem__(name, value)
    return data


def from_text(folder: Path, text: str, **changes: Any) -> EventLog:
    (folder / "log.csv").write_text(text, encoding="utf-8")
    return read_log(settings(folder / "log.csv", **changes))


def from_frame(folder: Path, frame: pl.DataFrame, **changes: Any) -> EventLog:
    frame.write_parquet(folder / "log.parquet")
    return read_log(settings(folder / "log.parquet", **changes))


def cleaned(log: EventLog, folder: Path, **changes: Any) -> CleanLog:
    return clean(log, settings(folder / "log.csv", **changes))


def sequences(log: EventLog, folder: Path) -> list[str]:
    """Each user's items in the order of the histories, as one text."""
    data = settings(folder / "log.csv")
    histories: Histories = flatten(clean(log, data), data)
    items = histories.items["item"].to_list()
    bounds = histories.offsets.tolist()
    return ["".join(str(items[i - 1]) for i in histories.item[a:b]) for a, b in pairwise(bounds)]


def notes(log: EventLog, topic: str) -> str:
    return " | ".join(note["text"] for note in log.detected["notes"] if note["topic"] == topic)


def times(log: EventLog) -> list[int | None]:
    return log.events["time"].to_list()


def ring(users: int, cell: str, header: str) -> str:
    """Users who all go A to F, in shuffled rows; `cell` formats the number of the step."""
    rows = [f"u{u},{'ABCDEF'[i]},{cell.format(i=i)}" for i in (3, 0, 5, 1, 4, 2) for u in range(users)]
    return "\n".join([f"user,item,{header}", *rows]) + "\n"
