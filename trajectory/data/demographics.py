"""What a log's folder says of its users' households, if anything: age, income and the like, each a word."""

from __future__ import annotations

from pathlib import Path

import polars as pl
from ml_collections import ConfigDict

from trajectory.data.columns import LOG_NAMES, detect
from trajectory.data.domains import known, locate
from trajectory.data.values import ids

FILES = ("demographics", "users")
MOST = 20  # values of a column: more are a measure or a name, not a group


def read_demographics(data: ConfigDict) -> pl.DataFrame | None:
    """Columns user (the source's id) and each column of at most MOST different words; None where the log has none."""
    folder = locate(data.source) if data.source in known() else Path(data.source).expanduser()
    path = next((folder / f"{name}.parquet" for name in FILES if (folder / f"{name}.parquet").is_file()), None)
    if path is None:
        return None
    table = pl.read_parquet(path)
    user = detect(table.columns, {"user": LOG_NAMES["user"]}).get("user")
    words = [name for name in table.columns if name != user and 2 <= table[name].drop_nulls().n_unique() <= MOST]
    if user is None or not words:
        return None
    return table.select(ids(table[user]).alias("user"), pl.col(words).cast(pl.String))
