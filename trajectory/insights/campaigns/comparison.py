"""The long comparison of campaigns: those from a date on, beside all rivals and with what they changed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from trajectory.insights.campaigns.build import known_campaigns
from trajectory.insights.campaigns.campaign_forecast import predict_responses
from trajectory.insights.campaigns.evaluate import measure
from trajectory.insights.campaigns.uplift import uplifts
from trajectory.run import Run
from trajectory.schema import UserError


def compare_campaigns(run: Run, resamples: int, since: str, until: str) -> dict[str, Any]:
    """What is measured of "redeem", "buy" and "uplift", of campaigns that start at `since` or later and before `until`
    (`compare` of audiences); empty where the log brings no campaigns.
    """
    log, campaigns = known_campaigns(run)
    if log is None:
        return {}
    begin = _seconds(since) if since else run.experiment.split.cut_time("test")
    if begin is None:
        raise UserError("this run's split is not by time: say from which date on campaigns are measured (--since)")
    end = _seconds(until) if until else log.end + 1
    forecasts = [made for made in predict_responses(log, campaigns, begin) if made.campaign.start < end]
    held = measure(forecasts, len(log.users), resamples, run.config.seed)
    started = [campaign for campaign in campaigns if campaign.start < end]
    compared = uplifts(log, started, begin, run.config.seed)
    return held | {"uplift": [uplift._asdict() for uplift in compared]}


def _seconds(date: str) -> int:
    try:
        return int(datetime.fromisoformat(date).replace(tzinfo=UTC).timestamp())
    except ValueError:
        raise UserError(f"expected an ISO date like 2017-08-01, got {date!r}") from None
