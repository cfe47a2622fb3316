"""How far audiences held, as the page shows it: the ranking beside the rivals, and the moments to write."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import polars as pl

from trajectory.insights.audiences.audience import Audience
from trajectory.insights.audiences.evaluate import OURS
from trajectory.insights.audiences.next_visit import in_words
from trajectory.insights.audiences.page import WEEKS
from trajectory.insights.report_model import Table, Text

MEASURES = {"AUC": "{:.3f}", "from": "{:.3f}", "to": "{:.3f}", "lift at 10 %": "{:.2f}", "behind by": "{:+.3f}"}


def holdout_accuracy(
    measured: dict[str, Any], audience: Audience, began: datetime, moments: dict[str, Any], visits: dict[str, Any]
) -> list[Table | Text]:
    """How far the ranking and the named moments held on what came after the cut."""
    return [against_rivals(measured, audience, began), contact_timing_accuracy(moments, visits)]


def against_rivals(measured: dict[str, Any], audience: Audience, began: datetime) -> Table:
    """How far the ranking held on what came after the cut, beside the rivals."""
    arriving = measured["arriving"]
    calibration = arriving["calibration"]
    within = "within" if calibration["within_sampling_error"] else "outside"
    return Table(
        f"How well it ranked users who had not bought in {WEEKS} weeks",
        methods_table(arriving),
        MEASURES,
        note=f"Mean over {arriving['groups']} of the {audience.goods.kind}s; {arriving['users']:,} users, "
        f"{arriving['bought']:,} times one of them newly bought of one within {audience.days} days of "
        f"{began:%d %B %Y}, which no method had seen. AUC: the chance that a buyer is ranked above another "
        "user; 0.5 is chance. Lift: buyers among the "
        "most likely tenth over those among as many at random. "
        f"Of all users of these {audience.goods.kind}s the AUC is {measured['all users']['methods'][OURS]['auc']:.3f}. "
        f"Probabilities miss by {calibration['ece']:.2%} on average, {within} what a perfect model would show (up "
        f"to {calibration['high']:.2%}); {audience.goods.kind}s one by one: "
        f"{calibration['share_within_sampling_error']:.0%} within.",
    )


def methods_table(measured: dict[str, Any]) -> pl.DataFrame:
    """One row for each method: AUC with its interval, lift, and how far it is behind ours."""
    return pl.DataFrame(
        [
            {"ranked by": name, "AUC": of["auc"], "from": of["low"], "to": of["high"], "lift at 10 %": of["lift"]}
            | {"behind by": measured["leads"].get(name, {}).get("difference")}
            for name, of in measured["methods"].items()
        ],
        schema_overrides={"behind by": pl.Float64},
    )


def contact_timing_accuracy(moments: dict[str, Any], visits: dict[str, Any]) -> Text:
    """How far the days of next visits, weekdays and hours held."""
    return Text(
        f"The best moment is before the next visit. {in_words(visits)} Of the visits that came, "
        f"{moments['weekday']:.0%} were on the user's own most frequent weekday, as named "
        f"({moments['usual_weekday']:.0%} on the weekday of most visits of all users) and {moments['hour']:.0%} within "
        f"an hour of the user's own most frequent hour ({moments['usual_hour']:.0%} within an hour of that of most "
        "visits of all users)."
    )
