"""The founding document's model on its own input: `user_behavior.csv`, one row per user and time step.

Columns: `user` (optional), `time`, numeric features, `label` 0 / 1. Stacked LSTM 128 -> dropout 0.2 -> 64 -> dropout
0.2 -> dense sigmoid, with accuracy and loss of training and validation over epochs in curves.png.

python scripts/train.py --config=configs/user_behavior.py:path=user_behavior.csv,model=lstm --workdir=runs/behavior
"""

from ml_collections import ConfigDict

from configs import common
from trajectory.schema import UserError


def get_config(arg: str = "") -> ConfigDict:
    """Arguments: path (the CSV), model, tiny."""
    args = common.parse_arg(arg, model="lstm", path="")
    if not args.path:
        raise UserError("expected configs/user_behavior.py:path=user_behavior.csv")
    c = common.base(args.model)
    c.name = "user_behavior"
    c.data.source = args.path
    c.split.kind, c.split.steps = "leave_last", 10
    c.batch.rows, c.batch.length, c.batch.targets = 16, 64, 64
    c.model.inputs = ("features", "gap")
    c.model.layers = (128, 64) if args.model in common.RECURRENT else (64, 64)
    c.heads.item, c.heads.conversion = 0.0, 1.0
    c.train.monitor = "conversion_auc"
    # A small file is a single batch an epoch: short warm-up, many epochs, patience.
    c.optim.learning_rate, c.optim.warmup_steps = 3e-3, 10
    c.train.epochs, c.train.patience_epochs = 60, 15
    return common.shrink(c) if args.tiny else c
