"""Amazon Beauty, the published leave-one-out benchmark, from item ids alone.

trajectory train --config=amazon_beauty:model=hybrid --workdir=runs/beauty
"""

from ml_collections import ConfigDict

from trajectory.settings import Benchmark


def get_config(arg: str = "") -> ConfigDict:
    """Arguments: model, tiny."""
    return Benchmark().config(arg, "amazon_beauty")
