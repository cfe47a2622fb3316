"""Sets that cover a line of each step with a stated chance, of what counting says: what a forecaster's are beside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from trajectory.baselines.multi_step import Calibrated
from trajectory.calibration.conformal import calibrate, coverage
from trajectory.calibration.per_step import ALPHA, some_queries
from trajectory.metrics.step_targets import read_steps
from trajectory.schema import Histories, Queries, Split


class FloorForecast:
    """A calibrated floor's log-probabilities as a forecaster."""

    def __init__(self, floor: Calibrated) -> None:
        self.floor, self.batch = floor, floor.batch

    def ahead(self, queries: Queries) -> np.ndarray:
        """Log-probability of each item at each step [n, H, V + 1]."""
        return self.floor.log_chances(queries, self.floor.ahead(queries))


def floor_sets(
    floors: Mapping[str, Calibrated], best: list[str], histories: Histories, split: Split, seed: int
) -> list[dict[str, Any]]:
    """Coverage and size of each step's sets on test, of the floor named for it: what `coverage` says, and `floor`.

    Thresholds are found on validation as a forecaster's are (see `fit_steps`).
    """
    found: list[dict[str, Any]] = [{} for _ in best]
    for name in dict.fromkeys(best):
        forecast = FloorForecast(floors[name])
        validation = some_queries(histories, split.validation, seed)
        read = read_steps(forecast, histories, validation, len(best))
        sets = [calibrate(step.log_p, step.target, alpha=ALPHA, seed=seed) for _, step in read]
        for h, step in read_steps(forecast, histories, split.test, len(best)):
            if best[h] == name:
                found[h] = {"floor": name} | coverage(sets[h].sets(step.log_p, step.target), ALPHA)["all"]
    return found
