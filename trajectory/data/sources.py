"""Where a log comes from: a named domain, a file, a folder or a TFDS data set -> tables in the source's own columns."""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from ml_collections import ConfigDict

from trajectory.data import domains, tfds_source
from trajectory.data.csv_file import read_csv
from trajectory.schema import UserError

_LOG_FILES = ("interactions", "transactions")
_ITEM_FILES = ("items", "products")
_SUFFIXES = (".parquet", ".csv", ".csv.gz")
TFDS = "tfds:"


@dataclass(frozen=True)
class Source:
    """A log as it was found. `malformed`: raw text of rows whose cells could not be told apart, null elsewhere."""

    table: pl.DataFrame
    malformed: pl.Series | None
    items: pl.DataFrame | None
    origin: str


def read_source(data: ConfigDict) -> Source:
    """Reads what `data.source` names. UserError if it is not there or damaged, or has no row."""
    name = data.source
    if not name:
        raise UserError('data.source is empty; set it to a domain, the path of a file or folder, or "tfds:<name>"')
    items = None
    if name.startswith(TFDS):
        table, malformed, origin = tfds_source.read_tfds(name.removeprefix(TFDS), data.tfds_dir), None, name
    else:
        path = _path(name)
        if path.is_dir():
            log, item_file = _find(path, _LOG_FILES), _find(path, _ITEM_FILES)
            if log is None:
                raise UserError(_unknown_layout(path))
            items = _read_table(item_file)[0] if item_file else None
            path = log
        table, malformed = _read_table(path)
        origin = str(path)
    if table.is_empty():
        raise UserError(f"{origin} has column names but not one row")
    return Source(table, malformed, items, origin)


def _path(name: str) -> Path:
    if name in domains.known():
        return domains.locate(name)
    path = Path(name).expanduser()
    if path.exists():
        return path
    if len(path.parts) > 1 or path.suffix:
        raise UserError(f"{name} does not exist (looked in {Path.cwd()}); expected a CSV or Parquet file or a folder")
    return domains.locate(name)  # its error names the nearest domains


def _find(folder: Path, stems: tuple[str, ...]) -> Path | None:
    paths = (folder / (stem + suffix) for stem in stems for suffix in _SUFFIXES)
    return next((path for path in paths if path.is_file()), None)


def _unknown_layout(folder: Path) -> str:
    inside = ", ".join(sorted(path.name for path in folder.iterdir())[:10]) or "nothing"
    return (
        f"{folder} is a folder without interactions.parquet or interactions.csv (it holds {inside}); "
        "name the file itself, or rename it"
    )


def _read_table(path: Path) -> tuple[pl.DataFrame, pl.Series | None]:
    """By content, not by name: Parquet, gzipped CSV or CSV."""
    try:
        with path.open("rb") as file:
            magic = file.read(4)
        if not magic:
            raise UserError(f"{path} is empty (0 bytes); expected a CSV or Parquet file")
        if magic == b"PAR1":
            return pl.read_parquet(path), None
        if path.suffix == ".parquet":
            raise UserError(f"{path} is damaged or no Parquet file: it does not begin as one; fetch or write it again")
        if magic[:2] == b"PK":
            raise UserError(f"{path} is an Excel or zip file; save it as CSV (UTF-8) or Parquet")
        return read_csv(_unzip(path) if magic[:2] == b"\x1f\x8b" else path, str(path))
    except (pl.exceptions.PolarsError, OSError) as error:
        # Damage found while reading: the reader's own first line says where.
        reason = str(error).strip().partition("\n")[0]
        raise UserError(f"{path} cannot be read ({reason}); fetch or write it again") from None


def _unzip(path: Path) -> bytes:
    try:
        with gzip.open(path, "rb") as file:
            content = file.read()
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise UserError(f"{path} is cut off or damaged: its gzip data do not end properly; fetch it again") from None
    if not content:
        raise UserError(f"{path} is empty once unzipped; expected a CSV file")
    return content
