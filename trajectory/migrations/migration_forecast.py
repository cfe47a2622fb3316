"""The forecast side of migrations: where a run sees its users going, how far that held, and how it saw their past."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from trajectory.inference.new_users import whole_histories
from trajectory.migrations.flow_forecast import Moves
from trajectory.migrations.migration import Migrations
from trajectory.migrations.sessions import Sessions, moments
from trajectory.migrations.state_forecast import StateForecast, fit_forecaster, held_out, step_states
from trajectory.migrations.transitions import check_transitions
from trajectory.schema import Histories, Queries, UserError
from trajectory.training.run import Run


@dataclass(frozen=True)
class Prospect:
    """What is foreseen of all N users from the end of the log on."""

    forecast: StateForecast  # row u is user u
    check: dict[str, Any] | None  # of held-out windows, see `check_transitions`; None where the split has none
    past: np.ndarray  # float [found, W, K], states of the users that migrated as the model saw them after each window

    @property
    def steps(self) -> int:
        """Steps of the window to come, H."""
        return self.forecast.steps.interests.shape[1]


def look_forward(run: Run, migrations: Migrations) -> Prospect:
    """The prospect of a run's users, in the interests of the migrations' histories.

    Where the run's split held out as many steps as are foretold, the forecast is checked on them: on test. Raises
    UserError for a run that cannot foretell items, or a log too short for windows of so many steps.
    """
    units, c = migrations.sessions, run.task.config
    histories = units.histories
    if not c.heads.item:
        raise UserError("this run has no item head (heads.item=0), so it cannot foretell interests")
    forecaster = fit_forecaster(run, histories)
    check = None
    if held_out(run):
        tested = forecaster.forecast(run, histories, run.task.split.test)
        check = check_transitions(tested, forecaster.floors, histories, c.evaluation.bootstrap, c.seed)
    return Prospect(
        forecaster.forecast(run, histories, whole_histories(histories)),
        check,
        _model_states(run, units, migrations.movers, migrations.settings.window),
    )


def foreseen_moves(prospect: Prospect, histories: Histories) -> pl.DataFrame:
    """The largest foreseen flow of each user, largest first: user, source, destination, mass and moved (by all of its
    flows together), as shares of all its interest.
    """
    moves = Moves(prospect.forecast.now, prospect.forecast.next)
    one, other = moves.left.argmax(1), moves.taken.argmax(1)
    row = np.arange(len(one))
    names = pl.Series(histories.interests, dtype=pl.String)
    table = {
        "user": histories.users["user"],
        "source": names.gather(one),
        "destination": names.gather(other),
        "mass": moves.left[row, one] * moves.destination[row, other],
        "moved": moves.taken.sum(1),
    }
    return pl.DataFrame(table).sort("mass", descending=True, maintain_order=True)


def _model_states(run: Run, units: Sessions, users: np.ndarray, window: float) -> np.ndarray:
    """What the model expects of the step after each window's end [n, W, K]; NaN before a user's first event."""
    histories, count = units.histories, int(units.moment.max() // window) + 1
    moment = moments(histories)
    first, last = histories.offsets[users], histories.offsets[users + 1]
    ends = (np.arange(count) + 1) * window
    stop = np.array(
        [low + np.searchsorted(moment[low:high], ends) for low, high in zip(first, last, strict=True)], np.int64
    ).reshape(len(users), count)
    states = np.full((len(users), count, len(histories.interests)), np.nan)
    row, column = np.nonzero(stop > first[:, None])
    if len(row):
        asked = Queries(users[row], first[row], stop[row, column], last[row])
        states[row, column] = step_states(run, histories, asked, steps=1).interests[:, 0]
    return states
