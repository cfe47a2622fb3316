"""The founding document's user A: a small made-up log with known transitions between products, learned in seconds.

python scripts/train.py --config=configs/user_a.py:model=gru --workdir=runs/user_a
"""

from pathlib import Path

from ml_collections import ConfigDict

import trajectory
from configs import common


def get_config(arg: str = "") -> ConfigDict:
    """Arguments: model, tiny."""
    args = common.parse_arg(arg, model="gru")
    c = common.base(args.model)
    c.name = "user_a"
    c.data.source = str(Path(trajectory.__file__).parent / "data" / "samples" / "user_a_log.csv")
    c.batch.rows, c.batch.length, c.batch.targets = 16, 32, 32
    c.model.width, c.model.layers = 32, (32,)
    c.model.inputs = ("item",)
    c.model.dropout = 0.0
    c.evaluation.seen = "keep"
    c.optim.learning_rate = 3e-3
    c.train.epochs, c.train.patience_epochs = 15, 4
    c.train.monitor = "loss"
    return common.shrink(c) if args.tiny else c
