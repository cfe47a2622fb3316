"""The audience tables: for each interest or item the users most likely to turn to it, when, and what to say."""

from __future__ import annotations

import calendar

import numpy as np
import polars as pl

from trajectory.data.times import DAY
from trajectory.insights.audiences.audience import Audience, Snapshot
from trajectory.insights.audiences.contact_timing import contact_timing
from trajectory.insights.audiences.cross_sell import recent_affinities
from trajectory.insights.audiences.ranking import TOP
from trajectory.schema import Histories

MOST = 100  # users of one audience


def members_table(found: Audience, histories: Histories, moment: Snapshot) -> pl.DataFrame:
    """The tenth of the lapsed users (`MOST` at most) with the highest chance of each chosen group, best first.

    Columns: kind, target, user, probability, arriving (that less the chance at the user's own rate over the whole
    history), new (never bought of it before), days (until the next step), weekday and hour (at which the user comes
    most), context (what the user bought lately that goes with it).
    """
    usually = contact_timing(histories, moment.queries)
    span = (moment.time - histories.time[moment.queries.start]) / DAY
    usual = -np.expm1(-found.counts.often * found.days / np.maximum(span, found.days)[:, None])
    name = histories.users["user"].to_list()
    tables = []
    for j, group in enumerate(found.model.chosen):
        rows = np.flatnonzero(found.lapsed[:, j])
        order = np.argsort(-found.probability[rows, j], kind="stable")
        rows = rows[order[: min(MOST, round(TOP * len(rows)))]]
        speaks = recent_affinities(found.counts.ever[rows], found.counts.season[rows], found.model.weight[:, group])
        tables.append(
            pl.DataFrame(
                {
                    "kind": [found.goods.kind] * len(rows),
                    "target": [found.goods.names[group]] * len(rows),
                    "user": [name[found.user[row]] for row in rows],
                    "probability": found.probability[rows, j],
                    "arriving": (found.probability[rows, j] - usual[rows, group]).astype(float),
                    "new": found.counts.ever[rows, group] == 0,
                    "days": moment.expected.next[rows],
                    "weekday": [calendar.day_name[day] for day in usually.weekday[rows]],
                    "hour": usually.hour[rows],
                    "context": [[found.goods.names[k] for k in some if k >= 0] for some in speaks],
                },
                schema_overrides={"context": pl.List(pl.String), "user": histories.users.schema["user"]},
            )
        )
    return pl.concat(tables)
