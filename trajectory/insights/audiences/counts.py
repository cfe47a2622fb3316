"""What counting knows of each user and group of items at a moment: how much, how often, how long ago."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from trajectory.data.pipeline.splits import step_starts
from trajectory.data.store.sales import pieces_sold
from trajectory.data.times import DAY
from trajectory.insights.audiences.audience_targets import AudienceTargets
from trajectory.schema import Histories, Queries

MONTH, SEASON = 28.0, 84.0  # days back
NEVER = 400.0  # days since what never came


class Counts(NamedTuple):
    """Of n users and G groups; events before the moment asked at, and no other."""

    month: np.ndarray  # float32 [n, G], sales of the last 4 weeks
    season: np.ndarray  # float32 [n, G], of the last 12 weeks
    ever: np.ndarray  # float32 [n, G]
    often: np.ndarray  # float32 [n, G], steps with any, ever
    since: np.ndarray  # float32 [n, G], days since the last one
    steps: np.ndarray  # float32 [n, 3], steps (of any event) of the last 4 weeks, of 12, and ever
    events: np.ndarray  # float32 [n], of any type, of the last 12 weeks
    idle: np.ndarray  # float32 [n], days since the last event
    looked: np.ndarray  # float32 [n, G], other events of the last 12 weeks, such as views; [n, 0] where all are sales

    @property
    def lapsed(self) -> np.ndarray:
        """Who has not bought of a group within 12 weeks, bool [n, G]: their interest can arrive."""
        return self.season == 0

    def of(self, rows: np.ndarray) -> Counts:
        """Those of some users (int or bool)."""
        return Counts(*(part[rows] for part in self))


def count(histories: Histories, goods: AudienceTargets, queries: Queries, moment: int) -> Counts:
    """Counts of each query's history start:stop at `moment` (unix seconds): of groups what was bought, else all."""
    n, groups = len(queries.user), len(goods.names) + 1
    row = np.full(histories.num_users, -1)
    row[queries.user] = np.arange(n)
    who = np.repeat(row, np.diff(histories.offsets))
    past = np.flatnonzero((who >= 0) & (np.arange(histories.num_events) < np.append(queries.stop, 0)[who]))
    who, age = who[past], (moment - histories.time[past]) / DAY
    buys = pieces_sold(histories) > 0
    every = goods.of_item[histories.item[past]]
    group = np.where(buys[past], every, 0)  # what was only looked at is bought of no group

    def lines(some: np.ndarray, group: np.ndarray = group) -> np.ndarray:
        flat = np.bincount(who[some] * groups + group[some], minlength=n * groups)
        return flat.reshape(n, groups)[:, 1:].astype(np.float32)

    # Users follow each other, and a step's events lie together: a step is numbered by where it begins.
    starts = step_starts(histories)
    step = np.searchsorted(starts, past, side="right") * groups + group
    once = np.unique(step, return_index=True)[1]
    often = np.bincount(who[once] * groups + group[once], minlength=n * groups).reshape(n, groups)
    since = np.full((n, groups), NEVER, np.float32)
    np.minimum.at(since, (who, group), age.astype(np.float32))
    idle = np.full(n, NEVER, np.float32)
    np.minimum.at(idle, who, age.astype(np.float32))
    new = np.isin(past, starts)
    steps = [np.bincount(who[new & (age <= days)], minlength=n) for days in (MONTH, SEASON, np.inf)]
    events = np.bincount(who[age <= SEASON], minlength=n).astype(np.float32)
    return Counts(
        month=lines(age <= MONTH),
        season=lines(age <= SEASON),
        ever=lines(age <= np.inf),
        often=often[:, 1:].astype(np.float32),
        since=since[:, 1:],
        steps=np.stack(steps, 1).astype(np.float32),
        events=events,
        idle=idle,
        looked=np.zeros((n, 0), np.float32) if buys.all() else lines((age <= SEASON) & ~buys[past], every),
    )


def hand_made(counts: Counts, chosen: np.ndarray) -> np.ndarray:
    """The counts of `chosen` groups [g] as columns: recency, frequency, shares, popularity, and attention where it is
    known, float32 [n, g, 13 or 14].
    """
    n, g = len(counts.idle), len(chosen)
    month, season, ever = counts.month[:, chosen], counts.season[:, chosen], counts.ever[:, chosen]
    steps = counts.steps[:, None, :]
    popular = np.stack([(part > 0).mean(0) for part in (month, season)], -1)
    columns = [
        np.stack([month, season, ever, counts.since[:, chosen]], -1),
        np.broadcast_to(steps, (n, g, 3)),
        np.broadcast_to(np.stack([counts.events, counts.idle], -1)[:, None], (n, g, 2)),
        np.broadcast_to(popular, (n, g, 2)),
        np.stack([season / np.maximum(steps[..., 1], 1), ever / np.maximum(steps[..., 2], 1)], -1),
    ]
    if counts.looked.shape[1]:
        columns.append(counts.looked[:, chosen, None])
    return np.concatenate(columns, -1).astype(np.float32)
