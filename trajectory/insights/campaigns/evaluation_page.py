"""How far forecasts of campaigns held, as the page shows it, and whether recipients bought more than others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from trajectory.insights.audiences.ranking_page import ranking_table
from trajectory.insights.campaigns.campaign_forecast import OUTCOMES, POSITIVES
from trajectory.insights.campaigns.uplift import Uplift
from trajectory.insights.report_model import Table


def holdout_accuracy(held: dict[str, dict[str, Any]], compared: Sequence[Uplift]) -> list[Table]:
    """How recipients were ranked, for each outcome that was measured, and how they compare with others."""
    running: list[str] = next((measured["running"] for measured in held.values()), [])
    ranked = [against_rivals(outcome, measured) for outcome, measured in held.items()]
    return [*ranked, *([uplift_table(compared, running)] if compared else [])]


def against_rivals(outcome: str, measured: dict[str, Any]) -> Table:
    """How far the ranking of recipients held, beside the rivals."""
    of = (
        f"Mean over the {len(measured['campaigns'])} campaigns, of {measured['expected']} forecast, in which at least "
        f"{POSITIVES} recipients did and {POSITIVES} did not ({', '.join(measured['campaigns'])}): "
        f"{measured['recipients']:,} recipients, {measured['answers']:,} answers. Each was forecast from what was "
        f"known when it started; all methods learned from the same earlier campaigns.{still_running(measured)}"
    )
    return ranking_table(
        f"How well it ranked recipients of campaigns: who will {OUTCOMES[outcome]}", measured, of, "campaigns"
    )


def still_running(measured: dict[str, Any]) -> str:
    """Which campaigns were not over when the log ended, and what that means; "" where all were."""
    running = measured["running"]
    if not running:
        return ""
    left = "are of the others" if len(running) < measured["expected"] else "are too high, as more answers may come"
    return (
        f" Not over when the log ended: {', '.join(running)}; their answers are those so far, and probabilities below "
        f"{left}."
    )


def uplift_table(compared: Sequence[Uplift], running: Sequence[str]) -> Table:
    """Recipients beside users like them, in the campaign and in the weeks before it."""

    def points(of: tuple[float, float, float]) -> str:
        return f"{of[0]:+.1%} ({of[1]:+.1%} to {of[2]:+.1%})"

    rows = [
        {
            "campaign": uplift.campaign,
            "recipients": uplift.recipients,
            "others": uplift.others,
            "as they are": f"{uplift.plain:+.1%}",
            "weighted alike": points(uplift.during),
            "the weeks before": points(uplift.before),
        }
        for uplift in compared
    ]
    return Table(
        "Did recipients buy promoted items more often than others like them?",
        pl.DataFrame(rows),
        note="Difference in the share that buys, in percentage points, with 95 % intervals. Weighted by propensity so "
        "that both sides had bought, used coupons and been addressed alike before. The weeks before the campaign "
        "should show none, for it had not begun: what they show is what such weights cannot take out. Recipients were "
        "not drawn at random, they were chosen by what they buy, and others may have got other campaigns at the time: "
        "an indication, no proof of an effect."
        + (f" Not over when the log ended, and seen until then: {', '.join(running)}." if running else ""),
    )
