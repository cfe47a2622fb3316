"""The example of user A: a small made-up log with known transitions between products, learned in seconds.

trajectory train --config=user_a:model=gru --workdir=runs/user_a
"""

from pathlib import Path

from ml_collections import ConfigDict

import trajectory
from trajectory.settings import base, parse_arg, shrink


def get_config(arg: str = "") -> ConfigDict:
    """Arguments: model, tiny."""
    args = parse_arg(arg, model="gru")
    c = base(args.model)
    c.name = "user_a"
    c.data.source = str(Path(trajectory.__file__).parent / "data" / "samples" / "user_a_log.csv")
    c.batch.after = "step"  # as is decided for one type of event; a finished run is known by its decided config
    c.batch.rows, c.batch.length, c.batch.targets = 16, 32, 32
    c.model.width, c.model.layers = 8, (8,)
    c.model.inputs = ("item",)
    c.model.dropout = 0.0
    c.evaluation.seen = "keep"
    c.forecast.steps, c.forecast.paths = 3, 2000
    c.optim.learning_rate, c.optim.schedule, c.optim.warmup_steps = 0.02, "cosine", 10
    c.train.epochs, c.train.patience_epochs = 16, 16
    c.train.monitor = "loss"
    c.train.devices = 1  # too small to share
    c.logging.wandb = c.logging.tensorboard = False  # over in seconds
    return shrink(c) if args.tiny else c
