"""Counts what a raw file holds, with Python's own csv, json and ast: nothing of the package."""

from __future__ import annotations

import csv
import gzip
import json
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple


class Row(NamedTuple):
    """One row that is read."""

    user: Any
    item: Any
    type: str
    at: int | None = None  # unix seconds
    interest: Any = None
    quantity: float | None = None
    value: float | None = None
    aside: str = ""  # the reason for which it is set aside
    same: Any = None  # equal for rows that are equal in the file; None = not looked at


class Counts(NamedTuple):
    """What is compared with the program."""

    read: int
    folded: int
    aside: dict[str, int]
    users: int
    items: int
    types: dict[str, int]
    interests: int
    pieces: float  # sum of the quantities of what is kept, 1 where none is stated
    value: float  # sum of the values of what is kept
    span: tuple[int, int] | None  # first and last time of what is kept, unix seconds

    @property
    def kept(self) -> int:
        return sum(self.types.values())


def count(rows: Iterable[Row], duplicates: str) -> Counts:
    """What is to come of rows, of which equal ones are dropped, or else counted as one of that quantity."""
    rows = list(rows)
    aside: Counter[str] = Counter()
    kept: list[Row] = []
    seen: dict[Any, int] = {}
    folded = 0
    for row in rows:
        if row.aside or row.user in (None, "") or row.item in (None, ""):
            aside[row.aside or ("missing user" if row.user in (None, "") else "missing item")] += 1
        elif row.same is not None and row.same in seen:
            first = kept[seen[row.same]]
            if duplicates == "drop":
                aside["duplicate"] += 1
            else:
                folded += 1
                kept[seen[row.same]] = first._replace(
                    quantity=(first.quantity or 1) + (row.quantity or 1), value=(first.value or 0) + (row.value or 0)
                )
        else:
            seen[row.same] = len(kept)
            kept.append(row)
    return Counts(
        read=len(rows),
        folded=folded,
        aside=dict(aside),
        users=len({row.user for row in kept}),
        items=len({row.item for row in kept}),
        types=dict(Counter(row.type for row in kept)),
        interests=len({row.interest for row in kept if row.interest not in (None, "")}),
        pieces=sum(1 if row.quantity is None else abs(row.quantity) for row in kept),
        value=sum(abs(row.value) for row in kept if row.value is not None),
        span=(min(times), max(times)) if (times := [row.at for row in kept if row.at is not None]) else None,
    )


def moment(text: str, form: str = "%Y-%m-%d %H:%M:%S") -> int:
    return int(datetime.strptime(text, form).replace(tzinfo=UTC).timestamp())


def split(path: Path, separator: str, encoding: str = "utf-8") -> list[list[str]]:
    return [line.split(separator) for line in path.read_text(encoding).split("\n") if line]


def dicts(path: Path, separator: str = ",", encoding: str = "utf-8") -> list[dict[str, str]]:
    with path.open(newline="", encoding=encoding) as file:
        return list(csv.DictReader(file, delimiter=separator))


def json_lines(path: Path, parse: Callable[[str], Any] = json.loads) -> list[Any]:
    data = path.read_bytes()
    data = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    return [parse(line) for line in data.decode().splitlines()]
