"""Parquet and Arrow files -> blocks of a table in the types that the file states."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from typing import Any

import polars as pl
import pyarrow.parquet as pq
from tqdm.auto import tqdm

from trajectory.data.files.files import MIB, Part, free_memory, opened, reading
from trajectory.data.files.stack import Keep
from trajectory.progress import bars_hidden
from trajectory.schema import UserError

_SHARE = 0.7  # of the free memory that a group of rows may take
_ROWS = 4_000_000  # read at once
_LARGEST = 1024 * MIB  # of a packed file, which must be unpacked as a whole


def blocks(part: Part, arrow: bool, keep: Keep | None = None) -> Iterator[pl.DataFrame]:
    """Tables of the wanted columns, some millions of rows each, cut where the file's own row groups end."""
    source: Any = part.path
    if part.packed:
        with opened(part) as (stream, _):
            data = stream.read(_LARGEST + 1)
        if len(data) > _LARGEST:
            raise UserError(f"{part.name} is a packed table of more than 1 GiB; unpack it first")
        source = io.BytesIO(data)
    with _reading(part.name):
        yield from _arrow(source, keep) if arrow else _parquet(source, part.file, keep)


def names(part: Part, arrow: bool) -> list[str]:
    """The names of the file's columns."""
    if part.packed:
        return next(blocks(part, arrow)).columns
    with _reading(part.name):
        return list(pl.read_ipc_schema(part.path)) if arrow else list(pl.read_parquet_schema(part.path))


@contextlib.contextmanager
def _reading(name: str) -> Iterator[None]:
    try:
        with reading(name):
            yield
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        reason = str(error).strip().partition("\n")[0][:200]
        raise UserError(f"{name} cannot be read ({reason}); fetch or write it again") from None


def _arrow(source: Any, keep: Keep | None) -> Iterator[pl.DataFrame]:
    table = pl.read_ipc(source)
    yield table.select(wanted(table.columns, keep))


def _parquet(source: Any, name: str, keep: Keep | None) -> Iterator[pl.DataFrame]:
    meta = pq.read_metadata(source)
    sizes = [meta.row_group(i).num_rows for i in range(meta.num_row_groups)]
    if hasattr(source, "seek"):
        source.seek(0)
    lazy = pl.scan_parquet(source)
    columns = wanted(lazy.collect_schema().names(), keep)
    lazy = lazy.select(columns)
    start = 0
    with tqdm(
        total=sum(sizes), desc=f"reading {name}", unit=" rows", unit_scale=True, delay=2, disable=bars_hidden()
    ) as progress:
        for stop in _stops(sizes):
            if (stop - start) * 8 * len(columns) > _SHARE * free_memory():
                raise UserError(
                    f"{name} does not fit into memory: {stop - start:,} rows of {len(columns)} columns at once"
                )
            yield lazy.slice(start, stop - start).collect()
            progress.update(stop - start)
            start = stop


def _stops(sizes: list[int]) -> list[int]:
    """Rows after which a block ends: where a row group does, once there are enough."""
    stops, start, total = [], 0, 0
    for size in sizes:
        total += size
        if total - start >= _ROWS:
            stops.append(total)
            start = total
    return stops if stops and stops[-1] == total else [*stops, total]


def wanted(columns: list[str], keep: Keep | None) -> list[str]:
    """The columns to keep, in the file's order; the first where none is wanted, so that rows can be counted."""
    chosen = set(keep(columns)) if keep else set(columns)
    return [name for name in columns if name in chosen] or columns[:1]
