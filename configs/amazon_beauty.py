"""Amazon Beauty, the published leave-one-out benchmark, from item ids alone.

python scripts/train.py --config=configs/amazon_beauty.py:model=hybrid --workdir=runs/beauty
"""

from ml_collections import ConfigDict

from configs import common


def get_config(arg: str = "") -> ConfigDict:
    """Arguments: model, tiny."""
    return common.benchmark(arg, "amazon_beauty")
