"""Writes raw files as exports have them: plain, quoted, or a record a line."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROWS = 300


def write(path: Path, rows: Iterable[Iterable[Any]], separator: str = ",", header: str = "", encoding: str = "utf-8"):
    """Plain text, no quotes."""
    lines = [header] if header else []
    lines += [separator.join("" if cell is None else str(cell) for cell in row) for row in rows]
    path.write_bytes(("\n".join(lines) + "\n").encode(encoding))


def write_csv(path: Path, header: list[str], rows: Iterable[Iterable[Any]], separator: str = ",", encoding="utf-8"):
    """Quoted where needed, Windows line ends, as spreadsheets and most exports have it."""
    with path.open("w", newline="", encoding=encoding) as file:
        csv.writer(file, delimiter=separator).writerows([header, *rows])


def write_lines(path: Path, records: Iterable[Any], dump: Callable[[Any], str] = json.dumps) -> None:
    """One record a line."""
    text = "".join(dump(record) + "\n" for record in records)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())


def clock(seconds: int, form: str = "%Y-%m-%d %H:%M:%S") -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime(form)
