"""Audiences of a made-up shop as they are written, and as its truth has them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from trajectory.data.times import DAY
from trajectory.insights.shop_truth import Pair, end_of

LAPSED = 84 * DAY  # seconds since when a lapsed user has not bought
MOST = 28  # days of an audience's horizon
TARGETS = {"interest": "category", "item": "title"}  # what an audience can be for -> column of `true_events`


def pairs(workdir: Path, truth: pl.DataFrame) -> Iterator[Pair]:
    """Members of each audience who truly have not bought of it in 12 weeks, and those who never have."""
    now, bought = end_of(truth), truth.filter(pl.col("type") == "purchase")
    members = pl.read_parquet(workdir / "audiences.parquet").with_columns(pl.col("user").cast(pl.String))
    for level, columns in (("interest", ["category"]), ("item", ["title", "item"])):  # an item goes by either
        last = pl.concat(bought.group_by("user", target=column).agg(pl.col("time").max()) for column in columns)
        joined = members.filter(pl.col("kind") == level).join(last, on=["user", "target"], how="left")
        for (target,), rows in joined.group_by("target", maintain_order=True):
            lapsed = (now - rows["time"]).fill_null(LAPSED + 1) > LAPSED
            yield Pair("audiences", f"lapsed users for {target}", rows.height, lapsed.sum())
            yield Pair("audiences", f"new users for {target}", rows["new"].sum(), rows["time"].null_count())


def holdout_pairs(workdir: Path, truth: pl.DataFrame, cuts: tuple[int, int], least: int) -> Iterator[Pair]:
    """Users asked for and who of them bought from the cut on, over the categories (or items) that were measured."""
    written = json.loads((workdir / "insights.json").read_text())["audiences"]
    level = next(name for name in TARGETS if name in written)
    measured = written[level]
    bought = truth.filter(pl.col("type") == "purchase").select("user", "time", target=TARGETS[level])
    now = end_of(truth)
    days = int(min(MOST, (cuts[1] - cuts[0]) / DAY, (now - cuts[1]) / DAY))

    def known(cut: int) -> pl.DataFrame:
        """Every user there is before a moment and every category: new, lapsed, and bought within the days after it."""
        before, after = pl.col("time") < cut, pl.col("time").is_between(cut, cut + days * DAY, closed="left")
        users = truth.filter(before & pl.col("roles").list.contains("input")).select(pl.col("user").unique())
        had = bought.group_by("user", "target").agg(last=pl.col("time").filter(before).max(), bought=after.any())
        whole = users.join(bought.select(pl.col("target").unique()), how="cross")
        return whole.join(had, on=["user", "target"], how="left").select(
            "target",
            pl.col("bought").fill_null(False),
            new=pl.col("last").is_null(),
            lapsed=(cut - pl.col("last")).fill_null(LAPSED + 1) > LAPSED,
        )

    newly = known(cuts[0]).filter("lapsed").group_by("target").agg(pl.col("bought").sum())
    table = known(cuts[1]).join(newly.filter(pl.col("bought") >= least), on="target", how="semi")
    for kind, rows in (("all users", table), ("arriving", table.filter("lapsed")), ("new", table.filter("new"))):
        if kind in measured:
            yield Pair("audiences", f"{kind}: asked for", measured[kind]["asked"], rows.height)
            yield Pair(
                "audiences", f"{kind}: bought within {days} days", measured[kind]["bought"], rows["bought"].sum()
            )
