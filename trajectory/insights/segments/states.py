"""Where each user's interests have been and where they are going, with how much the user buys: what segments are of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from trajectory.forecasting.embeddings import item_vectors
from trajectory.inference.new_users import histories_before
from trajectory.inference.step_forecast import steps_ahead
from trajectory.insights.segments.expectation import expected_shares, fit_weights
from trajectory.insights.segments.persistence import HALF, persistence
from trajectory.insights.segments.volumes import attention, summed, totals, values, volumes
from trajectory.migrations.clusters import learned_interests
from trajectory.migrations.step_windows import shares
from trajectory.reports.words import Words, words
from trajectory.run import Run
from trajectory.schema import Histories, Queries, UserError

# Large volumes count for more, but not for all. Of 0.5 (states as of the Hellinger distance), 0.6, 0.75 and 1 the power
# whose segments told most of the spend of the quarter after 2017-05-01 in Complete Journey.
POWER = 0.75
FIELD = "department"  # column of the item table that sums interests up, where it has fewer values than interests


@dataclass(frozen=True)
class Trajectories:
    """n users at one moment; volumes are of sales a week in K interests, of all events where the log has others too.

    D fields sum interests up: departments where the items have them, otherwise the interests themselves.
    """

    histories: Histories
    queries: Queries  # start:stop of each user is what lies before the moment; end: of the history
    moment: int | None  # unix seconds; None: the end of each history
    past: np.ndarray  # float64 [n, K], since the user's first event
    late: np.ndarray  # float64 [n, K], in the last weeks
    ahead: np.ndarray  # float64 [n, K], expected in the next H steps
    steps: int  # H
    fields: tuple[str, ...]
    item_field: np.ndarray  # int64 [len(items) + 1], 1..D; 0 = none
    field_shares: np.ndarray  # float64 [K, D], how each interest's volume divides among fields
    brought: np.ndarray  # float64 [n], sales in all before the moment, of items without an interest too
    value: np.ndarray  # float64 [n], the same a week since the user's first event
    value_ahead: np.ndarray  # float64 [n], expected
    words: Words  # for values
    weights: np.ndarray  # float64 [3], of what `expectation.MEMBERS` say of `ahead`, as fits validation best
    goes_on: float | None  # share of what was lately bought beyond so far that is expected; None: nothing told, HALF is

    def states(self, volumes: np.ndarray, power: float = POWER) -> np.ndarray:
        """Volumes [n, K] as states, float64 [n, D]: the `power` of the volume of each field."""
        return (volumes @ self.field_shares) ** power


def trajectories(run: Run, moments: Sequence[int | None]) -> list[Trajectories]:
    """At each of `moments` (unix seconds; None: of whole histories) those of all users with an event before it.

    A log without interests gets learned ones. Raises UserError for a run that cannot forecast items.
    """
    if not run.config.heads.item:
        raise UserError("segments need forecasts of items, but this run has no item head (heads.item=0); set it to 1")
    histories = run.experiment.histories
    if not histories.interests:
        histories = learned_interests(histories, item_vectors(run)["vector"].to_numpy())
    worth, named = attention(histories, run.experiment.split.cut_time("test")), words(histories)
    weights, (fields, item_field) = fit_weights(run, histories, worth), _fields(histories)
    goes_on = persistence(histories, run.experiment.split)
    states = []
    for moment in moments:
        queries, worth = histories_before(histories, moment), attention(histories, moment)
        past, late = volumes(histories, queries, worth, moment)
        sold = values(histories, moment)
        value, lately = totals(histories, queries, sold, moment)
        brought = summed(np.ones(histories.num_events, np.int64), sold, queries.start, queries.stop, 1)[:, 0]
        # Of interests the mean predicts what users spend better than either, or than times of steps.
        volume = (past.sum(1) + late.sum(1)) / 2
        ahead = expected_shares(run, histories, queries, worth, past, late, weights) * volume[:, None]
        divided = _divided(histories, queries, worth, item_field, len(fields))
        steps = steps_ahead(run.config)
        columns = past, late, ahead, steps, fields, item_field, divided, brought, value
        ahead_of_all = value + (HALF if goes_on is None else goes_on) * (lately - value)
        states.append(Trajectories(histories, queries, moment, *columns, ahead_of_all, named, weights, goes_on))
    return states


def _fields(histories: Histories) -> tuple[tuple[str, ...], np.ndarray]:
    if FIELD in histories.items.columns:
        column = histories.items[FIELD].cast(pl.String)
        names = column.drop_nulls().unique().sort()
        if 1 < len(names) < len(histories.interests):
            number = dict(zip(names, range(1, len(names) + 1), strict=True))
            return tuple(names), np.array([0, *(number.get(name, 0) for name in column)])
    return histories.interests, histories.item_interest.astype(np.int64)


def _divided(
    histories: Histories, queries: Queries, worth: np.ndarray, item_field: np.ndarray, fields: int
) -> np.ndarray:
    """How the volume of each interest before the moment divides among the fields, float64 [K, D]."""
    seen = np.zeros(histories.num_events + 1, np.int64)
    np.add.at(seen, queries.start, 1)
    np.add.at(seen, queries.stop, -1)
    item = histories.item
    weight = np.where(np.cumsum(seen)[:-1] > 0, worth, 0)
    table = np.zeros((len(histories.interests) + 1, fields + 1))
    np.add.at(table, (histories.item_interest[item], item_field[item]), weight)
    return shares(table[1:, 1:])
