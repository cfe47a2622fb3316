"""Groups of users that a report can be filtered by: the reader's own, or by how active they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from trajectory.insights.migrations.sessions import Sessions
from trajectory.schema import Histories, UserError

NONE = "in no segment"


def by_activity(sessions: Sessions) -> np.ndarray:
    """A name of each user's third of the population by number of sessions, str [N]; fewer names where thirds agree."""
    count = np.diff(sessions.offsets)
    low, high = (int(bound) for bound in np.quantile(count, (1 / 3, 2 / 3), method="lower"))
    names = np.where(count > low, f"{low + 1:,} to {high:,} sessions", f"up to {low:,} sessions")
    return np.where(count > high, f"more than {high:,} sessions", names)


def read_segments(path: Path, histories: Histories) -> np.ndarray:
    """Each user's segment, str [N], of a CSV or Parquet file with columns user and segment; NONE for users not in it.

    Raises UserError for a file that cannot be read, lacks a column, names a user twice or none of the log's.
    """
    if not path.exists():
        raise UserError(f"--segments={path}: there is no such file; expected CSV or Parquet with columns user, segment")
    read = pl.read_parquet if path.suffix == ".parquet" else pl.read_csv
    table = read(path)
    if missing := {"user", "segment"} - set(table.columns):
        raise UserError(f"{path} lacks the column(s) {', '.join(sorted(missing))}; it has {', '.join(table.columns)}")
    table = table.select(pl.col("user", "segment").cast(pl.String))
    if table["user"].is_duplicated().any():
        twice = table.filter(pl.col("user").is_duplicated())["user"][0]
        raise UserError(f"{path} names user {twice} more than once; expected one segment of each user")
    users = pl.DataFrame({"user": histories.users["user"].cast(pl.String)})
    found = users.join(table, on="user", how="left", maintain_order="left")["segment"]
    if found.null_count() == len(found):
        raise UserError(f"{path} names none of the log's {len(found):,} users, such as {users['user'][0]}")
    return found.fill_null(NONE).to_numpy()
