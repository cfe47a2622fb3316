"""Conformal sets of baselines: what the sets of a forecaster are compared with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trajectory.baselines.multi_step import Calibrated
from trajectory.calibration.conformal import calibrate, coverage
from trajectory.calibration.per_step import ALPHA, some_queries
from trajectory.metrics.step_targets import read_steps
from trajectory.schema import Histories, Split


def baseline_sets(
    baselines: Mapping[str, Calibrated], best: list[str], histories: Histories, split: Split, seed: int
) -> list[dict[str, Any]]:
    """Coverage and size of each step's sets on test, of the baseline named for it: as `coverage`, and `baseline`.

    Thresholds are found on validation as a forecaster's are (see `fit_steps`).
    """
    results: list[dict[str, Any]] = [{} for _ in best]
    for name in dict.fromkeys(best):
        validation = some_queries(histories, split.validation, seed)
        read = read_steps(baselines[name], histories, validation, len(best))
        sets = [calibrate(step.log_p, step.target, alpha=ALPHA, seed=seed) for _, step in read]
        for h, step in read_steps(baselines[name], histories, split.test, len(best)):
            if best[h] == name:
                results[h] = {"baseline": name} | coverage(sets[h].sets(step.log_p, step.target), ALPHA)["all"]
    return results
