"""Demand of the past: what was sold of each item, interest and department in each whole week."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import pairwise

import numpy as np
import polars as pl

from trajectory.data.store.sales import require_sales, sales
from trajectory.data.times import DAY, MONDAY, WEEK
from trajectory.explain.explain import titles
from trajectory.reports.words import Words, words
from trajectory.schema import Histories, Split, UserError

PLURAL = {"item": "items", "interest": "categories", "department": "departments"}  # what series are called
LEAST_WEEKS = 16  # that a forecast learns from
MOST_WEEKS = 104  # the last ones of a longer log; all users are read at the end of each


@dataclass(frozen=True)
class Weeks:
    """Pieces sold of S series of each level in W whole weeks (Monday to Sunday).

    Levels: item, and interest and department where the log has them; series of one add up to those of the next.
    Returns are taken off in the week in which they came; where more of an item came back than was sold (`net` is below
    0), `count` is 0 and the rest is taken off the weeks that follow.
    """

    start: int  # unix seconds, of the first week
    count: dict[str, np.ndarray]  # level -> float64 [S, W]
    names: dict[str, tuple[str, ...]]  # level -> name of each series
    above: dict[str, np.ndarray]  # level -> int [S], series of the next level in `levels`; none for the last
    net: dict[str, np.ndarray]  # level -> float64 [S, W], what was sold less what came back
    returned: float  # pieces that came back in these weeks
    words: Words  # for what is sold
    later: float = 0.0  # pieces that came back after the log's last event of another type, which are not taken off
    moved: float = 0.0  # share of what was sold whose own department is not the one that its interest counts in
    around: tuple[float, float] = (0.0, 0.0)  # pieces sold, and come back, before the first and after the last week
    begun: np.ndarray | None = None  # float64 [S], sold of each item since the last whole week; None: nothing
    item_ids: tuple[str, ...] = ()  # of the source, for their names may be alike; () = their names

    @property
    def levels(self) -> tuple[str, ...]:
        """The levels that the log has, items first."""
        return tuple(self.count)

    @property
    def number(self) -> int:
        """Of weeks, W."""
        return next(iter(self.count.values())).shape[1]

    @property
    def main(self) -> str:
        """The level that is forecast first: interests, or items where the log has none."""
        return "interest" if "interest" in self.count else "item"

    def ids(self, level: str) -> tuple[str, ...]:
        """What identifies each series of a level: of items their ids, else their names."""
        return self.item_ids if level == "item" and self.item_ids else self.names[level]

    def begins(self, week: int) -> int:
        """Unix seconds at which week number `week` begins."""
        return self.start + week * WEEK

    def date(self, week: int) -> date:
        """The Monday of week number `week`."""
        return datetime.fromtimestamp(self.begins(week), UTC).date()

    def sold_since(self, level: str) -> np.ndarray:
        """Pieces of each series [S] sold in the running week, which is the first of the coming ones, at least 0."""
        items = np.zeros(len(self.names["item"])) if self.begun is None else self.begun
        return np.maximum(self.to_level(items, level), 0)

    def to_level(self, values: np.ndarray, level: str) -> np.ndarray:
        """Values [S, ...] of the series of the finest level, summed over those of each series of `level`."""
        for below, upper in pairwise(self.levels):
            if below == level:
                break
            values = summed(values, self.above[below], len(self.names[upper]))
        return values


def summed(values: np.ndarray, group: np.ndarray, groups: int) -> np.ndarray:
    """Values [S, ...] added up by the number of their group [S], [groups, ...]."""
    total = np.zeros((groups, *values.shape[1:]))
    np.add.at(total, group, values)
    return total


def weekly(histories: Histories) -> Weeks:
    """Counts the sales of each whole week of a log, of the last `MOST_WEEKS`.

    Levels that the log's items have not (interests, departments) are left out. Raises UserError for a log without
    sales, without times or of fewer than `LEAST_WEEKS` whole weeks.
    """
    require_sales(histories, "demand needs sales")
    if not histories.has_time or not histories.time.all():
        raise UserError("demand by week needs the time of each event, and this log has not: leave this step out")
    first = int(-(-(histories.time.min() // DAY * DAY - MONDAY) // WEEK))  # the first Monday in the log
    number = int((((histories.now - 1) // DAY + 1) * DAY - MONDAY) // WEEK) - first  # its last day may be a Sunday
    if number < LEAST_WEEKS:
        raise UserError(
            f"demand by week needs at least {LEAST_WEEKS} whole weeks, from Monday to Sunday, and this log has "
            f"{max(number, 0)}: leave this step out"
        )
    first, number = first + max(number - MOST_WEEKS, 0), min(number, MOST_WEEKS)
    sold = sales(histories)
    week = (sold.time - MONDAY) // WEEK - first
    inside = (week >= 0) & (week < number) & (sold.item > 0)
    place, pieces = (sold.item[inside] - 1, week[inside]), sold.quantity[inside]
    begun = np.zeros(len(histories.items))
    running = (week == number) & (sold.time < histories.now) & (sold.item > 0)
    np.add.at(begun, sold.item[running] - 1, sold.quantity[running])
    net = {"item": np.zeros((len(histories.items), number))}
    np.add.at(net["item"], place, pieces)
    count = {"item": carried(net["item"])}
    table = histories.items
    names = {"item": tuple(table.select(titles(table)).to_series())}
    above: dict[str, np.ndarray] = {}
    moved = 0.0
    groups: list[str | None] = list(table["interest"]) if histories.interests else []
    if groups:
        group = [name or "(none)" for name in groups]
        names["interest"], above["item"] = _numbered(group)
        for counted in (count, net):
            counted["interest"] = summed(counted["item"], above["item"], len(names["interest"]))
        if "department" in table.columns:
            events = count["item"].sum(1)
            own = [name or "(none)" for name in table["department"]]
            department = _most(above["item"], own, events)
            names["department"], above["interest"] = _numbered(department)
            others = np.array(own) != np.array(department)[above["item"]]
            moved = float(events[others].sum() / max(events.sum(), 1))
            for counted in (count, net):
                counted["department"] = summed(counted["interest"], above["interest"], len(names["department"]))
    returned = float(-pieces[pieces < 0].sum())
    trailing = (sold.time >= histories.now) & (week >= number)
    later = float(-np.minimum(sold.quantity[trailing], 0).sum())
    around = sold.quantity[~inside & ~trailing & (sold.item > 0)]
    outside = (float(around[around > 0].sum()), float(-around[around < 0].sum()))
    unit = words(histories, by_value=False)
    ids = tuple(table["item"].cast(pl.String))
    return Weeks(first * WEEK + MONDAY, count, names, above, net, returned, unit, later, moved, outside, begun, ids)


def carried(net: np.ndarray) -> np.ndarray:
    """Net sales [S, W] without weeks below 0: what came back beyond a week's sales is taken off the next weeks'."""
    counted, owed = np.zeros_like(net), np.zeros(len(net))
    for week in range(net.shape[1]):
        left = net[:, week] + owed
        counted[:, week], owed = np.maximum(left, 0), np.minimum(left, 0)
    return counted


def first_held_out(weeks: Weeks, split: Split) -> int | None:
    """Number of the first week that begins when the split's test does, or later, and has `LEAST_WEEKS` before it.

    From it on nothing has trained the model. None where no such week is held out.
    """
    cut = split.cut_time("test")
    if cut is None:
        return None
    week = max(-(-(cut - weeks.start) // WEEK), LEAST_WEEKS)
    return week if week < weeks.number else None


def _numbered(names: list[str]) -> tuple[tuple[str, ...], np.ndarray]:
    distinct, number = np.unique(names, return_inverse=True)
    return tuple(str(name) for name in distinct), number


def _most(group: np.ndarray, names: list[str], weight: np.ndarray) -> list[str]:
    """The name that weighs most in each group: a hierarchy needs one department of each interest."""
    distinct, number = _numbered(names)
    total = np.zeros((group.max() + 1, len(distinct)))
    np.add.at(total, (group, number), weight + 1e-9)
    return [distinct[i] for i in total.argmax(1)]
