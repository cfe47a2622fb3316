"""Compares insights of a made-up shop with its truth.

trajectory measure-shop --workdir=runs/shop --export=rees46

Prints how many numbers of the written tables (demand, segments, audiences, funnel, campaigns) equal those counted from
the shop's truth, and names those that do not; ends with 1 if any. Of the shop's books it also prints how far the rates
of the funnel are from the probabilities that made them. Before it:

trajectory synthesize --shop --raw=ga4,rees46,orders --out=prepared/shop
trajectory train --workdir=runs/shop --config=own_log:path=prepared/shop/raw/rees46,split=temporal,model=gru
    --config.split.cut=2023-10-09 --config.split.target=all --config.heads.time=0.1
trajectory insights --workdir=runs/shop
"""

import sys
from pathlib import Path

from absl import flags

from trajectory.data.simulate.shop.write import DIALECTS
from trajectory.training import parallel

WORKDIR = flags.DEFINE_string("workdir", None, "folder of the run whose insights are written")
SHOP = flags.DEFINE_string("shop", "prepared/shop", "folder of the shop, by `trajectory synthesize`")
EXPORT = flags.DEFINE_enum("export", None, [*DIALECTS], "the raw export that the run is of (default: the books)")
flags.mark_flags_as_required(["workdir"])


def main() -> None:
    """Compares and prints."""
    parallel.start()
    from trajectory.insights.shop_comparison import of_run
    from trajectory.run import load_run

    compared = of_run(load_run(Path(WORKDIR.value)), Path(SHOP.value), EXPORT.value or "")
    print(compared.text)
    sys.exit(0 if compared.equal else 1)
