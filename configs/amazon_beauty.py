"""Amazon Beauty, the published leave-one-out benchmark.

python scripts/train.py --config=configs/amazon_beauty.py:model=transformer --workdir=runs/beauty
"""

from ml_collections import ConfigDict

from configs import common


def get_config(arg: str = "") -> ConfigDict:
    """Arguments: model, tiny."""
    args = common.parse_arg(arg)
    c = common.base(args.model)
    c.name = "amazon_beauty"
    c.data.source = "amazon_beauty"
    c.batch.rows, c.batch.length, c.batch.targets = 32, 64, 64
    c.model.width, c.model.layers = 128, (128, 128)
    c.model.dropout = 0.5
    c.heads.interest = 0.1
    c.optim.learning_rate = 5e-4
    c.train.epochs, c.train.patience_epochs = 40, 8
    return common.shrink(c) if args.tiny else c
