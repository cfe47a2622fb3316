"""Whether the position of events that share their time says anything: often it only follows the item's id."""

from __future__ import annotations

import polars as pl

_ENOUGH = 30  # pairs of neighbours below which nothing is concluded
_SAME = 0.99  # of the pairs that run up (or down) the ids
_VARIED = 0.5  # pairs that differ, of all: where users follow one path, ids of neighbours repeat
_SAMPLE = 1_000_000  # rows looked at


def tied_pairs(events: pl.DataFrame) -> pl.DataFrame:
    """Neighbours by position among the events of one user and moment: `item` and `before`, the one before."""
    moment = [name for name in ("user", "time", "subsecond") if name in events.columns]
    if events.height > _SAMPLE:
        every = events.height // _SAMPLE + 1
        events = events.filter(pl.col("user").hash() % every == 0)
    known = events.select(*moment, "position", "item").drop_nulls()
    tied = known.filter(pl.struct(moment).is_duplicated()).sort(*moment, "position")
    before = pl.col("item").shift(1).over(moment)
    return tied.select("item", before=before).drop_nulls().filter(pl.col("item") != pl.col("before"))


def follows_item(events: pl.DataFrame) -> bool:
    """Whether positions only list the items of a moment by id. Users who all take one path are no such case."""
    pairs = tied_pairs(events)
    if pairs.height < _ENOUGH or pairs.n_unique() < _VARIED * pairs.height:
        return False
    up = float((pairs["item"] > pairs["before"]).mean())  # type: ignore[arg-type]
    return max(up, 1 - up) >= _SAME
