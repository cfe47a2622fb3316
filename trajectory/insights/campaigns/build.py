"""What the page says of campaigns: who answers, how far that held, and whether recipients bought more than others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from trajectory.data.context.campaigns import read_campaigns, read_lines
from trajectory.insights.audiences import page
from trajectory.insights.campaigns import budget
from trajectory.insights.campaigns.campaign_log import Campaign, CampaignLog, campaign_log, campaigns_of
from trajectory.insights.campaigns.evaluate import (
    OURS,
    OUTCOMES,
    POSITIVES,
    CampaignForecast,
    measure,
    predict_responses,
)
from trajectory.insights.campaigns.uplift import Uplift, uplift
from trajectory.insights.report_model import Picture, Table, Text
from trajectory.run import Run

RESAMPLES = 100  # of the comparison with others: each fits a propensity anew


@dataclass(frozen=True)
class CampaignPart:
    """What campaigns add to the part of audiences; nothing where the log has none."""

    sentences: tuple[str, ...] = ()
    blocks: tuple[Text | Table | Picture, ...] = ()
    tables: dict[str, pl.DataFrame] = field(default_factory=dict)
    measured: dict[str, Any] = field(default_factory=dict)


def campaign_part(run: Run, since: int) -> CampaignPart:
    """Campaigns that start at `since` (unix seconds) or later, each forecast from what was known when it started."""
    c, log, campaigns = run.config, *known_campaigns(run)
    forecasts = predict_responses(log, campaigns, since) if log else []
    if log is None or not forecasts:
        return CampaignPart()
    held = measure(forecasts, len(log.users), c.evaluation.bootstrap, c.seed)
    compared = compare(log, campaigns, since, RESAMPLES, c.seed)
    blocks: list[Text | Table | Picture] = []
    if held:
        blocks.append(_curve(forecasts))
        blocks += [_held(outcome, one) for outcome, one in held.items()]
    if compared:
        blocks.append(_compared(compared))
    return CampaignPart(
        tuple(_say(held, compared)),
        tuple(blocks),
        {"campaign_audiences": _members(forecasts, log)},
        {"campaigns": held, "uplift": [one._asdict() for one in compared]},
    )


def known_campaigns(run: Run) -> tuple[CampaignLog | None, list[Campaign]]:
    """The campaigns of the run's log, with its lines; none where the log brings none, or no sales."""
    data = run.config.data
    campaigns = read_campaigns(data)
    if campaigns is None:
        return None, []
    lines = read_lines(data)
    if lines.is_empty():
        return None, []
    log = campaign_log(lines)
    return log, campaigns_of(log, campaigns)


def compare(log: CampaignLog, campaigns: Sequence[Campaign], since: int, resamples: int, seed: int) -> list[Uplift]:
    """The campaigns from `since` on whose recipients can be compared with others."""
    uplifts = [uplift(log, campaigns, campaign, resamples, seed) for campaign in campaigns if campaign.start >= since]
    return [one for one in uplifts if one is not None]


def _curve(forecasts: Sequence[CampaignForecast]) -> Picture:
    """The budget curve of the campaign with most redemptions, or, where nobody redeems, most buyers."""
    enough = [forecast for forecast in forecasts if forecast.enough]
    redeemed = [one for one in enough if one.outcome == "redeem"] or enough
    one = max(redeemed, key=lambda one: int(one.answered.sum()))
    names = {"redeem": "recipients who redeem", "buy": "recipients who buy a promoted item"}
    shown = {name: one.scores[name] for name in list(one.scores)[:3]}
    curve = budget.curve(one.probability, one.answered, shown)
    return budget.draw(curve, f"What an audience of each size brings: campaign {one.campaign.name}", names[one.outcome])


def _held(outcome: str, one: dict[str, Any]) -> Table:
    calibration = one["calibration"]
    within = "within" if calibration["within_sampling_error"] else "outside"
    return Table(
        f"How well it ranked recipients of campaigns: who will {OUTCOMES[outcome]}",
        page.methods_table(one),
        page.MEASURES,
        note=f"Mean over the {len(one['campaigns'])} campaigns, of {one['expected']} forecast, in which at least "
        f"{POSITIVES} recipients did and {POSITIVES} did not ({', '.join(one['campaigns'])}): {one['recipients']:,} "
        f"recipients, {one['answers']:,} answers. Each was forecast from what was known when it started; all methods "
        f"learned from the same earlier campaigns. Probabilities miss by {calibration['ece']:.1%} on average over "
        f"{calibration['n']:,} users, {within} what a perfect model would show (up to {calibration['high']:.1%}); "
        f"campaigns one by one: {calibration['share_within_sampling_error']:.0%} of them within.",
    )


def _compared(compared: Sequence[Uplift]) -> Table:
    def points(of: tuple[float, float, float]) -> str:
        return f"{of[0]:+.1%} ({of[1]:+.1%} to {of[2]:+.1%})"

    rows = [
        {
            "campaign": one.campaign,
            "recipients": one.recipients,
            "others": one.others,
            "as they are": f"{one.plain:+.1%}",
            "weighted alike": points(one.during),
            "the weeks before": points(one.before),
        }
        for one in compared
    ]
    return Table(
        "Did recipients buy promoted items more often than others like them?",
        pl.DataFrame(rows),
        note="Difference in the share that buys, in percentage points, with 95 % intervals. Weighted by propensity so "
        "that both sides had bought, used coupons and been addressed alike before. The weeks before the campaign "
        "should show none, for it had not begun: what they show is what such weights cannot take out. Recipients were "
        "not drawn at random, they were chosen by what they buy, and others may have got other campaigns at the time: "
        "an indication, no proof of an effect.",
    )


def _members(forecasts: Sequence[CampaignForecast], log: CampaignLog) -> pl.DataFrame:
    """Every recipient: campaign, outcome, user, the forecast probability, and whether the user answered."""
    tables_ = [
        pl.DataFrame(
            {
                "campaign": [one.campaign.name] * len(one.answered),
                "outcome": [one.outcome] * len(one.answered),
                "user": log.users[one.campaign.recipients],
                "probability": one.probability,
                "answered": one.answered,
            }
        ).sort("probability", descending=True, maintain_order=True)
        for one in forecasts
    ]
    return pl.concat(tables_)


def _say(held: dict[str, dict[str, Any]], compared: Sequence[Uplift]) -> list[str]:
    blocks = []
    if "redeem" in held:
        one = held["redeem"]
        blocks.append(
            f"Of the recipients of a campaign, address the most likely tenth first: they redeemed "
            f"{one['methods'][OURS]['lift']:.1f} times as often as all (mean of {len(one['campaigns'])} campaigns)."
        )
    if compared:
        during, before = (float(np.mean([getattr(one, name)[0] for one in compared])) for name in ("during", "before"))
        blocks.append(
            "That recipients buy is no proof that the campaign made them: they bought promoted items more often than "
            f"others like them by {during:+.1%} of all users (mean of {len(compared)} campaigns), but by {before:+.1%} "
            "also in the weeks before; hold back a random tenth to know."
        )
    return blocks
