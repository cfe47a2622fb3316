"""What insights of a made-up shop say compared with what is true of it, counted from its truth and no other way."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from trajectory.insights.audiences import truth as audiences
from trajectory.insights.campaigns import truth as campaigns
from trajectory.insights.demand import truth as demand
from trajectory.insights.segments import truth as segments

EXACT = 1e-5  # relative: histories keep values in 32 bits


def pairs(workdir: Path, truth: pl.DataFrame, folder: Path, cuts: tuple[int, int], least: int) -> pl.DataFrame:
    """Every number of the written tables that is counted, and its truth (`true_events`): part, what, said, true, equal.

    `cuts`: when the run's validation and test parts begin, unix seconds; `least`: newly buying users that an audience
    needs. Parts whose table was not written are left out.
    """
    written = (
        ("demand", demand.pairs(workdir, truth)),
        ("segments", segments.pairs(workdir, truth)),
        ("audiences", audiences.pairs(workdir, truth)),
        ("audiences", audiences.holdout_pairs(workdir, truth, cuts, least)),
        ("campaign_audiences", campaigns.pairs(workdir, truth, folder)),
    )
    rows = [pair for table, part in written if (workdir / f"{table}.parquet").exists() for pair in part]
    kinds = {"part": pl.String, "what": pl.String, "said": pl.Float64, "true": pl.Float64}
    near = (pl.col("said") - pl.col("true")).abs() <= EXACT * pl.max_horizontal(pl.col("true").abs(), 1)
    return pl.DataFrame(rows, kinds, orient="row", strict=False).with_columns(equal=near.fill_null(False))
