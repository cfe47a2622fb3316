"""What the page shows of audiences for interests and items, in a merchant's words."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from trajectory.insights.audiences.counts import SEASON
from trajectory.insights.audiences.evaluate import OURS, Audience
from trajectory.insights.report_model import Table, Text

WEEKS = round(SEASON / 7)
MEASURES = {"AUC": "{:.3f}", "from": "{:.3f}", "to": "{:.3f}", "lift at 10 %": "{:.2f}", "behind by": "{:+.3f}"}


def members_table(rows: pl.DataFrame, found: Audience, began: datetime, top: int) -> Table:
    """The first users of each audience; the reader chooses for which interest or item."""
    day = pl.col("days").map_elements(lambda days: f"{began + timedelta(days=days):%d %b}", pl.String)
    best = rows.group_by("target", maintain_order=True).head(top).select(
        "target",
        "user",
        pl.col("probability").alias(f"buys within {found.days} days"),
        pl.col("arriving").alias("above own rate"),
        pl.format("next visit about {}; most often {}s, {}:00", day, "weekday", "hour").alias("best moment"),
        pl.col("context").list.join(", ").alias("goes with what was bought"),
    )  # fmt: skip
    return Table(
        f"Who to address, for each {found.goods.kind}",
        best,
        {f"buys within {found.days} days": "{:.0%}", "above own rate": "{:+.0%}"},
        by="target",
        note=f"As of {began:%d %B %Y}: users who have not bought of it in {WEEKS} weeks, most likely first. The whole "
        "audiences are in the table audiences.",
    )


def holdout_accuracy(measured: dict[str, Any], found: Audience, began: datetime) -> Table:
    """How far the ranking held on what came after the cut, beside the rivals."""
    one = measured["arriving"]
    calibration = one["calibration"]
    within = "within" if calibration["within_sampling_error"] else "outside"
    return Table(
        f"How well it ranked users who had not bought in {WEEKS} weeks",
        methods_table(one),
        MEASURES,
        note=f"Mean over {one['groups']} of the {found.goods.kind}s; {one['users']:,} users, {one['bought']:,} "
        f"times one of them newly bought of one within {found.days} days of {began:%d %B %Y}, which no method had "
        "seen. AUC: the chance that a buyer is ranked above another user; 0.5 is chance. Lift: buyers among the "
        "most likely tenth over those among as many at random. "
        f"Of all users of these {found.goods.kind}s the AUC is {measured['all users']['methods'][OURS]['auc']:.3f}. "
        f"Probabilities miss by {calibration['ece']:.2%} on average, {within} what a perfect model would show (up "
        f"to {calibration['high']:.2%}); {found.goods.kind}s one by one: "
        f"{calibration['share_within_sampling_error']:.0%} within.",
    )


def methods_table(one: dict[str, Any]) -> pl.DataFrame:
    """One row for each method: AUC with its interval, lift, and how far it is behind ours."""
    return pl.DataFrame(
        [
            {"ranked by": name, "AUC": of["auc"], "from": of["low"], "to": of["high"], "lift at 10 %": of["lift"]}
            | {"behind by": one["leads"].get(name, {}).get("difference")}
            for name, of in one["methods"].items()
        ],
        schema_overrides={"behind by": pl.Float64},
    )


def contact_timing_accuracy(moments: dict[str, Any]) -> Text:
    """How far weekdays and hours held."""
    return Text(
        f"The best moment is before the next visit. Of the visits that came, {moments['weekday']:.0%} were on the "
        f"user's own most frequent weekday, as named ({moments['usual_weekday']:.0%} on the weekday of most visits of "
        f"all users) and {moments['hour']:.0%} within an hour of the user's own most frequent hour "
        f"({moments['usual_hour']:.0%} within an hour of that of most visits of all users)."
    )


def summary_sentences(measured: dict[str, Any], found: Audience, rows: pl.DataFrame, cut: datetime) -> list[str]:
    """What a merchant does with it: the largest audience, and how much better than chance the ranking was from the cut
    on.
    """
    mine = rows.filter(pl.col("kind") == found.goods.kind)
    best = mine.group_by("target").agg(pl.len(), pl.col("probability").sum(), pl.col("days").median())
    top = best.sort("probability", "target", descending=[True, False]).row(0, named=True)
    one, column = measured["arriving"], [found.goods.names[k] for k in found.model.chosen].index(top["target"])
    usual = float(np.mean(found.probability[found.lapsed[:, column], column]))
    return [
        f"Address {top['len']} users for {top['target']}: none bought of it in the last {WEEKS} weeks, and "
        f"{top['probability']:.0f} of them are expected to within {found.days} days "
        f"({top['probability'] / top['len']:.0%} each, {usual:.0%} of all such users); half of them "
        f"come again within {top['days']:.0f} days.",
        f"The most likely tenth of users who had not bought in {WEEKS} weeks bought {one['methods'][OURS]['lift']:.1f} "
        f"times as often as such users in general, over {one['groups']} {found.goods.kind}s in the {found.days} days "
        f"from {cut:%d %B %Y} on.",
    ]
