"""What each interest's share in the next steps will be: the model's forecast mixed with the user's own habits."""

from __future__ import annotations

import numpy as np

from trajectory.evaluation.ensemble import mixture_weights
from trajectory.insights.migrations.state_forecast import LEAST, step_states
from trajectory.insights.migrations.step_windows import interest_mass, shares
from trajectory.insights.segments.volumes import volumes
from trajectory.schema import Histories, Queries
from trajectory.training.run import Run

MEMBERS = ("forecast", "since the first event", "lately")
FITTED = 500  # users of validation that the weights are fitted on


def fitted(run: Run, histories: Histories, worth: np.ndarray) -> np.ndarray:
    """Weights [3] of MEMBERS that make what validation's users did likeliest (EM), float64; sums to 1."""
    asked = run.task.split.validation
    chosen = np.sort(np.random.default_rng(0).permutation(len(asked.user))[:FITTED])
    queries = Queries(*(column[chosen] for column in asked))
    past, late = volumes(histories, queries, worth, run.task.split.cut_time("validation"))
    members = _members(run, histories, queries, past, late)
    outcome = shares(interest_mass(histories, queries.stop, queries.end).toarray())
    user, interest = np.nonzero(outcome)
    weight = outcome[user, interest]
    log = np.log(np.maximum(members[:, user, interest].T, LEAST))
    return mixture_weights(log, weight / weight.sum())


def mix(
    run: Run, histories: Histories, queries: Queries, past: np.ndarray, late: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """Expected share of each interest in the next H steps, float64 [n, K], of users with these volumes [n, K]."""
    return shares(np.tensordot(weights, _members(run, histories, queries, past, late), 1))


def _members(run: Run, histories: Histories, queries: Queries, past: np.ndarray, late: np.ndarray) -> np.ndarray:
    """Shares [3, n, K]; who did nothing lately goes on as always."""
    steps = step_states(run, histories, queries, run.task.config.forecast.steps).interests
    usual, now = shares(past), shares(late)
    return np.stack(
        [shares(steps.mean(1, dtype=np.float64)), usual, np.where(now.sum(1, keepdims=True) > 0, now, usual)]
    )
