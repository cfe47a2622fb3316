"""trajectory: learns how shoppers' interests move, from behaviour logs to forecasts with probabilities.

>>> import trajectory as tj
>>> log = tj.prepare(events)                    # a data frame or file: user, item, time ...
>>> run = tj.train(log.config, "runs/shop")
>>> run.forecast(new_events, steps=3).plot()    # of users whom the model has never seen

Nothing is loaded before it is used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trajectory.api import baselines, compare, evaluate, prepare, preset, train
    from trajectory.results import (
        Audiences,
        Baselines,
        Comparison,
        Demand,
        Embeddings,
        Evaluation,
        Explanation,
        Forecast,
        Migrations,
        Predictions,
        Prepared,
        Recommendations,
        Result,
        Segments,
    )
    from trajectory.run import Run, load_run
    from trajectory.schema import UserError

    __version__: str

__all__ = [
    "Audiences",
    "Baselines",
    "Comparison",
    "Demand",
    "Embeddings",
    "Evaluation",
    "Explanation",
    "Forecast",
    "Migrations",
    "Predictions",
    "Prepared",
    "Recommendations",
    "Result",
    "Run",
    "Segments",
    "UserError",
    "__version__",
    "baselines",
    "compare",
    "evaluate",
    "load_run",
    "prepare",
    "preset",
    "train",
]

_MODULES = {  # of all others: results
    **dict.fromkeys(("baselines", "compare", "evaluate", "prepare", "preset", "train"), "api"),
    **dict.fromkeys(("Run", "load_run"), "run"),
    "UserError": "schema",
}

if not TYPE_CHECKING:  # with it, a name that is not there would pass every check of types

    def __getattr__(name: str) -> object:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        if name == "__version__":
            return importlib.import_module("importlib.metadata").version("interest-trajectory")
        return getattr(importlib.import_module(f"{__name__}.{_MODULES.get(name, 'results')}"), name)


def __dir__() -> list[str]:
    return __all__
