"""Every file that is written appears whole or not at all: under a name of its own first, then in place of the old."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from trajectory.names import runnable

_LOGGER = logging.getLogger(__name__)


@contextlib.contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A path beside `path` to write to, of no other process; when all went well it takes the place of `path`.

    A write that fails, or is interrupted, leaves what was there. Raises OSError, with `path` as its file.
    """
    part = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        yield part
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:  # NumPy's and Polars' own name no file, and Polars' have no number
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error
    except pl.exceptions.PolarsError as error:
        raise OSError(None, str(error), str(path)) from error
    finally:
        part.unlink(missing_ok=True)


def write_text(text: str, path: Path) -> None:
    """Writes UTF-8; bytes of a path's name that are not stay as they are."""
    with atomic_path(path) as part:
        part.write_bytes(text.encode("utf-8", "surrogateescape"))


def write_json(value: Mapping[str, Any], path: Path) -> None:
    """Writes a file of a run's folder."""
    write_text(json.dumps(value, indent=1, default=dict, ensure_ascii=False) + "\n", path)


def write_parquet(table: pl.DataFrame, path: Path) -> None:
    """Writes a table for other programs."""
    with atomic_path(path) as part:
        table.write_parquet(part)


def write_csv(table: pl.DataFrame, path: Path) -> None:
    """Writes a table for spreadsheets, as in `safe_for_sheets`, and says how many cells that changed."""
    safe, cells = safe_for_sheets(table)
    with atomic_path(path) as part:
        safe.write_csv(part)
    if cells:
        _LOGGER.info(f"{path}: {cells:,} cells that a spreadsheet would run as formulas begin with ' here")


def write_arrays(arrays: Mapping[str, np.ndarray], path: Path) -> None:
    """Writes an .npz."""
    with atomic_path(path) as part, part.open("wb") as file:
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]


def safe_for_sheets(table: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """The table with a ' before each text that a spreadsheet would run as a formula, and how many there were."""
    texts = [name for name, kind in table.schema.items() if kind in (pl.String, pl.Categorical, pl.Enum)]
    cells = table.select(pl.col(texts).cast(pl.String))
    runs = cells.select(runnable(pl.col(texts)))
    quoted = (pl.when(runs[name]).then(pl.lit("'") + pl.col(name)).otherwise(name).alias(name) for name in texts)
    return table.with_columns(cells.select(*quoted)), sum(int(column.sum()) for column in runs)
