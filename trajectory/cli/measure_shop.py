"""Compares insights of a made-up shop with its truth.

trajectory measure-shop --workdir=runs/shop --export=rees46

Prints how many numbers of the written tables (demand, segments, audiences, campaigns) equal those counted from the
shop's truth, and names those that do not; ends with 1 if any. Before it:

trajectory synthesize --shop --raw=ga4,rees46,orders --out=prepared/shop
trajectory train --workdir=runs/shop --config=own_log:path=prepared/shop/raw/rees46,split=temporal,model=gru
    --config.split.cut=2023-10-09 --config.split.target=all --config.heads.time=0.1
trajectory insights --workdir=runs/shop
"""

import sys
from pathlib import Path

import polars as pl
from absl import flags

from trajectory.data.simulate.shop.write import DIALECTS
from trajectory.insights.shop_comparison import pairs
from trajectory.insights.shop_truth import true_events
from trajectory.schema import UserError
from trajectory.training import parallel

WORKDIR = flags.DEFINE_string("workdir", None, "folder of the run whose insights are written")
SHOP = flags.DEFINE_string("shop", "prepared/shop", "folder of the shop, by `trajectory synthesize`")
EXPORT = flags.DEFINE_enum("export", None, [*DIALECTS], "the raw export that the run is of (default: the books)")
flags.mark_flags_as_required(["workdir"])


def main() -> None:
    """Compares and prints."""
    parallel.start()
    from trajectory.insights.audiences.propensity import LEAST
    from trajectory.run import load_run

    run, truth = load_run(Path(str(WORKDIR.value))), true_events(Path(SHOP.value), EXPORT.value or "")
    validation, test = run.experiment.split.cut_time("validation"), run.experiment.split.cut_time("test")
    if validation is None or test is None:
        raise UserError(f"{run.workdir} is not split by time; train with split=temporal")
    table = pairs(run.workdir, truth, Path(SHOP.value), (validation, test), LEAST)
    for (part,), rows in table.group_by("part", maintain_order=True):
        print(f"{part}: {rows['equal'].sum()} of {rows.height} numbers equal the truth")
    for row in table.filter(~pl.col("equal")).iter_rows(named=True):
        print(f"  {row['part']}: {row['what']}: written {row['said']}, true {row['true']}")
    sys.exit(0 if table["equal"].all() else 1)
