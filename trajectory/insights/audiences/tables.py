"""The audience tables: for each interest or item the users most likely to turn to it, when, and what to say."""

from __future__ import annotations

import calendar

import numpy as np
import polars as pl

from trajectory.data.times import DAY
from trajectory.insights.audiences.audience import Audience, Snapshot
from trajectory.insights.audiences.baselines import goods_rivals
from trajectory.insights.audiences.contact_timing import contact_timing
from trajectory.insights.audiences.cross_sell import recent_affinities
from trajectory.insights.audiences.ranking import TOP
from trajectory.insights.customers.sums import Money
from trajectory.schema import Histories

MOST = 100  # users of one audience


def counted_table(audience: Audience, histories: Histories, rival: str) -> pl.DataFrame:
    """As many of the lapsed users as `members_table` has, best first by one of `goods_rivals`: kind, target, user and
    rank.
    """
    chosen, name = audience.model.chosen, histories.users["user"]
    scores = goods_rivals(audience.counts, audience.then, audience.then_bought, chosen, audience.counts.events)[rival]
    tables = []
    for j, group in enumerate(chosen):
        rows = np.flatnonzero(audience.lapsed[:, j])
        rows = rows[np.argsort(-scores[rows, j], kind="stable")[: min(MOST, round(TOP * len(rows)))]]
        of = {"kind": audience.goods.kind, "target": audience.goods.names[group]}
        users = pl.DataFrame({"user": name.gather(audience.user[rows]), "rank": np.arange(1, len(rows) + 1)})
        tables.append(users.select(**{key: pl.lit(value) for key, value in of.items()}, user="user", rank="rank"))
    return pl.concat(tables)


def members_table(audience: Audience, histories: Histories, moment: Snapshot) -> pl.DataFrame:
    """The tenth of the lapsed users (`MOST` at most) with the highest chance of each chosen group, best first.

    Columns: kind, target, user, probability, arriving (that less the chance at the user's own rate over the whole
    history), new (never bought of it before), days (until the next step), weekday and hour (at which the user comes
    most), context (what the user bought lately that goes with it).
    """
    usually = contact_timing(histories, moment.queries)
    span = (moment.time - histories.time[moment.queries.start]) / DAY
    usual = -np.expm1(-audience.counts.often * audience.days / np.maximum(span, audience.days)[:, None])
    name = histories.users["user"].to_list()
    tables = []
    for j, group in enumerate(audience.model.chosen):
        rows = np.flatnonzero(audience.lapsed[:, j])
        order = np.argsort(-audience.probability[rows, j], kind="stable")
        rows = rows[order[: min(MOST, round(TOP * len(rows)))]]
        speaks = recent_affinities(
            audience.counts.ever[rows], audience.counts.season[rows], audience.model.weight[:, group]
        )
        tables.append(
            pl.DataFrame(
                {
                    "kind": [audience.goods.kind] * len(rows),
                    "target": [audience.goods.names[group]] * len(rows),
                    "user": [name[audience.user[row]] for row in rows],
                    "probability": audience.probability[rows, j],
                    "arriving": (audience.probability[rows, j] - usual[rows, group]).astype(float),
                    "new": audience.counts.ever[rows, group] == 0,
                    "days": moment.expected.next[rows],
                    "weekday": [calendar.day_name[day] for day in usually.weekday[rows]],
                    "hour": usually.hour[rows],
                    "context": [[audience.goods.names[k] for k in some if k >= 0] for some in speaks],
                },
                schema_overrides={"context": pl.List(pl.String), "user": histories.users.schema["user"]},
            )
        )
    return pl.concat(tables)


def totals_table(rows: pl.DataFrame, money: Money) -> pl.DataFrame:
    """A row for each audience of `members_table`, most expected buyers first: kind, target, users, expected_buyers,
    customers (users with an order so far), spend_expected (of these together, on whatever, in the coming days of the
    customers' forecast), spend_low and spend_high (of that sum).
    """
    of = rows.group_by("kind", "target", maintain_order=True).agg(
        "user", users=pl.len().cast(pl.Int64), expected_buyers=pl.col("probability").sum()
    )
    told = pl.concat([of.drop("user"), money.sums([money.rows(users) for users in of["user"]])], how="horizontal")
    return told.sort("expected_buyers", "kind", "target", descending=[True, False, False])
