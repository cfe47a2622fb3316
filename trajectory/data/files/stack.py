"""Tables read block by block -> one table, each block narrowed as it comes: numbers, times, repeated texts once."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from trajectory.data.files.files import MIB, free_memory
from trajectory.data.ingest.cells.parsing import texts, whole_numbers
from trajectory.schema import UserError

LARGE = 512 * MIB  # of a table
_SHARE = 0.7  # of the memory that was free when reading began
_REPEATED = 0.5  # distinct texts to rows: below, a text is kept once and rows hold its number

# Texts of times that say the same as numbers do, to the letter.
_TIMES = {
    r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$": "%Y-%m-%d %H:%M:%S",
    r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$": "%Y-%m-%dT%H:%M:%S",
    r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$": "%Y-%m-%d %H:%M:%S UTC",
    r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$": "%Y-%m-%dT%H:%M:%SZ",
}

Keep = Callable[[list[str]], list[str]]  # names of columns -> those to keep


class Stack:
    """Collects blocks. Texts are String; once a table is large, those that repeat are Categorical, times Datetime."""

    def __init__(self, name: str, parse_numbers: bool) -> None:
        self._name, self._numbers = name, parse_numbers  # whether digits are to become numbers, as in CSV
        self._frames: list[pl.DataFrame] = []
        self._repeated: dict[str, bool] = {}  # columns of texts -> whether they are Categorical
        self._times: dict[str, str] = {}  # columns of times -> the pattern of their texts
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
        if all(frame.schema == frames[0].schema for frame in frames):
            return pl.concat(frames, rechunk=False)  # which copies nothing
        return pl.concat(frames, how="diagonal_relaxed", rechunk=False)

    def _shortened(self, frame: pl.DataFrame) -> pl.DataFrame:
        columns = []
        for column in frame:
            if column.dtype == pl.String:
                if column.name not in self._repeated:
                    self._repeated[column.name] = column.n_unique() <= _REPEATED * len(column)
                    sample = column.drop_nulls().head(100)
                    pattern = next(
                        (pattern for pattern in _TIMES if len(sample) and sample.str.contains(pattern).all()), ""
                    )
                    self._times[column.name] = pattern
                moment = _moments(column, self._times[column.name])
                if moment is not None:
                    column = moment
                elif self._repeated[column.name]:
                    column = column.cast(pl.Categorical)
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
        text = pl.Categorical() if self._repeated.get(name) else pl.String()
        target = types.pop() if len(types) == 1 else text
        nothing = pl.lit(None, target).alias(name)
        return [
            frame.with_columns(nothing if no else self._to(frame[name], target)) if name in frame.columns else frame
            for frame, no in zip(frames, blank, strict=True)
        ]

    def _to(self, column: pl.Series, target: pl.DataType) -> pl.Series:
        if column.dtype == target:
            return column
        if pattern := column.dtype == pl.Datetime and self._times.get(column.name):
            column = column.dt.strftime(_TIMES[pattern])
        return texts(column).cast(target)


def _moments(column: pl.Series, pattern: str) -> pl.Series | None:
    """Texts of times as times; None if they are not all of this pattern."""
    if not pattern or not column.drop_nulls().str.contains(pattern).all():
        return None
    form = _TIMES[pattern]
    moment = column.str.to_datetime(form, time_unit="us", strict=False)
    if moment.null_count() > column.null_count():
        return None
    return moment.dt.replace_time_zone("UTC") if form.endswith(("UTC", "Z")) else moment


def _blank(column: pl.Series) -> bool:
    return column.null_count() == len(column) or (
        column.dtype == pl.String and texts(column).null_count() == len(column)
    )
