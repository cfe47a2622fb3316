"""MovieLens-1M, leave-one-out.

python scripts/train.py --config=configs/movielens_1m.py:model=transformer --workdir=runs/films
"""

from ml_collections import ConfigDict

from configs import common


def get_config(arg: str = "") -> ConfigDict:
    """Arguments: model, tiny."""
    args = common.parse_arg(arg)
    c = common.base(args.model)
    c.name = "movielens_1m"
    c.data.source = "movielens_1m"
    c.batch.rows, c.batch.length, c.batch.targets = 16, 200, 200
    c.model.width, c.model.layers = 128, (128, 128)
    c.heads.interest = 0.1
    c.train.epochs, c.train.patience_epochs = 30, 6
    return common.shrink(c) if args.tiny else c
