"""Users who are likely no single people: far above the rest."""

from __future__ import annotations

import polars as pl

from trajectory.data.times import DAY

_ABOVE = 10  # times the 99th percentile of the users, or of few users the middle one
_FEW = 100  # users
_LEAST = 100  # events below which nobody stands out
_TOP = 1000  # users with most events, of whom it is looked at when they come
_MINUTE = 60
_A_MINUTE = 60  # events that nobody makes in one


def busiest_users(events: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """Users with far more events than the rest, and the most events in a day of other users (0 = not known).

    Most first: user, events, share of all events, and the most in_a_minute and in_a_day (null where not known).
    """
    counts = events.group_by("user").agg(events=pl.len(), share=pl.len() / events.height)
    counts = counts.sort("events", "user", descending=[True, False])
    usual = counts["events"].median() if counts.height < _FEW else counts["events"].quantile(0.99, "lower")
    far = pl.col("events") > max(_LEAST, _ABOVE * (usual if isinstance(usual, int | float) else 0))
    if "time" not in events.columns or "basket" in events.columns:  # lines of a basket come all at once
        empty = pl.lit(None, pl.UInt32)
        return counts.filter(far).with_columns(in_a_minute=empty, in_a_day=empty), 0
    counts = counts.head(_TOP)
    events = events.filter(pl.col("user").is_in(counts["user"].implode()))
    for name, seconds in (("in_a_minute", _MINUTE), ("in_a_day", DAY)):
        spans = events.lazy().group_by("user", span=pl.col("time") // seconds).len()
        most = spans.group_by("user").agg(pl.col("len").max().alias(name)).collect()
        counts = counts.join(most, on="user", how="left", maintain_order="left")
    crowd = far | (pl.col("in_a_minute") > _A_MINUTE)
    others = counts.filter(~crowd)["in_a_day"].max()
    return counts.filter(crowd), others if isinstance(others, int) else 0
