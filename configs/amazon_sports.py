"""Amazon Sports and Outdoors, the published leave-one-out benchmark, from item ids alone.

trajectory train --config=amazon_sports:model=hybrid --workdir=runs/sports
"""

from ml_collections import ConfigDict

from trajectory.settings import Benchmark


def get_config(arg: str = "") -> ConfigDict:
    """Arguments: model, tiny."""
    return Benchmark().config(arg, "amazon_sports")
