"""Campaigns of a made-up shop as they are written, and as its truth has them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from trajectory.insights.shop_truth import Pair


def pairs(workdir: Path, truth: pl.DataFrame, folder: Path) -> Iterator[Pair]:
    """Recipients of each campaign who bought of its category in its time."""
    path = workdir / "campaign_audiences.parquet"
    told = pl.read_parquet(folder / "truth" / "campaigns.parquet")
    members = pl.read_parquet(path).filter(pl.col("outcome") == "buy").with_columns(pl.col("user").cast(pl.String))
    for row in told.iter_rows(named=True):
        mine = members.filter(pl.col("campaign") == str(row["campaign"]))
        during = pl.col("time").is_between(row["start"], row["stop"], closed="left") & (pl.col("type") == "purchase")
        buyers = truth.filter(during & (pl.col("category") == row["category"]))["user"].unique()
        true = mine["user"].is_in(buyers.implode())
        if mine.height:
            yield Pair("campaigns", f"buyers in campaign {row['campaign']}", mine["answered"].sum(), true.sum())
            yield Pair(
                "campaigns", f"agreeing in campaign {row['campaign']}", mine.height, (true == mine["answered"]).sum()
            )
