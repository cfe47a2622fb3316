"""Migration forecasts: where a run expects its users to go, with the accuracy of such forecasts on holdout windows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from trajectory.evaluation.standing import evaluations_of_checkpoint
from trajectory.inference.new_users import whole_histories
from trajectory.inference.step_forecast import steps_ahead
from trajectory.migrations.flow_forecast import Moves
from trajectory.migrations.migration import Migrations
from trajectory.migrations.sessions import Sessions, event_moments
from trajectory.migrations.standing import Standing, standing
from trajectory.migrations.state_forecast import StateForecast, fit_forecaster, held_out, step_states
from trajectory.migrations.transitions import check_transitions
from trajectory.reports.words import steps
from trajectory.run import Run
from trajectory.schema import Histories, Queries, UserError


@dataclass(frozen=True)
class MigrationForecast:
    """The forecast of all N users from the end of the log on."""

    states: StateForecast  # row u is user u
    check: dict[str, Any] | None  # on holdout windows, see `check_transitions`; None where the split has none
    past: np.ndarray  # float [found, W, K], states of the users that migrated as the model saw them after each window
    standing: Standing  # against counting rules
    interests_are: str = ""  # what the run forecasts interests by; "" of learned interests

    @property
    def steps(self) -> int:
        """Steps of the next window, H."""
        return self.states.steps.interests.shape[1]


def forecast_migrations(run: Run, migrations: Migrations) -> MigrationForecast:
    """Forecasts where a run's users go, in the interests of the migrations' histories.

    Where the run's split held out as many steps as are forecast, the forecast is checked on the test steps. Raises
    UserError for a run that cannot predict items, or a log too short for windows of so many steps.
    """
    units, c = migrations.sessions, run.config
    histories = units.histories
    if not c.heads.item:
        raise UserError("this run has no item head (heads.item=0), so it cannot forecast interests")
    forecaster = fit_forecaster(run, histories)
    check = None
    if held_out(run):
        tested = forecaster.forecast(run, histories, run.experiment.split.test)
        check = check_transitions(tested, forecaster.baselines, histories, c.evaluation.bootstrap, c.seed)
    return MigrationForecast(
        forecaster.forecast(run, histories, whole_histories(histories)),
        check,
        _model_states(run, units, migrations.movers, migrations.settings.window),
        standing(check, evaluations_of_checkpoint(run), steps(histories, steps_ahead(c))),
        run.interests_are if run.experiment.histories.interests else "",
    )


def largest_moves(forecast: MigrationForecast, histories: Histories) -> pl.DataFrame:
    """The largest expected flow of each user, largest first: user, source, destination, mass and moved (by all of its
    flows together), as shares of all its interest.
    """
    moves = Moves(forecast.states.now, forecast.states.next)
    source, destination = moves.left.argmax(1), moves.taken.argmax(1)
    row = np.arange(len(source))
    names = pl.Series(histories.interests, dtype=pl.String)
    table = {
        "user": histories.users["user"],
        "source": names.gather(source),
        "destination": names.gather(destination),
        "mass": moves.left[row, source] * moves.destination[row, destination],
        "moved": moves.taken.sum(1),
    }
    return pl.DataFrame(table).sort("mass", descending=True, maintain_order=True)


def _model_states(run: Run, units: Sessions, users: np.ndarray, window: float) -> np.ndarray:
    """What the model expects of the step after each window's end [n, W, K]; NaN before a user's first event."""
    histories, count = units.histories, int(units.moment.max() // window) + 1
    moment = event_moments(histories)
    first, last = histories.offsets[users], histories.offsets[users + 1]
    ends = (np.arange(count) + 1) * window
    stop = np.array(
        [low + np.searchsorted(moment[low:high], ends) for low, high in zip(first, last, strict=True)], np.int64
    ).reshape(len(users), count)
    states = np.full((len(users), count, len(histories.interests)), np.nan)
    row, column = np.nonzero(stop > first[:, None])
    if len(row):
        queries = Queries(users[row], first[row], stop[row, column], last[row])
        states[row, column] = step_states(run, histories, queries, steps=1).interests[:, 0]
    return states
