"""What the page shows of audiences for interests and items, in a merchant's words."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import polars as pl

from trajectory.insights.audiences.audience import Audience
from trajectory.insights.audiences.counts import SEASON
from trajectory.insights.audiences.evaluate import OURS
from trajectory.insights.campaigns import budget
from trajectory.insights.customers.sums import SUMS, Money
from trajectory.insights.report_model import Picture, Table

WEEKS = round(SEASON / 7)
SHOWN = 10  # users of each audience on the page
TARGETS = 15  # audiences
LIMITS = (
    "An audience is ranked by the chance that its users buy, not by what an advertisement would change: those who are "
    "most likely to buy may do so anyway. Hold back a random tenth of each audience to learn what the message adds."
)


def blocks(
    rows: pl.DataFrame, audience: Audience, began: datetime, then: Audience, cut: datetime, unit: str
) -> list[Table | Picture]:
    """Whom to address as of `began`, and what an audience of each size brought in those of `then`, as of the cut;
    `unit`: of the step that is forecast.
    """
    first = rows.filter(pl.col("kind") == audience.goods.kind)
    return [first_users(first, audience, began, unit), budget_curve(then, cut)]


def first_users(rows: pl.DataFrame, audience: Audience, began: datetime, unit: str) -> Table:
    """The first users of each audience; the reader chooses for which interest or item."""
    day = pl.col("days").map_elements(lambda days: f"{began + timedelta(days=days):%d %b}", pl.String)
    best = rows.group_by("target", maintain_order=True).head(SHOWN).select(
        "target",
        "user",
        pl.col("probability").alias(f"buys within {audience.days} days"),
        pl.col("arriving").alias("above own rate"),
        pl.concat_str(
            pl.format("next {} about {}", pl.lit(unit), day),
            pl.format("most often on {}s", "weekday"),
            pl.format("most often at about {}:00 of any day", "hour"),
            separator=", ",
            ignore_nulls=True,
        ).alias("best moment"),
        pl.col("context").list.join(", ").alias("goes with what was bought"),
    )  # fmt: skip
    return Table(
        f"Who to address, for each {audience.goods.kind}",
        best,
        {f"buys within {audience.days} days": "{:.0%}", "above own rate": "{:+.0%}"},
        by="target",
        note=f"As of {began:%d %B %Y}: users who have not bought of it in {WEEKS} weeks, most likely first. The whole "
        "audiences are in the table audiences.",
    )


def whole_audiences(totals: pl.DataFrame, audience: Audience, money: Money) -> Table:
    """How many buyers are expected of each audience, and what its users will spend."""
    known = totals["spend_expected"].null_count() < totals.height
    shown = totals.filter(pl.col("kind") == audience.goods.kind).select(
        pl.col("target").alias(audience.goods.kind),
        "users",
        pl.col("expected_buyers").alias(f"buyers within {audience.days} days"),
        *([pl.col(name).alias(of) for name, of in SUMS.items()] if known else []),
    )
    return Table(
        "Whole audiences",
        shown.head(TARGETS),
        {f"buyers within {audience.days} days": "{:.1f}", **dict.fromkeys(SUMS.values(), "{:,.0f}")},
        note=f"{money.note} All are in the table audience_totals.",
    )


def budget_curve(audience: Audience, cut: datetime) -> Picture:
    """The budget curve of the group that most users newly bought of from the cut on."""
    lapsed, bought = audience.lapsed, audience.bought
    j = int((lapsed & bought).sum(0).argmax())
    rows = np.flatnonzero(lapsed[:, j])
    scores = {
        OURS: audience.probability[rows, j],
        "own frequency in it": audience.counts.ever[rows, audience.model.chosen[j]]
        + 1e-3 * audience.counts.steps[rows, 1],
    }
    curve = budget.curve(audience.probability[rows, j], bought[rows, j], scores)
    name = audience.goods.names[audience.model.chosen[j]]
    title = f"What an audience of each size brought from {cut:%d %B %Y} on: {name}"
    return budget.draw(curve, title, f"buyers within {audience.days} days")
