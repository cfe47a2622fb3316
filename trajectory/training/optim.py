"""The optax chain and its learning-rate schedule, from the config."""

from __future__ import annotations

import jax
import optax
from ml_collections import ConfigDict

from trajectory.schema import UserError


def schedule(config: ConfigDict, total_steps: int) -> optax.Schedule:
    """Learning rate by step: linear warm-up, then constant or a cosine down to 0 at `total_steps`."""
    warmup = optax.linear_schedule(0.0, config.learning_rate, config.warmup_steps)
    rest = max(total_steps - config.warmup_steps, 1)
    match config.schedule:
        case "constant":
            after: optax.Schedule = optax.constant_schedule(config.learning_rate)
        case "cosine":
            after = optax.cosine_decay_schedule(config.learning_rate, rest)
        case other:
            raise UserError(f"optim.schedule={other!r} is unknown; expected constant or cosine")
    return optax.join_schedules([warmup, after], [config.warmup_steps])


def optimiser(config: ConfigDict, total_steps: int) -> optax.GradientTransformation:
    """Clipping, then AdamW (Loshchilov & Hutter 2019) with decay on matrices only."""
    return optax.chain(
        optax.clip_by_global_norm(config.clip_norm) if config.clip_norm else optax.identity(),
        optax.adamw(
            schedule(config, total_steps),
            b2=config.b2,
            weight_decay=config.weight_decay,
            mask=lambda params: jax.tree.map(lambda p: p.ndim > 1, params),
        ),
    )
