"""Which numbers the fields of a config may have, so that none fails hours later, or trains nonsense."""

from __future__ import annotations

import math

from ml_collections import ConfigDict

from trajectory.schema import UserError
from trajectory.settings import get

LOWEST = {
    1: (
        *("batch.rows", "batch.length", "model.width", "model.layers", "model.heads", "heads.horizon"),
        *("evaluation.cutoffs", "evaluation.batch", "forecast.steps", "forecast.paths", "forecast.beams"),
        *("forecast.particles", "explain.samples", "explain.background", "logging.every_steps", "distil.likeliest"),
    ),
    0: (
        *("seed", "optim.learning_rate", "optim.warmup_steps", "optim.weight_decay", "optim.clip_norm"),
        *("train.epochs", "train.patience_epochs", "train.eval_users", "train.save_every_steps", "train.negatives"),
        *("train.power", "train.devices", "forecast.users", "forecast.days", "explain.users", "explain.watched"),
        *(f"heads.{name}" for name in ("item", "interest", "conversion", "time", "reconstruct", "contrast")),
        "evaluation.bootstrap",
    ),
}
SHARES = ("model.dropout", "model.event_dropout", "optim.b2", "optim.average", "train.smoothing")  # 0 to below 1
NOT_EMPTY = ("model.layers",)


def check(config: ConfigDict) -> None:
    """Raises UserError for the first field whose number, or one of whose numbers, cannot be."""
    for name in NOT_EMPTY:
        if not get(config, name):
            raise UserError(f"{name}=(): expected at least one number")
    ends = {name: (low, math.inf) for low, names in LOWEST.items() for name in names}
    for name, (low, end) in {**ends, **dict.fromkeys(SHARES, (0, 1))}.items():
        value = get(config, name)
        for number in value if isinstance(value, tuple | list) else (value,):
            if not low <= number < end:  # NaN is neither
                expected = f"at least {low}" if end == math.inf else f"at least {low} and less than {end}"
                raise UserError(f"{name}={value}: expected {expected}")
