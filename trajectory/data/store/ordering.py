"""Numbers for ids and the order of events, some millions of rows at a time so that memory is bounded."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl
from ml_collections import ConfigDict

from trajectory.data.ingest.stages.order import order_columns
from trajectory.schema import UserError

ROWS = 1 << 22  # that are joined or sorted at once


def number(ids: pl.Series) -> tuple[pl.DataFrame, np.ndarray]:
    """The sorted distinct ids as a table (of text, where they are categories), and each id's row of it, int32."""
    if isinstance(ids.dtype, pl.Categorical):
        return _number_categories(ids)
    table = ids.unique().sort().to_frame()
    rows, size = table.with_row_index("row"), max(ROWS, 4 * table.height)  # the table is hashed for each part anew
    number = np.empty(len(ids), np.int32)
    for start in range(0, len(ids), size):
        part = ids.slice(start, size).to_frame()
        joined = part.join(rows, on=ids.name, how="left", maintain_order="left")
        number[start : start + size] = joined["row"].to_numpy()
    return table, number


def _number_categories(ids: pl.Series) -> tuple[pl.DataFrame, np.ndarray]:
    distinct = ids.unique()
    names = distinct.cast(pl.String)
    order = names.arg_sort()
    code = distinct.to_physical().gather(order).to_numpy()
    number_of = np.zeros(code.max(initial=0) + 1, np.int32)
    number_of[code] = np.arange(len(code), dtype=np.int32)
    return names.gather(order).to_frame(), number_of[ids.to_physical().to_numpy()]


def order(events: pl.DataFrame, user: np.ndarray, data: ConfigDict) -> tuple[np.ndarray, np.ndarray]:
    """The permutation that sorts events by user, step and chance, uint32, and the step of each event sorted so, int32.

    `user` numbers the users. Raises UserError where baskets are asked for and nothing tells them apart.
    """
    # The order of the source among equal times often follows the item id: chance decides instead.
    chance = np.arange(events.height, dtype=np.uint32)
    np.random.default_rng(data.seed).shuffle(chance)
    by = order_columns(events.columns, data.order)
    basket = next((name for name in ("basket", "time") if name in events.columns), None) if data.baskets else None
    if data.baskets and basket is None:
        raise UserError("data.baskets=True needs a basket id or a time in the log; name it in data.columns")
    columns = {"user": pl.Series(user), "step": pl.Series(chance), "chance": pl.Series(chance)}
    columns |= {name: events[name] for name in by} | ({"basket": events[basket]} if basket else {})
    place, step, start = np.empty(len(user), np.uint32), np.empty(len(user), np.int32), 0
    for rows in _users_together(user):
        part = slice(start, start + len(rows))
        frame = pl.DataFrame({name: column.gather(rows) for name, column in columns.items()})
        place[part], step[part] = _sorted(frame, by, rows)
        start += len(rows)
    return place, step


def _users_together(user: np.ndarray) -> Iterator[np.ndarray]:
    """Rows of some users after the others, ascending; about `ROWS` at a time if no user has more."""
    counts = np.bincount(user)
    group = ((np.cumsum(counts) - counts) // ROWS).astype(np.uint16)[user]
    for number in range(int(group.max(initial=0)) + 1):
        rows = np.flatnonzero(group == number)
        if len(rows):
            yield rows.astype(np.uint32)


def _sorted(frame: pl.DataFrame, by: tuple[str, ...], rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if "basket" in frame.columns:
        # A whole basket stands where its first line does; a line without a basket id is a step of its own.
        known = pl.col("basket").is_not_null()
        frame = frame.with_columns(
            pl.when(known).then(pl.col(column).min().over("user", "basket")).otherwise(pl.col(column))
            for column in (*by, "step")
        )
    keys = ("user", *by, "step", "chance") if "basket" in frame.columns else ("user", *by, "chance")
    order = frame.select(pl.arg_sort_by(keys)).to_series()
    user, step_of = frame["user"].gather(order).to_numpy(), frame["step"].gather(order).to_numpy()
    first, new = np.ones(len(user), bool), np.ones(len(user), bool)
    first[1:] = user[1:] != user[:-1]
    new[1:] = step_of[1:] != step_of[:-1]  # no step is shared by two users
    count = np.cumsum(new, dtype=np.int32)
    return rows[order.to_numpy()], count - count[first][np.cumsum(first) - 1]
