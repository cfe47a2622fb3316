"""What campaigns add to the step `audiences`: who answers, how far that held, and whether recipients bought more."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import polars as pl

from trajectory.data.context.campaigns import read_campaigns, read_lines
from trajectory.insights.campaigns.campaign_forecast import predict_responses
from trajectory.insights.campaigns.campaign_log import Campaign, CampaignLog, campaign_log, campaigns_of
from trajectory.insights.campaigns.evaluate import measure
from trajectory.insights.campaigns.evaluation_page import holdout_accuracy
from trajectory.insights.campaigns.page import budget_curve
from trajectory.insights.campaigns.sentences import sentences
from trajectory.insights.campaigns.tables import members_table
from trajectory.insights.campaigns.uplift import uplifts
from trajectory.insights.report_model import Block, Statement
from trajectory.run import Run


@dataclass(frozen=True)
class CampaignPart:
    """What campaigns add to the part of audiences; nothing where the log has none."""

    sentences: tuple[Statement, ...] = ()
    blocks: tuple[Block, ...] = ()
    tables: dict[str, pl.DataFrame] = field(default_factory=dict)
    measured: dict[str, Any] = field(default_factory=dict)


def build_campaigns(run: Run, since: int) -> CampaignPart:
    """Campaigns that start at `since` (unix seconds) or later, each forecast from what was known when it started."""
    c, log, campaigns = run.config, *known_campaigns(run)
    forecasts = predict_responses(log, campaigns, since) if log else []
    if log is None or not forecasts:
        return CampaignPart()
    held = measure(forecasts, len(log.users), c.evaluation.bootstrap, c.seed)
    compared = uplifts(log, campaigns, since, c.seed)
    return CampaignPart(
        sentences(held, compared),
        (*([budget_curve(forecasts)] if held else []), *holdout_accuracy(held, compared)),
        {"campaign_audiences": members_table(forecasts, log)},
        {"campaigns": held, "uplift": [uplift._asdict() for uplift in compared]},
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
