"""A result: a table of documented columns, further tables, what must be said, a chart."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import polars as pl

from trajectory import faults
from trajectory.schema import UserError
from trajectory.writing import write_csv, write_parquet, write_text

if TYPE_CHECKING:
    import altair as alt
    import pandas as pd

_NULLABLE: dict[object, str] = {  # pandas' types of columns with nulls
    **{kind: kind.__name__ for kind in (pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32)},
    pl.UInt64: "UInt64",
    pl.Boolean: "boolean",
}
WRITERS = (".parquet", ".csv", ".json")


@dataclass(frozen=True, repr=False, eq=False)
class Result:
    """A table and what belongs to it.

    `frame`: the rows, in the columns that `COLUMNS` explains. `tables`: further tables by name. `notes`: sentences
    that a reader of the rows must know. `markdown`: the same for readers, as commands print it, where there is such a
    text.
    """

    COLUMNS: ClassVar[dict[str, str]] = {}
    TABLES: ClassVar[dict[str, str]] = {}  # what each of `tables` is, with its columns

    frame: pl.DataFrame
    tables: dict[str, pl.DataFrame] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    markdown: str = ""

    def to_pandas(self) -> pd.DataFrame:
        """The rows as a pandas data frame; numbers and truths that may be null are Int64 and boolean.

        Raises UserError without pandas.

        Example:
          >>> result.to_pandas().columns[0]
          'user'
        """
        try:
            frame = self.frame.to_pandas()
            return frame.astype({name: _NULLABLE[kind] for name, kind in self._null_types().items()})
        except ImportError:
            raise UserError(
                "to_pandas needs the package pandas, which is not installed; `pip install pandas`"
            ) from None

    def write(self, path: Path | str) -> Path:
        """Writes the rows, whole or not at all.

        Args:
          path: ends in .parquet, .csv (where lists are text, words with ; between and numbers in brackets, and nothing
            starts a formula) or .json (a list of rows).

        Returns the path.

        Raises UserError for another ending, or where the file cannot be written.

        Example:
          >>> result.write("result.parquet").name
          'result.parquet'
        """
        path = Path(path)
        if not path.parent.is_dir():
            raise UserError(f"{path}: the folder {path.parent} does not exist; make it first")
        try:
            self._write(path)
        except OSError as error:
            raise UserError(faults.sentence(error)) from None
        return path

    def _write(self, path: Path) -> None:
        if path.suffix == ".parquet":
            write_parquet(self.frame, path)
        elif path.suffix == ".csv":
            write_csv(self.frame.with_columns(_flat(self.frame)), path)
        elif path.suffix == ".json":
            write_text(self.frame.write_json() + "\n", path)
        else:
            raise UserError(f"{path}: expected a name ending in {', '.join(WRITERS)}")

    def _null_types(self) -> dict[str, pl.DataType]:
        """The types of columns that have nulls where pandas' usual types have none."""
        return {c.name: c.dtype for c in self.frame if c.null_count() and c.dtype in _NULLABLE}

    def plot(self) -> alt.Chart | alt.LayerChart:
        """A chart that a notebook shows."""
        raise NotImplementedError

    def __repr__(self) -> str:
        said = "".join(f"\n{note}" for note in self.notes)
        return f"{type(self).__name__}: {self.frame.height:,} rows{said}\n{self.frame}"

    def _repr_html_(self) -> str:
        return self.frame._repr_html_()

    def _of_user(self, user: str | None) -> tuple[str, pl.DataFrame]:
        """A user's rows; of the first one if none is named. UserError for one who has none."""
        ids = self.frame["user"].cast(pl.String)
        if not len(ids):
            raise UserError("there is nothing to draw: the table has no rows")
        name = str(ids[0]) if user is None else str(user)
        rows = self.frame.filter(ids == name)
        if rows.is_empty():
            raise UserError(f"user {name} has no rows here; there are such as {', '.join(ids.unique().head(3))}")
        return name, rows


def _flat(frame: pl.DataFrame) -> list[pl.Expr]:
    """Lists as text, for files that have none: words with ; between, numbers as JSON, "[1.5, -2.0]"."""
    flat = []
    for name, kind in frame.schema.items():
        if kind.is_nested():
            column = pl.col(name).arr.to_list() if isinstance(kind, pl.Array) else pl.col(name)
            numbers = kind.inner.is_numeric()  # type: ignore[attr-defined]
            text = column.list.eval(pl.element().cast(pl.String)).list.join(", " if numbers else "; ")
            flat.append(pl.format("[{}]", text).alias(name) if numbers else text)
    return flat


def label(title: str, otherwise: str) -> pl.Expr:
    """A column `name`: the title, or the other column where there is none."""
    return pl.coalesce(pl.col(title), pl.col(otherwise).cast(pl.String)).alias("name")
