"""What insights of a made-up shop say compared with what is true of it, counted from its truth and no other way."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import polars as pl

from trajectory.insights.audiences import propensity
from trajectory.insights.audiences import truth as audiences
from trajectory.insights.campaigns import truth as campaigns
from trajectory.insights.demand import truth as demand
from trajectory.insights.funnel import truth as funnel
from trajectory.insights.segments import truth as segments
from trajectory.insights.shop_truth import true_events
from trajectory.run import Run
from trajectory.schema import UserError

EXACT = 1e-5  # relative: histories keep values in 32 bits


class Compared(NamedTuple):
    """How many numbers of each part equal the truth and which do not, to be read; and whether all do."""

    text: str
    equal: bool


def of_run(run: Run, folder: Path, export: str = "") -> Compared:
    """The written insights of a run, beside the truth of the made-up shop in `folder` (of one of its raw exports).

    Raises UserError where the run is not split by time, or no insights are written.
    """
    validation, test = (run.experiment.split.cut_time(part) for part in ("validation", "test"))
    if validation is None or test is None:
        raise UserError(f"{run.workdir} is not split by time; train with split=temporal")
    table = pairs(run.workdir, true_events(folder, export), folder, (validation, test), propensity.LEAST)
    if table.is_empty():
        raise UserError(f"{run.workdir} has no tables to compare; `trajectory insights` writes them")
    lines = []
    for (part,), rows in table.group_by("part", maintain_order=True):
        lines.append(f"{part}: {rows['equal'].sum()} of {rows.height} numbers equal the truth")
    for row in table.filter(~pl.col("equal")).iter_rows(named=True):
        lines.append(f"  {row['part']}: {row['what']}: written {row['said']}, true {row['true']}")
    if not export and (run.workdir / "funnel.parquet").exists():
        lines += [
            f"  {row['step']} of {row['of']} {row['level']}s ({row['units']}): mean error {row['error']:.4f}, counting "
            f"{row['counting']:.4f}; {row['coverage']:.0%} of the 90 % intervals hold the shop's own probability"
            for row in funnel.accuracy(run.workdir, folder)
        ]
    return Compared("\n".join(lines), bool(table["equal"].all()))


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
        ("funnel", funnel.pairs(workdir, truth)),
        ("campaign_audiences", campaigns.pairs(workdir, truth, folder)),
    )
    rows = [pair for table, part in written if (workdir / f"{table}.parquet").exists() for pair in part]
    kinds = {"part": pl.String, "what": pl.String, "said": pl.Float64, "true": pl.Float64}
    near = (pl.col("said") - pl.col("true")).abs() <= EXACT * pl.max_horizontal(pl.col("true").abs(), 1)
    return pl.DataFrame(rows, kinds, orient="row", strict=False).with_columns(equal=near.fill_null(False))
