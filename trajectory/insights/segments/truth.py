"""Segments of a made-up shop as they are written, and as its truth has them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from trajectory.data.times import DAY, WEEK
from trajectory.insights.shop_truth import Pair, end_of

LATELY = 56 * DAY  # seconds: what segments call lately


def pairs(workdir: Path, truth: pl.DataFrame) -> Iterator[Pair]:
    """Users of each segment, their sales value a week since they came, and share of all value (`net_value`)."""
    now = end_of(truth)
    read = truth.filter(pl.col("roles").list.contains("input"))
    lately = min(LATELY, (now - read.select(pl.col("time").min()).item()) / 2)
    users = read.group_by("user").agg(since=pl.max_horizontal(now - pl.col("time").min(), lately) / WEEK)
    worth = net_value(truth.filter(pl.col("time") < now)).group_by("user").agg(pl.col("value").sum())
    users = users.join(worth, on="user", how="left").with_columns(weekly=pl.col("value").fill_null(0) / pl.col("since"))
    members = pl.read_parquet(workdir / "segments.parquet").with_columns(pl.col("user").cast(pl.String))
    joined = members.join(users, on="user", how="full", coalesce=True)
    whole = joined["value"].sum()
    true = joined.group_by("segment").agg(pl.len(), pl.col("weekly").mean(), share=pl.col("value").sum() / whole)
    said = pl.read_parquet(workdir / "segment_profiles.parquet").join(true, on="segment", how="full", coalesce=True)
    for row in said.iter_rows(named=True):
        for column, own in (("users", "len"), ("value_a_week", "weekly"), ("share_of_value", "share")):
            yield Pair("segments", f"{column} of {row['segment']}", row[column], row[own])


def net_value(truth: pl.DataFrame) -> pl.DataFrame:
    """What each user paid for each item less what was given back, at least 0: user, item, value.

    A sale without a price is worth nothing, a return without one what the item's pieces sold for on average.
    """
    sales = truth.drop_nulls("quantity")
    priced = (pl.col("quantity") > 0) & pl.col("value").is_not_null()
    piece = sales.filter(priced).group_by("item").agg(piece=pl.col("value").sum() / pl.col("quantity").sum())
    usual = pl.when(pl.col("quantity") < 0).then(pl.col("quantity") * pl.col("piece")).otherwise(0.0)
    sales = sales.join(piece, on="item", how="left").with_columns(pl.col("value").fill_null(usual))
    return sales.group_by("user", "item").agg(pl.col("value").sum().clip(0))
