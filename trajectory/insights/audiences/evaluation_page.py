"""How far audiences held, as the page shows it: the ranking beside the rivals, and the moments to write."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from trajectory.insights.audiences.audience import Audience
from trajectory.insights.audiences.contact_timing import CHANCE, OWN, USUAL, told
from trajectory.insights.audiences.evaluate import OURS
from trajectory.insights.audiences.next_visit import in_words
from trajectory.insights.audiences.page import WEEKS
from trajectory.insights.audiences.ranking_page import ranking_table
from trajectory.insights.report_model import Table, Text


def holdout_accuracy(
    measured: dict[str, Any],
    audience: Audience,
    began: datetime,
    moments: dict[str, Any],
    visits: dict[str, Any],
    unit: str,
) -> list[Table | Text]:
    """How far the ranking and the named moments held on what came after the cut."""
    return [against_rivals(measured, audience, began), contact_timing_accuracy(moments, visits, unit)]


def against_rivals(measured: dict[str, Any], audience: Audience, began: datetime) -> Table:
    """How far the ranking held on what came after the cut, beside the rivals."""
    arriving, kind = measured["arriving"], audience.goods.kind
    of = (
        f"Mean over {arriving['groups']} of the {kind}s; {arriving['users']:,} users, {arriving['bought']:,} times one "
        f"of them newly bought of one within {audience.days} days of {began:%d %B %Y}, which no method had seen. AUC: "
        "the chance that a buyer is ranked above another user; 0.5 is chance. Lift: buyers among the most likely tenth "
        f"over those among as many at random. Of all users of these {kind}s the AUC is "
        f"{measured['all users']['methods'][OURS]['auc']:.3f}."
    )
    return ranking_table(f"How well it ranked users who had not bought in {WEEKS} weeks", arriving, of, f"{kind}s")


def contact_timing_accuracy(moments: dict[str, Any], visits: dict[str, Any], unit: str) -> Text:
    """How far the days of the next step, called `unit`, weekdays and hours held."""
    own, usual = ((moments["weekday"], moments["hour"]), (moments["usual_weekday"], moments["usual_hour"]))
    whose = {
        OWN: "each user's {} is named",
        USUAL: "all users' {} is named",
        "": "no {} is named, as that may be chance",
    }
    return Text(
        f"The best moment is before the next visit. {in_words(visits, unit)} Of the visits that came, {own[0]:.1%} "
        f"were on the user's own most frequent weekday ({usual[0]:.1%} on the weekday of most visits of all users; by "
        f"chance {CHANCE['weekday']:.1%}): {whose[told(moments, 'weekday')].format('weekday')}. {own[1]:.1%} were "
        f"within an hour of the user's own most frequent hour ({usual[1]:.1%} of that of most visits of all users; by "
        f"chance {CHANCE['hour']:.1%}): {whose[told(moments, 'hour')].format('hour')}. A visit ends after half an hour "
        "without an event."
    )
