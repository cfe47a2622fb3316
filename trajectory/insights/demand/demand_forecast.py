"""Demand of the weeks after every origin of a log, at all levels, forecast from a run and the log's promotions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ml_collections import ConfigDict

from trajectory.data.context.promotions import KINDS, read_promotions
from trajectory.data.ingest.items.table import MOVED
from trajectory.data.ingest.source.domains import resolve
from trajectory.data.store.builder import detected
from trajectory.data.times import WEEK
from trajectory.insights.demand.bottom_up import from_users
from trajectory.insights.demand.features import HORIZONS, Known
from trajectory.insights.demand.reconcile import reconcile
from trajectory.insights.demand.regression import forecasts
from trajectory.insights.demand.weekly_counts import LEAST_WEEKS, Weeks, first_held_out, weekly
from trajectory.run import Run
from trajectory.schema import Histories

FIRST_ORIGIN = 13  # weeks that the first forecast knows
CHOSEN_BY = 4  # horizons by which the combination is chosen
ALL_SEEN = "the run has learned from all weeks"
REPLAYED = 12  # weeks at the end of a log of which nothing is held out


@dataclass(frozen=True)
class Demand:
    """The forecast: O origins, HORIZONS weeks, S series of each level."""

    weeks: Weeks
    origins: tuple[int, ...]  # FIRST_ORIGIN .. number of weeks; the last is now
    known: dict[str, Known]  # by level
    forecast: dict[str, np.ndarray]  # by level, float64 [O, HORIZONS, S]; levels add up
    from_users: np.ndarray  # float64 [O, HORIZONS, S] of the main level, what users' forecasts alone expect
    held_out: int | None  # first week that the run has not seen
    weighs_users: bool  # whether users' forecasts are part of the combination
    tried: dict[str, float]  # variant -> WAPE on the weeks that the combination was chosen on
    lines: bool = False  # a setting leaves the log's quantities out, so that each line of a sale is one piece
    unseen: str = ALL_SEEN  # why nothing is held out, where `held_out` is None
    grouped: str = ""  # what was said of items that count as one when the log was prepared

    @property
    def tested(self) -> range:
        """The weeks that forecasts are held against: those held out, else the last ones."""
        last = max(self.weeks.number - REPLAYED, FIRST_ORIGIN)
        return range(last if self.held_out is None else self.held_out, self.weeks.number)

    @property
    def has_promotions(self) -> bool:
        """Whether the log tells of promotions."""
        return self.known[self.weeks.main].promotions is not None

    def observed(self, level: str) -> np.ndarray:
        """What was observed in each week forecast [O, HORIZONS, S]; NaN after the end of the log."""
        return outcomes(self.weeks.count[level], self.origins)


def forecast_demand(run: Run) -> Demand:
    """Forecasts after every origin of the run's log, each from what was known then.

    Users' forecasts are weighed in where that lowered the error of the next weeks before anything held out. Raises
    UserError for a log without times or with few weeks.
    """
    histories = run.experiment.histories
    weeks = weekly(histories)
    origins = tuple(range(FIRST_ORIGIN, weeks.number + 1))
    expected = np.zeros((len(histories.items), len(origins), HORIZONS))  # nothing of items that the model does not know
    expected[: histories.num_items] = np.moveaxis(from_users(run, weeks, list(origins), HORIZONS), 2, 0)
    planned = promotions(run, weeks)
    known, by_users = {}, {}
    for level in weeks.levels:
        by_users[level] = np.moveaxis(weeks.to_level(expected, level), 0, 2)
        known[level] = Known(
            weeks.count[level], origins, by_users[level], None if planned is None else weeks.to_level(planned, level)
        )
    held_out = first_held_out(weeks, run.experiment.split)
    reconciled, tried = {}, {}
    for users_too in (True, False):
        direct = {level: forecasts(known[level], users=users_too) for level in weeks.levels}
        reconciled[users_too] = reconcile(weeks, direct)
        name = "with users' forecasts" if users_too else "without users' forecasts"
        tried[name] = _error(weeks, origins, reconciled[users_too][weeks.main], held_out or weeks.number)
    best = tried["with users' forecasts"] <= tried["without users' forecasts"]
    lines, grouped = lines_and_groups(histories, run.config.data)
    by_time = run.experiment.split.cut_time("test") is not None
    return Demand(
        weeks,
        origins,
        known,
        reconciled[best],
        by_users[weeks.main],
        held_out,
        best,
        tried,
        lines,
        f"no whole week with {LEAST_WEEKS} before it begins after the test cut" if by_time else ALL_SEEN,
        grouped,
    )


def lines_and_groups(histories: Histories, data: ConfigDict) -> tuple[bool, str]:
    """`Demand.lines` and `Demand.grouped` of histories that were prepared from `data`."""
    data = resolve(data)
    notes = detected(histories, data).get("notes", [])
    grouped = (note["text"] for note in notes if note["topic"] == MOVED)
    return data.columns.quantity == "-", " ".join(f"{text[0].upper()}{text[1:]}." for text in grouped)


def promotions(run: Run, weeks: Weeks) -> np.ndarray | None:
    """Stores with each kind of promotion of each item in each week, float64 [V', W + HORIZONS, P]; None if none.

    NaN in the weeks after the last of which the log tells.
    """
    table = read_promotions(run.config.data)
    if table is None or table.is_empty():
        return None
    number = {str(item): i for i, item in enumerate(run.experiment.histories.items["item"])}
    planned = np.zeros((len(number), weeks.number + HORIZONS, len(KINDS)))
    week = ((table["begins"].to_numpy() - weeks.start) // WEEK).astype(int)
    item = np.array([number.get(name, -1) for name in table["item"]])
    known = (item >= 0) & (week >= 0) & (week < planned.shape[1])
    planned[item[known], week[known]] = table.select(KINDS).to_numpy()[known]
    planned[:, max(int(week.max()) + 1, 0) :] = np.nan
    return planned


def outcomes(count: np.ndarray, origins: tuple[int, ...]) -> np.ndarray:
    """Pieces [S, W] sold in each of the weeks after each origin, [O, HORIZONS, S]; NaN after the log's end."""
    longer = np.pad(count, ((0, 0), (0, HORIZONS)), constant_values=np.nan)
    return np.stack([longer[:, origin : origin + HORIZONS].T for origin in origins])


def _error(weeks: Weeks, origins: tuple[int, ...], forecast: np.ndarray, until: int) -> float:
    """WAPE of the first horizons, over origins of the later half of the weeks before `until`."""
    observed = outcomes(weeks.count[weeks.main][:, :until], tuple(origin for origin in origins if origin < until))
    some = np.array([origin >= (FIRST_ORIGIN + until) // 2 for origin in origins if origin < until])
    observed, said = observed[some, :CHOSEN_BY], forecast[: len(some)][some, :CHOSEN_BY]
    there = np.isfinite(observed)
    return float(np.abs(said - observed)[there].sum() / observed[there].sum())
