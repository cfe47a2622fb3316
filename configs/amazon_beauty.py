"""Amazon Beauty, the published leave-one-out benchmark, from item ids alone.

python scripts/train.py --config=configs/amazon_beauty.py:model=transformer --workdir=runs/beauty
"""

from ml_collections import ConfigDict

from configs import common


def get_config(arg: str = "") -> ConfigDict:
    """Arguments: model, tiny."""
    args = common.parse_arg(arg)
    c = common.benchmark(args.model)
    c.name = c.data.source = "amazon_beauty"
    return common.shrink(c) if args.tiny else c
