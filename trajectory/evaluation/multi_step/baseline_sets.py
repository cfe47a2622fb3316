"""Sets that cover a line of each step with a stated chance, of what counting says: what a forecaster's are beside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trajectory.baselines.multi_step import Calibrated
from trajectory.calibration.conformal import calibrate, coverage
from trajectory.calibration.per_step import ALPHA, some_queries
from trajectory.metrics.step_targets import read_steps
from trajectory.schema import Histories, Split


def floor_sets(
    floors: Mapping[str, Calibrated], best: list[str], histories: Histories, split: Split, seed: int
) -> list[dict[str, Any]]:
    """Coverage and size of each step's sets on test, of the floor named for it: what `coverage` says, and `floor`.

    Thresholds are found on validation as a forecaster's are (see `fit_steps`).
    """
    found: list[dict[str, Any]] = [{} for _ in best]
    for name in dict.fromkeys(best):
        validation = some_queries(histories, split.validation, seed)
        read = read_steps(floors[name], histories, validation, len(best))
        sets = [calibrate(step.log_p, step.target, alpha=ALPHA, seed=seed) for _, step in read]
        for h, step in read_steps(floors[name], histories, split.test, len(best)):
            if best[h] == name:
                found[h] = {"floor": name} | coverage(sets[h].sets(step.log_p, step.target), ALPHA)["all"]
    return found
