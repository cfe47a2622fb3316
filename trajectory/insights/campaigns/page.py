"""What the page shows of campaigns: how many answers an audience of each size brings."""

from __future__ import annotations

from collections.abc import Sequence

from trajectory.insights.campaigns import budget
from trajectory.insights.campaigns.campaign_forecast import CampaignForecast
from trajectory.insights.report_model import Picture


def budget_curve(forecasts: Sequence[CampaignForecast]) -> Picture:
    """The budget curve of the campaign with most redemptions, or, where nobody redeems, most buyers."""
    enough = [forecast for forecast in forecasts if forecast.enough]
    redeemed = [forecast for forecast in enough if forecast.outcome == "redeem"] or enough
    largest = max(redeemed, key=lambda forecast: int(forecast.answered.sum()))
    names = {"redeem": "recipients who redeem", "buy": "recipients who buy a promoted item"}
    shown = {name: largest.scores[name] for name in list(largest.scores)[:3]}
    curve = budget.curve(largest.probability, largest.answered, shown)
    return budget.draw(
        curve, f"What an audience of each size brings: campaign {largest.campaign.name}", names[largest.outcome]
    )
