"""What each interest's share in the next steps will be: the model's forecast mixed with the user's own habits."""

from __future__ import annotations

import numpy as np

from trajectory.inference.step_forecast import steps_ahead
from trajectory.insights.segments.volumes import summed, volumes
from trajectory.metrics.mixture import mixture_weights
from trajectory.migrations.state_forecast import LEAST, step_states
from trajectory.migrations.step_windows import interest_mass, shares
from trajectory.run import Run
from trajectory.schema import Histories, Queries

MEMBERS = ("forecast", "since the first event", "lately")
FITTED = 500  # users of validation that the weights are fitted on
USUAL = 5.0  # events at everybody's worth that each user's own worth of an interest's event begins with


def fit_weights(run: Run, histories: Histories, worth: np.ndarray) -> np.ndarray:
    """Weights [3] of MEMBERS of maximum likelihood, by what validation's users bought (EM), float64; sums to 1."""
    validation = run.experiment.split.validation
    chosen = np.sort(np.random.default_rng(0).permutation(len(validation.user))[:FITTED])
    queries = Queries(*(column[chosen] for column in validation))
    past, late = volumes(histories, queries, worth, run.experiment.split.cut_time("validation"))
    members = _members(run, histories, queries, worth, past, late)
    interest = histories.item_interest[histories.item]
    outcome = shares(summed(interest, worth, queries.stop, queries.end, len(histories.interests)))
    row, column = np.nonzero(outcome)
    log = np.log(np.maximum(members[:, row, column].T, LEAST))
    weight = outcome[row, column]
    return mixture_weights(log, weight / weight.sum())


def expected_shares(
    run: Run,
    histories: Histories,
    queries: Queries,
    worth: np.ndarray,
    past: np.ndarray,
    late: np.ndarray,
    weights: np.ndarray,
) -> np.ndarray:
    """Expected share of each interest in the value of the next H steps, float64 [n, K], given volumes [n, K]."""
    return shares(np.tensordot(weights, _members(run, histories, queries, worth, past, late), 1))


def _members(
    run: Run, histories: Histories, queries: Queries, worth: np.ndarray, past: np.ndarray, late: np.ndarray
) -> np.ndarray:
    """Shares [3, n, K]; who did nothing lately goes on as always.

    A forecast of purchases alone says nothing of all that users turn to, and is none of the members.
    """
    usual = shares(past)
    now = np.where(late.sum(1, keepdims=True) > 0, shares(late), usual)
    if not histories.only_targets:
        return np.stack([np.zeros_like(usual), usual, now])
    steps = step_states(run, histories, queries, steps_ahead(run.config)).interests
    expected = steps.mean(1, dtype=np.float64) * _worth_of_event(histories, queries, worth)
    return np.stack([shares(expected), usual, now])


def _worth_of_event(histories: Histories, queries: Queries, worth: np.ndarray) -> np.ndarray:
    """What each user pays for each interest, per event, float64 [n, K]: forecasts are of events, volumes of value.

    An event counts as in training, where those of a large basket share its weight.
    """
    interest, count = histories.item_interest[histories.item], len(histories.interests)
    value = summed(interest, worth, queries.start, queries.stop, count)
    mass = interest_mass(histories, queries.start, queries.stop, histories.item).toarray()
    everybody = value.sum(0) / np.maximum(mass.sum(0), 1)
    return (value + USUAL * everybody) / (mass + USUAL)
