"""A data frame as a log: written as Parquet, named by its content, and then read as any file is."""

from __future__ import annotations

import contextlib
import hashlib
import io
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import polars as pl
import pyarrow as pa

from trajectory.schema import UserError
from trajectory.writing import atomic_path


class Arrow(Protocol):
    """Whatever speaks Arrow's PyCapsule interface: polars and pandas data frames, PyArrow tables."""

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        """Its rows."""


Frame: TypeAlias = pl.LazyFrame | Arrow
Log: TypeAlias = str | Path | Frame

LOG = "log.parquet"  # beside items.parquet
_ORIGIN = "interest_trajectory.origin"  # key of a Parquet file's metadata: what the file was written from


def as_table(frame: Any) -> pl.DataFrame:
    """A polars or pandas data frame, a PyArrow table, or whatever else speaks Arrow's PyCapsule interface, as a table.

    A named pandas index is a column; an unnamed one only numbers rows and is left out. UserError for another object.
    """
    if isinstance(frame, pl.LazyFrame):
        frame = frame.collect()
    if any(getattr(getattr(frame, "index", None), "names", ())):
        frame = frame.reset_index()
    if not isinstance(frame, pl.DataFrame) and not hasattr(frame, "__arrow_c_stream__"):
        raise UserError(
            f"expected a polars or pandas data frame, a PyArrow table or a path, got {type(frame).__name__}; "
            "build a data frame of one row for each event"
        )
    try:
        table = frame if isinstance(frame, pl.DataFrame) else pl.DataFrame(frame)
    except (pa.ArrowException, pl.exceptions.PolarsError, TypeError, ValueError) as error:
        raise UserError(
            f"the data frame cannot be read ({' '.join(map(str, error.args))[:200]}); give each column a name of its "
            "own and values of one type, such as texts"
        ) from None
    if not table.width:
        raise UserError("the data frame is empty: it has neither columns nor rows")
    if objects := [name for name, kind in table.schema.items() if kind == pl.Object]:
        raise UserError(f"column {', '.join(objects)} of the data frame holds Python objects; make them texts")
    return table


def write_frame(frame: Any, folder: Path, items: Any = None) -> Path:
    """Writes a data frame below `folder` under a name made from its content, and returns what `data.source` may name.

    `items`: a data frame of items (item, title, category ...), which then lies beside the log. The same frames give the
    same path. The file remembers that it was written from a data frame (see `source_name`).
    """
    log = _parquet(as_table(frame), "a data frame")
    if isinstance(items, str | Path):
        raise UserError(f"items={str(items)!r}: expected a data frame of items, as of events; read the file first")
    table = None if items is None else _parquet(as_table(items), "a data frame of items")
    name = "frame_" + "_".join(hashlib.sha256(data).hexdigest()[:12] for data in (log, table) if data is not None)
    path = folder / (name if table is not None else f"{name}.parquet")
    try:
        (folder if table is None else path).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{folder} cannot be written ({error.strerror}); set data.prepared_dir to another") from None
    if table is None:
        _keep(log, path)
    else:
        _keep(log, path / LOG)
        _keep(table, path / "items.parquet")
    return path


@contextlib.contextmanager
def as_path(log: Any) -> Iterator[Path]:
    """The path of a log while entered: of a data frame that of a file which then goes, any other as it is."""
    if isinstance(log, str | Path):
        if not str(log).strip():
            raise UserError("expected the path of a log, got an empty text")
        yield Path(log)
        return
    with tempfile.TemporaryDirectory(prefix="trajectory_") as folder:
        yield write_frame(log, Path(folder))


def source_name(path: Path | str) -> str:
    """What a log is called in sentences: "a data frame of 3,000 rows" if one was written there, else the path."""
    path = Path(path)
    log = path / LOG if path.is_dir() else path
    if log.suffix == ".parquet" and log.is_file():
        with contextlib.suppress(pl.exceptions.PolarsError, OSError):  # reading it says what is wrong
            return pl.read_parquet_metadata(log).get(_ORIGIN, str(path))
    return str(path)


def _parquet(table: pl.DataFrame, what: str) -> bytes:
    """The table as a Parquet file that remembers what it was written from."""
    buffer = io.BytesIO()
    table.write_parquet(buffer, metadata={_ORIGIN: f"{what} of {table.height:,} row{'s' * (table.height != 1)}"})
    return buffer.getvalue()


def _keep(data: bytes, path: Path) -> None:
    """Writes a file whose name tells its content, unless it is there."""
    if not path.exists():
        with atomic_path(path) as part:
            part.write_bytes(data)
