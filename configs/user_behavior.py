"""A log as a table of one row per user and time step (`user_behavior.csv`), and a model for it.

Columns: `user` (optional), `time`, numeric features, `label` 0 / 1. Stacked LSTM 128 -> dropout 0.2 -> 64 -> dropout
0.2 -> dense sigmoid, with accuracy and loss of training and validation over epochs in curves.png.

trajectory train --config=user_behavior:path=user_behavior.csv,model=lstm --workdir=runs/behavior
"""

from ml_collections import ConfigDict

from trajectory.schema import UserError
from trajectory.settings import RECURRENT, base, parse_arg, shrink


def get_config(arg: str = "") -> ConfigDict:
    """Arguments: path (the CSV), model, tiny."""
    args = parse_arg(arg, model="lstm", path="")
    if not args.path:
        raise UserError("expected --config=user_behavior:path=user_behavior.csv")
    c = base(args.model)
    c.name = "user_behavior"
    c.data.source = args.path
    c.split.kind, c.split.steps = "leave_last", 10
    c.batch.rows, c.batch.length, c.batch.targets = 16, 64, 64
    c.model.inputs = ("features", "gap")
    c.model.layers = (128, 64) if args.model in RECURRENT else (64, 64)
    c.heads.item, c.heads.conversion = 0.0, 1.0
    c.train.monitor = "conversion_auc"
    # A small file is a single batch an epoch: short warm-up, many epochs, patience.
    c.optim.learning_rate, c.optim.warmup_steps = 3e-3, 10
    c.train.epochs, c.train.patience_epochs = 60, 15
    return shrink(c) if args.tiny else c
