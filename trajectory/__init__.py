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
    from trajectory.api import prepare, preset, train
    from trajectory.api_evaluation import baselines, compare, ensemble, evaluate
    from trajectory.api_tuning import search, sweep
    from trajectory.main_job import quickstart
    from trajectory.report_job import report
    from trajectory.results.forecasts import Embeddings, Explanation, Forecast, Predictions
    from trajectory.results.insights import Audiences, Changes, Customers, Demand, Funnel, Recommendations, Segments
    from trajectory.results.measured import Baselines, Comparison, Evaluation, Search, StepEvaluation, Sweep
    from trajectory.results.migrations import Migrations
    from trajectory.results.prepared import Prepared
    from trajectory.results.result import Result
    from trajectory.run import Run, load_run
    from trajectory.schema import UserError

    __version__: str

__all__ = [
    "Audiences",
    "Baselines",
    "Changes",
    "Comparison",
    "Customers",
    "Demand",
    "Embeddings",
    "Evaluation",
    "Explanation",
    "Forecast",
    "Funnel",
    "Migrations",
    "Predictions",
    "Prepared",
    "Recommendations",
    "Result",
    "Run",
    "Search",
    "Segments",
    "StepEvaluation",
    "Sweep",
    "UserError",
    "__version__",
    "baselines",
    "compare",
    "ensemble",
    "evaluate",
    "load_run",
    "prepare",
    "preset",
    "quickstart",
    "report",
    "search",
    "sweep",
    "train",
]

_MODULES = {
    **dict.fromkeys(("prepare", "preset", "train"), "api"),
    **dict.fromkeys(("baselines", "compare", "ensemble", "evaluate"), "api_evaluation"),
    **dict.fromkeys(("search", "sweep"), "api_tuning"),
    **dict.fromkeys(("Embeddings", "Explanation", "Forecast", "Predictions"), "results.forecasts"),
    **dict.fromkeys(
        ("Audiences", "Changes", "Customers", "Demand", "Funnel", "Recommendations", "Segments"), "results.insights"
    ),
    **dict.fromkeys(("Baselines", "Comparison", "Evaluation", "Search", "StepEvaluation", "Sweep"), "results.measured"),
    "Migrations": "results.migrations",
    "Prepared": "results.prepared",
    "Result": "results.result",
    **dict.fromkeys(("Run", "load_run"), "run"),
    "UserError": "schema",
    "quickstart": "main_job",
    "report": "report_job",
}

if not TYPE_CHECKING:  # with it, a name that is not there would pass every check of types

    def __getattr__(name: str) -> object:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        if name == "__version__":
            return importlib.import_module("importlib.metadata").version("interest-trajectory")
        return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
