"""The table of campaigns: every recipient with the forecast and the answer."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from trajectory.insights.campaigns.campaign_forecast import CampaignForecast
from trajectory.insights.campaigns.campaign_log import CampaignLog


def members_table(forecasts: Sequence[CampaignForecast], log: CampaignLog) -> pl.DataFrame:
    """Every recipient: campaign, outcome, user, the forecast probability, and whether the user answered."""
    tables = [
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
    return pl.concat(tables)
