"""Calls of a model's methods outside Flax."""

from typing import Any

import flax.linen as nn


def apply(model: nn.Module, variables: Any, *args: Any, **options: Any) -> Any:
    """`model.apply`, whose result Flax types as a pair with what the call changed, though most calls change nothing."""
    return model.apply(variables, *args, **options)
