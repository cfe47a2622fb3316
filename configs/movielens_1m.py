"""MovieLens-1M, leave-one-out, from item ids alone.

python scripts/train.py --config=configs/movielens_1m.py:model=transformer --workdir=runs/films
"""

from ml_collections import ConfigDict

from configs import common


def get_config(arg: str = "") -> ConfigDict:
    """Arguments: model, tiny."""
    args = common.parse_arg(arg)
    c = common.benchmark(args.model)
    c.name = c.data.source = "movielens_1m"
    c.batch.rows, c.batch.length, c.batch.targets = 16, 200, 200
    c.model.dropout = 0.2  # a film has 290 training events, an article of Beauty 11
    return common.shrink(c) if args.tiny else c
