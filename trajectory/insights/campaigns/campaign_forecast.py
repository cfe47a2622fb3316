"""Who of a campaign's recipients answers, forecast by each method from what was known when it started."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from trajectory.insights.campaigns.baselines import campaign_rivals
from trajectory.insights.campaigns.campaign_log import Campaign, CampaignLog
from trajectory.insights.campaigns.responses import counts_at_start, expected_level, known_rows, regress_responses

OUTCOMES = {"redeem": "redeem a coupon", "buy": "buy a promoted item"}
POSITIVES = 10  # recipients who answer, and who do not, that a campaign needs to be measured
OURS = "hierarchical response model"


@dataclass(frozen=True)
class CampaignForecast:
    """One campaign and outcome, forecast."""

    campaign: Campaign
    outcome: str
    answered: np.ndarray  # bool [n]
    probability: np.ndarray  # float64 [n]
    scores: dict[str, np.ndarray] = field(repr=False)  # name -> [n], ours first

    runs: bool = False  # the log ends before the campaign does: who has not answered yet may do so later

    @property
    def enough(self) -> bool:
        """Whether both answers came often enough for a ranking to be measured."""
        return min(self.answered.sum(), (~self.answered).sum()) >= POSITIVES


def predict_responses(log: CampaignLog, campaigns: Sequence[Campaign], since: int) -> list[CampaignForecast]:
    """Forecasts of the campaigns that start at `since` (unix seconds) or later, for each outcome."""
    counts = counts_at_start(log, campaigns)
    forecasts = []
    for number, campaign in enumerate(campaigns):
        if campaign.start < since or not len(campaign.recipients):
            continue
        for outcome in OUTCOMES:
            known = known_rows(campaigns, counts, campaign.start, outcome)
            if not len(known.answered):
                continue
            level = expected_level(log, campaigns, known, campaign, outcome)
            response = regress_responses(known, counts[number], outcome, level)
            scores = {OURS: response.score} | campaign_rivals(known, counts[number], outcome)
            answered = np.isfinite(campaign.answered(outcome))
            forecast = CampaignForecast(campaign, outcome, answered, response.probability, scores)
            forecasts.append(replace(forecast, runs=campaign.stop > log.end + 1))
    return forecasts
