"""What orders the events of a user: time, else position, else the file."""

from __future__ import annotations

import polars as pl
from ml_collections import ConfigDict

from trajectory.schema import UserError

# What can order the events of a user for each `data.order`, best first: the first whose first column the log has,
# by its columns that are there. source_line always is.
_ORDERS: dict[str, tuple[tuple[str, ...], ...]] = {
    "auto": (("time", "subsecond", "position"), ("position",), ("source_line",)),
    "time": (("time", "subsecond"), ("position",), ("source_line",)),
    "position": (("position",),),
    "file": (("source_line",),),
}


def order_of(events: pl.DataFrame, data: ConfigDict) -> str:
    """What orders a user's events: time, else position, else the order of the file."""
    if data.order not in _ORDERS:
        raise UserError(f"data.order={data.order!r} is unknown; expected {', '.join(_ORDERS)}")
    if data.order == "position" and "position" not in events.columns:
        raise UserError("data.order='position' needs a position column; set data.columns.position, or order by time")
    first = order_columns(events.columns, data.order)[0]
    return "file" if first == "source_line" else first


def order_columns(columns: list[str], order: str) -> tuple[str, ...]:
    """The columns, of those there are, that order the events of a user; what ties in all of them is left to chance."""
    chosen = next(names for names in _ORDERS[order] if names[0] in columns)
    return tuple(name for name in chosen if name in columns)
