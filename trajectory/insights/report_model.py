"""What each step of the insights hands to the report: sentences, tables, pictures, and how far it held."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import polars as pl


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    words: str


@dataclass(frozen=True)
class Table:
    """Rows that the page shows: numbers by `formats` (column -> such as "{:.1%}"), others as they are."""

    title: str
    rows: pl.DataFrame
    formats: dict[str, str] = field(default_factory=dict)
    by: str = ""  # a column: the reader chooses one of its values, and sees the rows that have it
    note: str = ""  # what a reader must know to read it


@dataclass(frozen=True)
class Picture:
    """A drawing, with what it shows in words for those who cannot see it."""

    title: str
    svg: str
    words: str
    note: str = ""


@dataclass(frozen=True)
class Part:
    """What one step tells.

    `sentences`: what matters, most important first; the page opens with some of each part's. `blocks`: what the part's
    place on the page shows, in order. `tables`: name -> table, which become Parquet files and downloads. `measured`:
    numbers and text for insights.json, empty where nothing was held out.
    """

    name: str  # of the step
    title: str
    sentences: tuple[str, ...]
    blocks: tuple[Text | Table | Picture, ...]
    tables: dict[str, pl.DataFrame]
    measured: dict[str, Any] = field(default_factory=dict)
