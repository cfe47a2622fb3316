"""What each step of the insights hands to the report: sentences, tables, pictures, and how far it held."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Self

import polars as pl

HEADS = {  # kind of a statement -> where the page says it, in this order, and how many at most
    "change": ("What changed", 6),
    "do": ("Do now", 7),
    "watch": ("Watch", 6),
    "sure": ("How sure are we", 8),
}


class Statement(str):
    """A sentence of a part, the `kind` (of HEADS) of what it says and the name of the `table` to take for it."""

    kind: str
    table: str

    def __new__(cls, words: str, kind: str, table: str = "") -> Self:
        """Raises KeyError for a kind that is none."""
        if kind not in HEADS:
            raise KeyError(f"{kind!r} is no kind of statement; expected one of {', '.join(HEADS)}")
        made = super().__new__(cls, words)
        made.kind, made.table = kind, table
        return made


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    words: str
    fold: bool = False  # of how things are measured: behind a fold, for analysts


@dataclass(frozen=True)
class Table:
    """Rows that the page shows: numbers by `formats` (column -> such as "{:.1%}"), others as they are."""

    title: str
    rows: pl.DataFrame
    formats: dict[str, str] = field(default_factory=dict)
    by: str = ""  # a column: the reader chooses one of its values, and sees the rows that have it
    note: str = ""  # what a reader must know to read it
    fold: bool = False


@dataclass(frozen=True)
class Picture:
    """A drawing, with what it shows in words for those who cannot see it."""

    title: str
    svg: str
    words: str
    note: str = ""
    fold: bool = False


Block = Text | Table | Picture


def folded(blocks: Iterable[Block]) -> list[Block]:
    """The same behind a fold."""
    return [replace(block, fold=True) for block in blocks]


@dataclass(frozen=True)
class Part:
    """What one step tells.

    `sentences`: what matters, most important first; the page opens with them, by their kinds. `blocks`: what the part's
    place on the page shows, in order. `tables`: name -> table, which become Parquet files and downloads. `measured`:
    numbers and text for insights.json, empty where nothing was held out.
    """

    name: str  # of the step
    title: str
    sentences: tuple[Statement, ...]
    blocks: tuple[Block, ...]
    tables: dict[str, pl.DataFrame]
    measured: dict[str, Any] = field(default_factory=dict)
