"""The synthetic log of trajectory.data.simulate at its fixed default: planted migrations and causes, known truth.

trajectory synthesize --out=prepared/synthetic_log
trajectory train --config=synthetic:model=gru --workdir=runs/synthetic
"""

from ml_collections import ConfigDict

from trajectory.settings import base, parse_arg, shrink


def get_config(arg: str = "") -> ConfigDict:
    """Arguments: path (folder of the log), model, tiny."""
    args = parse_arg(arg, path="prepared/synthetic_log")
    c = base(args.model)
    c.name = "synthetic"
    c.data.source = args.path
    c.data.baskets = True
    c.batch.rows, c.batch.length = 16, 128
    c.batch.targets, c.batch.target_items = 64, 5
    c.model.repeat = True
    c.heads.interest = 0.1
    c.evaluation.seen = "keep"
    c.train.epochs, c.train.patience_epochs = 15, 4
    return shrink(c) if args.tiny else c
