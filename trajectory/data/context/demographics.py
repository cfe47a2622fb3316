"""What a log's folder says of its users' households, if anything: age, income and the like, each a word."""

from __future__ import annotations

import logging

import polars as pl
from ml_collections import ConfigDict

from trajectory.data.ingest.cells.parsing import texts
from trajectory.data.ingest.source.side_files import USER, first_side_file, folder_of, read_side

_LOGGER = logging.getLogger(__name__)

FILES = ("demographics", "users")
MOST = 20  # values of a column: more are a measure or a name, not a group


def read_demographics(data: ConfigDict) -> pl.DataFrame | None:
    """Columns user (the source's id) and each column of at most MOST different words; None where the log has none."""
    folder = folder_of(data.source)
    path = first_side_file(folder, *FILES) if folder else None
    if path is None:
        return None
    table = read_side(path, path.stem, USER, others=True)
    if table["user"].is_duplicated().any():
        _LOGGER.warning(
            f"{path} names {table.height - table['user'].n_unique():,} users again; their first rows are read"
        )
        table = table.unique("user", keep="first", maintain_order=True)
    scalar = [column.name for column in table if column.name != "user" and not column.dtype.is_nested()]
    words = [name for name in scalar if 2 <= table[name].drop_nulls().n_unique() <= MOST]
    return table.select("user", *(texts(table[name]) for name in words)) if words else None
