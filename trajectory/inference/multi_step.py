"""What a run says of each of the next steps, in the form that evaluation measures: directly, or by sampled paths."""

from __future__ import annotations

import numpy as np

from trajectory.inference.scorer import DirectForecast
from trajectory.inference.step_forecast import sample_run
from trajectory.run import Run
from trajectory.schema import Queries, UserError

LEAST = 1e-12  # an item that no path gives a chance is rare, not impossible


class PathForecast:
    """Means over sampled paths: each item's chance at each step, and of coming within the first h steps."""

    name = "paths"
    log_probabilities = True
    batch = 256

    def __init__(self, run: Run, steps: int, paths: int) -> None:
        self.run, self.steps, self.paths = run, steps, paths

    def ahead(self, queries: Queries) -> np.ndarray:
        """Log-probability of each item at each step [n, H, V + 1]."""
        sampled = sample_run(self.run, self.run.task.histories, queries, self.steps, self.paths)
        found = [paths for _, paths in sampled]
        self._within, self._interests_within = (
            np.concatenate([getattr(paths, name) for paths in found]) for name in ("visited", "interest_visited")
        )
        return np.log(np.concatenate([paths.probability for paths in found]) + LEAST)

    def within(self, queries: Queries, ahead: np.ndarray) -> np.ndarray:
        """Probability of each item within the first h steps [n, H, V + 1], for the queries last asked for `ahead`."""
        return self._within

    def interests_within(self, queries: Queries, log_shares: np.ndarray) -> np.ndarray:
        """Probability of each interest within the first h steps [n, H, K + 1], as of `within`."""
        return self._interests_within


def forecasters(run: Run, names: list[str]) -> list[DirectForecast | PathForecast]:
    """The forecasters "direct" (of a run with heads.horizon > 1) or "paths", for the steps that its split holds out."""
    c = run.task.config
    found: list[DirectForecast | PathForecast] = []
    for name in names:
        if name == "direct":
            found.append(DirectForecast(run.predictor(), c.split.steps))
        elif name == "paths":
            found.append(PathForecast(run, c.split.steps, c.forecast.paths))
        else:
            raise UserError(f"forecaster {name!r} is unknown; expected direct or paths")
    return found
