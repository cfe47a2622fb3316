"""Taobao behaviour, nine days of views, carts, favourites and purchases: next item, and who will purchase within a day.

Split by time: what happens after the cut is seen neither by training nor by the vocabulary.

python scripts/train.py --config=configs/taobao_behavior.py:model=lstm --workdir=runs/taobao
"""

from ml_collections import ConfigDict

from configs import common


def get_config(arg: str = "") -> ConfigDict:
    """Arguments: model, tiny."""
    args = common.parse_arg(arg)
    c = common.base(args.model)
    c.name = "taobao_behavior"
    c.data.source = "taobao_behavior"
    c.split.kind, c.split.quantile, c.split.target = "temporal", 0.8, "all"
    c.batch.rows, c.batch.length, c.batch.targets = 16, 128, 128
    c.model.dropout = 0.3
    c.model.repeat = True
    c.heads.interest, c.heads.conversion = 0.5, 1.0
    c.conversion.kind, c.conversion.horizon_days = "purchase", 1.0
    c.evaluation.seen = "keep"
    c.train.monitor = "conversion_auc"
    c.train.epochs, c.train.patience_epochs = 20, 5
    return common.shrink(c) if args.tiny else c
