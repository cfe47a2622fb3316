"""The forecast of a run's users: the probability of each item at each step and within several, and when steps come.

A run whose heads forecast so many steps directly is read so (that measures better at later steps, RESULTS.md), with the
calibration that its evaluation fitted, if there is one; any other by sampled paths. Probabilities within days are of
sampled paths in any case, for they depend on what comes when.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from ml_collections import ConfigDict

from trajectory import hints
from trajectory.calibration.per_step import CalibratedForecaster, StepCalibration
from trajectory.inference.beam_search import Beams, search
from trajectory.inference.direct import DirectForecaster
from trajectory.inference.sampled import SampledForecast
from trajectory.inference.sampling import sample
from trajectory.progress import progress
from trajectory.protocols import Forecaster, StepForecast
from trajectory.run import Run
from trajectory.schema import Histories, Queries


class WithinDays(NamedTuple):
    """What comes within so many days and all steps, by sampled paths: not calibrated."""

    items: np.ndarray  # float [n, V + 1], probability of each
    interests: np.ndarray  # float [n, K + 1]


def forecast_steps(
    run: Run, histories: Histories, queries: Queries, steps: int, paths: int, silent: np.ndarray, days: float = 0.0
) -> Iterator[tuple[Queries, StepForecast, WithinDays | None]]:
    """The next `steps` steps of every query's user, some users at a time, and the next `days` days if there are any.

    `silent` [n]: days without anything since each history's last event, of which forecasts of time are given.
    """
    direct = _direct(run, histories, steps) if run.config.heads.horizon >= steps else None
    if direct and not days:
        for chunk in progress(queries.chunks(direct.batch), "forecast", -(-len(queries.user) // direct.batch)):
            yield chunk, direct.forecast(chunk), None
        return
    predictor, statistics, seed = run.predictor(histories), run.vocabulary.statistics, run.config.seed
    for chunk, sampled in sample(
        predictor, queries, statistics, steps=steps, paths=paths, seed=seed, days=days, silent=silent
    ):
        forecast = direct.forecast(chunk) if direct else SampledForecast(predictor, chunk, sampled)
        yield chunk, forecast, WithinDays(sampled.within_days, sampled.interest_within_days) if days else None


def steps_ahead(config: ConfigDict) -> int:
    """How many steps a run forecasts where nobody asks for another number: those that its heads forecast directly."""
    by_heads = config.heads.horizon > 1 and "forecast.steps" not in config.by_hand
    return config.heads.horizon if by_heads else config.forecast.steps  # type: ignore[no-any-return]


def calibration(run: Run, steps: int) -> tuple[StepCalibration | None, str]:
    """The calibration of the first `steps` steps that a multi-step evaluation fitted for this run, or why none."""
    evaluate = f"evaluate it with {hints.argument('multi_step', 'direct')}"
    if run.config.split.kind != "leave_last" and not run.vocabulary.catalogue.only_targets:
        return (
            None,
            "not calibrated (no split has held-out purchases to calibrate each on that are asked at any moment)",
        )
    if run.config.split.kind != "leave_last":
        return None, "not calibrated (only a run of split.kind=leave_last has held-out steps to calibrate each on)"
    if not run.vocabulary.catalogue.only_targets:
        return None, "not calibrated (this split asks right before what is predicted, and forecasts are of any moment)"
    if run.calibration is None:
        return None, f"not calibrated ({evaluate})"
    fitted, checkpoint = run.calibration
    if checkpoint != run.checkpoint:
        return None, f"not calibrated (calibration.json is of another checkpoint, {checkpoint}: {evaluate} again)"
    if steps > len(fitted.at):
        most = len(fitted.at)
        return None, (
            f"not calibrated (calibration.json is of {most} steps, as many as the split held out: ask for {most} or "
            "fewer)"
        )
    return fitted, "calibrated on validation"


def sampling_error(paths: int) -> str:
    """The standard error of a share of so many sampled paths, in words; of 50 %, where it is largest."""
    return f"{50 / paths**0.5:.1f} points"


def method_description(run: Run, steps: int, paths: int) -> str:
    """How `forecast_steps` finds its probabilities, in words to be read after one."""
    among = ", among items that the user has not had" if run.config.evaluation.seen == "filter" else ""
    horizon = run.config.heads.horizon
    if horizon < steps:
        few = f" ({steps} steps are more than the {horizon} of heads.horizon: ask for {horizon} or fewer)"
        return (
            f"from {paths} sampled paths (standard error of up to {sampling_error(paths)}), not calibrated"
            f"{few if horizon > 1 else ''}{among}"
        )
    return f"directly by the model's heads, {calibration(run, steps)[1]}{among}"


def forecaster_of_step(run: Run, histories: Histories, step: int) -> Forecaster[StepForecast]:
    """What says the same of this step as the run's forecast of `steps_ahead`, without sampling."""
    steps = steps_ahead(run.config)
    if run.config.heads.horizon >= steps:
        return _direct(run, histories, max(step, steps))
    return DirectForecaster(run.predictor(histories), step)


def _direct(run: Run, histories: Histories, steps: int) -> Forecaster[StepForecast]:
    """The run's heads, calibrated if they have been."""
    plain = DirectForecaster(run.predictor(histories), steps)
    fitted, _ = calibration(run, steps)
    return plain if fitted is None else CalibratedForecaster(plain, fitted, histories)


def beam_run(
    run: Run, histories: Histories, queries: Queries, steps: int, interests: bool
) -> Iterator[tuple[Queries, Beams]]:
    """The most likely paths of items, or of `interests`, by a run's model (see `beam_search`; config.forecast)."""
    f, seed = run.config.forecast, run.config.seed
    return search(
        run.predictor(histories),
        queries,
        run.vocabulary.statistics,
        steps=steps,
        beams=f.beams,
        particles=f.particles,
        interests=interests,
        seed=seed,
    )
