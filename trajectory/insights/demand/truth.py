"""Demand of a made-up shop as it is written, and as its truth has it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from trajectory.data.simulate.base import START
from trajectory.data.times import DAY, WEEK
from trajectory.insights.shop_truth import Pair, end_of


def pairs(workdir: Path, truth: pl.DataFrame) -> Iterator[Pair]:
    """Mean of the last four whole weeks of each item, category and department: pieces sold less returned, of each item
    what came back beyond a week's sales off its later weeks. Of levels that were written.
    """
    weeks = (((end_of(truth) - 1) // DAY + 1) * DAY - START) // WEEK
    sold = truth.drop_nulls("quantity").with_columns(week=(pl.col("time") - START) // WEEK)
    sold = sold.filter(pl.col("week").is_between(0, weeks - 1))
    net = sold.group_by("title", "category", "department", "week").agg(pl.col("quantity").sum()).sort("week")
    rows = []
    for item, part in net.group_by("title", "category", "department"):
        owed = 0.0
        for week, quantity in part.select("week", "quantity").iter_rows():
            left, owed = max(quantity + owed, 0.0), min(quantity + owed, 0.0)
            rows.append((*item, left if week >= weeks - 4 else 0.0))
    last = pl.DataFrame(rows, ["title", "category", "department", "quantity"], orient="row")
    table = pl.read_parquet(workdir / "demand.parquet").filter(pl.col("weeks_ahead") == 1)
    for level, column in (("item", "title"), ("interest", "category"), ("department", "department")):
        true = dict(last.group_by(column).agg(pl.col("quantity").sum() / 4).iter_rows())
        said = dict(table.filter(pl.col("level") == level).select("name", "recent").iter_rows())
        for name in sorted({*said, *true} if said else ()):
            yield Pair("demand", f"{level} {name}", said.get(name), true.get(name, 0.0))
