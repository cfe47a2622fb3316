"""The table of campaigns: every recipient with the forecast and the answer."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from trajectory.insights.campaigns.campaign_forecast import CampaignForecast
from trajectory.insights.campaigns.campaign_log import CampaignLog


def members_table(forecasts: Sequence[CampaignForecast], log: CampaignLog) -> pl.DataFrame:
    """Every recipient: campaign, outcome, user, the forecast probability, and whether the user answered (null
    where the campaign still ran when the log ended, and the user had not answered yet).
    """
    tables = [
        pl.DataFrame(
            {
                "campaign": [forecast.campaign.name] * len(forecast.answered),
                "outcome": [forecast.outcome] * len(forecast.answered),
                "user": log.users[forecast.campaign.recipients],
                "probability": forecast.probability,
                "answered": pl.Series(
                    [None if forecast.runs and not done else bool(done) for done in forecast.answered]
                ),
            }
        ).sort("probability", descending=True, maintain_order=True)
        for forecast in forecasts
    ]
    return pl.concat(tables)
