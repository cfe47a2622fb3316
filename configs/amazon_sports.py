"""Amazon Sports and Outdoors, the published leave-one-out benchmark, from item ids alone.

python scripts/train.py --config=configs/amazon_sports.py:model=transformer --workdir=runs/sports
"""

from ml_collections import ConfigDict

from configs import common


def get_config(arg: str = "") -> ConfigDict:
    """Arguments: model, tiny."""
    args = common.parse_arg(arg)
    c = common.benchmark(args.model)
    c.name = c.data.source = "amazon_sports"
    return common.shrink(c) if args.tiny else c
