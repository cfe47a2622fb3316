"""Where users' interests are now, and where a run's forecast sees them in the next window of H steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from ml_collections import ConfigDict

from trajectory.calibration.categorical import Calibration, choose
from trajectory.calibration.per_step import FEW
from trajectory.data.pipeline.splits import leave_last
from trajectory.inference.step_forecast import forecast_steps, steps_ahead
from trajectory.metrics.by_interest import by_interest
from trajectory.metrics.waiting_time import silent_days
from trajectory.migrations.state_baselines import StateBaselines, fit_baselines
from trajectory.migrations.step_windows import cut_back, interest_mass, shares
from trajectory.run import Run
from trajectory.schema import Histories, Queries

NOW = "persistence"  # the baseline that says where a user is now
LEAST = 1e-12


class StepStates(NamedTuple):
    """The forecast of each of the next H steps of n users."""

    interests: np.ndarray  # float [n, H, K], share of each interest at each step
    days: np.ndarray | None  # float [n, H], median time until the step from the history's end on; None without times


class StateForecast(NamedTuple):
    """Interest states of n users now and in the window of the next H steps, and step by step between."""

    queries: Queries
    now: np.ndarray  # float64 [n, K], smoothed persistence
    next: np.ndarray  # float64 [n, K], expected share of each interest in the window
    steps: StepStates
    last: np.ndarray  # float64 [n, K], shares of the last H steps as they were: what changes of all users are told from
    whole: np.ndarray  # bool [n], whose history has a whole window; of others the population's mix tells most of `now`


@dataclass(frozen=True)
class StateForecaster:
    """How a run's forecasts of steps become states of a window; what was fitted for that, on one window of each user.

    `calibration`: of the mean of the steps, pooled with the state now, with biases where there are few interests, as
    does best on held-out users; the identity where the model has seen the window.
    """

    baselines: StateBaselines
    calibration: Calibration

    def forecast(self, run: Run, histories: Histories, queries: Queries) -> StateForecast:
        """The states of each query's user from the end of its history on, in interests of `histories`."""
        steps = step_states(run, histories, queries, steps_ahead(run.config))
        windows = cut_back(histories, queries, steps.interests.shape[1])
        now, last = self.baselines.states(windows, NOW), shares(windows.last())
        following = np.exp(self.calibration.apply(window_mean(steps), np.log(now)))
        whole = (windows.steps >= steps.interests.shape[1]) & last.any(1)
        return StateForecast(queries, now, following, steps, last, whole)


def fit_forecaster(run: Run, histories: Histories) -> StateForecaster:
    """Fits a run's forecaster on the windows that validate it, if there are any (`held_out`).

    Otherwise on the last window of each history, which the model has seen: then forecasts stay as they are. Raises
    UserError if nobody's history has two windows and a step.
    """
    split, c = run.experiment.split, run.config
    seen = not held_out(run)
    queries = leave_last(histories, ConfigDict({"steps": steps_ahead(c)}))[1].test if seen else split.validation
    windows = cut_back(histories, queries, steps_ahead(c))
    outcome = interest_mass(histories, queries.stop, queries.end, histories.target_item).toarray()
    baselines = fit_baselines(windows, outcome)
    if seen:
        return StateForecaster(baselines, Calibration("identity"))
    known = np.flatnonzero(outcome.sum(1))
    log_now = np.log(baselines.states(windows, NOW))[known]
    log_p = window_mean(step_states(run, histories, queries, steps_ahead(c)))[known]
    forms = ["identity", "temperature", "pool"] + ["bias"] * (outcome.shape[1] <= FEW)
    chosen = choose(log_p, shares(outcome[known]), log_now, forms=forms, seed=c.seed)
    return StateForecaster(baselines, chosen.calibration)


def held_out(run: Run) -> bool:
    """Whether the run's split holds out windows of as many steps as the run forecasts."""
    c = run.config
    return run.experiment.split.kind == "leave_last" and c.split.steps == steps_ahead(c)


def step_states(run: Run, histories: Histories, queries: Queries, steps: int) -> StepStates:
    """The run's forecast of the next `steps` steps, in interests of `histories` (of the run's items).

    The run's own interests are calibrated as far as the run is; learned ones are sums over their items.
    """
    paths = run.config.forecast.paths if steps > 1 else 1  # the first step is the same on every path
    own = histories.interests == run.experiment.histories.interests
    log = run.experiment.histories
    silent = np.where(queries.end > queries.stop, 0.0, silent_days(log, queries))  # where the log ends, nothing came
    interests, days, at = [], [], 0
    for chunk, forecast, _ in forecast_steps(run, log, queries, steps, paths, silent):
        chance = forecast.interests if own else by_interest(histories, forecast.probability)
        interests.append(shares(chance[:, :, 1:]))
        until = forecast.days(silent[at : at + len(chunk.user)])
        at += len(chunk.user)
        days += [] if until is None else [until[:, :, 1]]
    return StepStates(np.concatenate(interests), np.concatenate(days) if days else None)


def window_mean(steps: StepStates) -> np.ndarray:
    """Log of the mean share of each interest over the steps, float64 [n, K]."""
    return np.log(np.maximum(shares(steps.interests.mean(1, dtype=np.float64)), LEAST))
