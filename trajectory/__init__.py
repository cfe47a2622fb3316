"""trajectory: learns how shoppers' interests move, from behaviour logs to forecasts with probabilities.

>>> import trajectory as tj
>>> log = tj.prepare(events)                    # a data frame or file: user, item, time ...
>>> run = tj.train(log.config, "runs/shop")
>>> run.forecast(new_events, steps=3).plot()    # of users whom the model has never seen

Nothing is loaded before it is used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trajectory.api import baselines, compare, evaluate, prepare, preset, train
    from trajectory.run import Run, load_run
    from trajectory.schema import UserError

__all__ = ["Run", "UserError", "baselines", "compare", "evaluate", "load_run", "prepare", "preset", "train"]

_MODULES = {"Run": "run", "load_run": "run", "UserError": "schema"}  # of all others: api


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES.get(name, 'api')}"), name)


def __dir__() -> list[str]:
    return __all__
