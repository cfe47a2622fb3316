"""Groups of users that a report can be filtered by: the reader's own, or by how active they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from trajectory.data.ingest.cells.parsing import texts
from trajectory.data.ingest.source.side_files import USER, as_known, read_side, say_known, usable_rows
from trajectory.migrations.sessions import Sessions
from trajectory.schema import Histories, UserError

NONE = "in no segment"


def by_activity(sessions: Sessions) -> np.ndarray:
    """A name of each user's third of the population by number of sessions, str [N]; fewer names where thirds agree."""
    count = np.diff(sessions.offsets)
    low, high = (int(bound) for bound in np.quantile(count, (1 / 3, 2 / 3), method="lower"))
    names = np.where(count > low, f"{low + 1:,} to {high:,} sessions", f"up to {low:,} sessions")
    return np.where(count > high, f"more than {high:,} sessions", names)


def read_segments(path: Path, histories: Histories) -> np.ndarray:
    """Each user's segment, str [N], of a file with columns user and segment; NONE for users not in it.

    Raises UserError for a file that cannot be read, lacks a column, names a user twice or none of the log's.
    """
    table = read_side(path, "--segments", {**USER, "segment": ("segment",)})
    table = table.select("user", segment=texts(table["segment"])).unique(maintain_order=True)
    table = usable_rows(table, path, "--segments", pl.col("segment").is_not_null())
    users = histories.users["user"]
    table = table.with_columns(known=as_known(table["user"], users))
    say_known(table["user"], table["known"], users, path, "--segments", "user")
    table = table.select(user="known", segment="segment").drop_nulls().unique(maintain_order=True)
    if table["user"].is_duplicated().any():
        twice = table.filter(pl.col("user").is_duplicated())["user"][0]
        raise UserError(f"{path} names user {twice} more than once; expected one segment of each user")
    segments = users.to_frame("user").join(table, on="user", how="left", maintain_order="left")["segment"]
    return segments.fill_null(NONE).to_numpy()
