"""What the page shows of campaigns: how many answers an audience of each size brings."""

from __future__ import annotations

from collections.abc import Sequence

from trajectory.insights.campaigns import budget
from trajectory.insights.campaigns.campaign_forecast import CampaignForecast
from trajectory.insights.report_model import Picture


def budget_curve(forecasts: Sequence[CampaignForecast]) -> Picture:
    """The budget curve of the campaign with most redemptions, or, where nobody redeems, most buyers."""
    enough = [forecast for forecast in forecasts if forecast.enough]
    redeemed = [one for one in enough if one.outcome == "redeem"] or enough
    one = max(redeemed, key=lambda one: int(one.answered.sum()))
    names = {"redeem": "recipients who redeem", "buy": "recipients who buy a promoted item"}
    shown = {name: one.scores[name] for name in list(one.scores)[:3]}
    curve = budget.curve(one.probability, one.answered, shown)
    return budget.draw(curve, f"What an audience of each size brings: campaign {one.campaign.name}", names[one.outcome])
