"""Tables read block by block -> one table, each block narrowed as it comes: whole numbers, repeated texts once."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import polars as pl

from trajectory.data.ingest.files import MIB, free_memory
from trajectory.data.values import texts, whole_numbers
from trajectory.schema import UserError

LARGE = 512 * MIB  # of a table
_SHARE = 0.7  # of the memory that was free when reading began
_REPEATED = 0.5  # distinct texts to rows: below, a text is kept once and rows hold its number

Keep = Callable[[list[str]], list[str]]  # names of columns -> those to keep


class Stack:
    """Collects blocks. Texts are String; once a table is large, those that repeat are Categorical."""

    def __init__(self, name: str, parse_numbers: bool) -> None:
        self._name, self._numbers = name, parse_numbers  # whether digits are to become numbers, as in CSV
        self._frames: list[pl.DataFrame] = []
        self._categories: dict[str, pl.Categories | None] = {}
        self._free, self._bytes, self._large = free_memory(), 0, False

    def add(self, frame: pl.DataFrame) -> None:
        """Adds the next block's rows. UserError if the rows read take most of the memory that was free."""
        if self._numbers:
            frame = frame.with_columns(whole_numbers(column) for column in frame if column.dtype == pl.String)
        if self._large:
            frame = self._shortened(frame)
        self._frames.append(frame)
        self._bytes += int(frame.estimated_size())
        if not self._large and self._bytes > LARGE:
            self._large = True
            self._frames = [self._shortened(frame) for frame in self._frames]
            self._bytes = sum(int(frame.estimated_size()) for frame in self._frames)
        if self._bytes > _SHARE * self._free:
            rows = sum(frame.height for frame in self._frames)
            raise UserError(
                f"{self._name} does not fit into memory: {rows:,} rows take {self._bytes // MIB:,} MiB of "
                f"{self._free // MIB:,} MiB that were free; give only the columns that are needed, as Parquet"
            )

    def table(self) -> pl.DataFrame:
        """All rows; a column that is not of one type throughout becomes text, one that a block lacks is null there."""
        frames = self._frames
        if len(frames) == 1:
            return frames[0]
        for name in dict.fromkeys(name for frame in frames for name in frame.columns):
            if len({frame.schema[name] for frame in frames if name in frame.columns}) > 1:
                frames = self._of_one_type(frames, name)
        return pl.concat(frames, how="diagonal_relaxed", rechunk=False)

    def _shortened(self, frame: pl.DataFrame) -> pl.DataFrame:
        columns = []
        for column in frame:
            if column.dtype == pl.String:
                if column.name not in self._categories:
                    repeats = column.n_unique() <= _REPEATED * len(column)
                    self._categories[column.name] = pl.Categories.random() if repeats else None
                if (categories := self._categories[column.name]) is not None:
                    column = column.cast(pl.Categorical(categories))
            columns.append(column)
        return pl.DataFrame(columns)

    def _of_one_type(self, frames: list[pl.DataFrame], name: str) -> list[pl.DataFrame]:
        """Blank columns take the type of the others; a mixture with texts becomes text. The rest is left to polars."""
        blank = [name in frame.columns and _blank(frame[name]) for frame in frames]
        types = {
            frame.schema[name] for frame, no in zip(frames, blank, strict=True) if name in frame.columns and not no
        }
        if len(types) > 1 and not any(kind == pl.String or isinstance(kind, pl.Categorical) for kind in types):
            return frames
        categories = self._categories.get(name)
        text = pl.String() if categories is None else pl.Categorical(categories)
        target = types.pop() if len(types) == 1 else text
        nothing = pl.lit(None, target).alias(name)
        return [
            frame.with_columns(nothing if no else _to(frame[name], target)) if name in frame.columns else frame
            for frame, no in zip(frames, blank, strict=True)
        ]


def _to(column: pl.Series, target: pl.DataType) -> pl.Series:
    if column.dtype == target:
        return column
    if column.dtype.is_nested():
        column = column.map_elements(lambda cell: json.dumps(_plain(cell), default=str), return_dtype=pl.String)
    return column.cast(pl.String).cast(target)


def _plain(cell: Any) -> Any:
    return cell.to_list() if isinstance(cell, pl.Series) else cell


def _blank(column: pl.Series) -> bool:
    return column.null_count() == len(column) or (
        column.dtype == pl.String and texts(column).null_count() == len(column)
    )
