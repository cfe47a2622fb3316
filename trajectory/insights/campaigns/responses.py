"""Who of a campaign's recipients answers: learned from what was known of earlier campaigns when it started."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from trajectory.insights.campaigns.campaign_log import Campaign, CampaignLog
from trajectory.insights.campaigns.counts import campaign_counts

# Chosen on campaigns that started before August; the run's forecast added nothing to them there.
HABITS = (
    "answered", "redeemed", "received", "redeemed_since", "coupons_season", "coupons_ever", "coupons_promoted",
    "baskets_season", "promoted_season", "promoted_ever", "promoted_since", "alike_season",
)  # fmt: skip
COUPONS = ("coupon_baskets_ever", "coupon_baskets_season", "coupon_fading", "coupon_share")
BASKETS = ("promoted_baskets_30", "promoted_baskets_90", "promoted_baskets_250", "promoted_baskets", "promoted_again")
USED = {"redeem": HABITS + COUPONS, "buy": HABITS + BASKETS}
STRENGTH = 0.003  # inverse of the ridge penalty
FREE = 1e4  # of a regression without one
ELAPSED = 0.2  # of an earlier campaign, at least, for it to be learned from
OWN = 3.0  # how far a campaign's own level is free of the ridge
PRIOR = 50.0  # recipients' worth of the rate of all kinds in that of one


class Rows(NamedTuple):
    """Recipients of campaigns, as known when another one started."""

    counts: dict[str, np.ndarray]  # columns float64 [n]
    campaign: np.ndarray  # int64 [n], number of each row's campaign
    answered: np.ndarray  # bool [n], by then


class Response(NamedTuple):
    """The forecast of a campaign's recipients."""

    score: np.ndarray  # float64 [n], log-odds beside the campaign's level
    probability: np.ndarray  # float64 [n]


def counts_at_start(log: CampaignLog, campaigns: Sequence[Campaign]) -> list[dict[str, np.ndarray]]:
    """The counts of each campaign's recipients when it starts."""
    rows = []
    for campaign in campaigns:
        earlier = [other for other in campaigns if other.start < campaign.start]
        rows.append(campaign_counts(log, campaign, earlier, campaign.recipients, campaign.start))
    return rows


def known_rows(
    campaigns: Sequence[Campaign], counts: Sequence[dict[str, np.ndarray]], moment: int, outcome: str
) -> Rows:
    """Recipients of the campaigns that had run for a fifth of their time by `moment`, with the answers until then.

    `counts`: of each campaign's recipients when it started.
    """
    ran = [c.start + ELAPSED * (c.stop - c.start) <= moment and len(c.recipients) > 0 for c in campaigns]
    ran_indices = np.flatnonzero(ran).tolist()
    if not ran_indices:
        return Rows({}, np.zeros(0, np.int64), np.zeros(0, bool))
    columns = {name: np.concatenate([counts[i][name] for i in ran_indices]) for name in counts[0]}
    answered = np.concatenate([campaigns[i].answered(outcome) < moment for i in ran_indices])
    return Rows(columns, np.repeat(ran_indices, [len(campaigns[i].recipients) for i in ran_indices]), answered)


def standardised_within_campaign(
    counts: dict[str, np.ndarray], names: Sequence[str], campaign: np.ndarray
) -> np.ndarray:
    """Logs of the named counts, standardised within each campaign [n, F]: who stands out among its recipients."""
    logs = np.log1p(np.stack([counts[name] for name in names], 1))
    for number in np.unique(campaign):
        mine = campaign == number
        logs[mine] = (logs[mine] - logs[mine].mean(0)) / (logs[mine].std(0) + 1e-6)
    return logs


def regress_responses(known: Rows, counts: dict[str, np.ndarray], outcome: str, level: float) -> Response:
    """What a hierarchical logistic regression predicts of recipients with these counts.

    Slopes are shared by all campaigns, each has a level of its own; the ridge draws slopes in, so the score is scaled
    anew without one. The level of a new campaign is set so that the mean probability is `level`. Without two kinds of
    answers to learn from nobody stands out.
    """
    n = len(next(iter(counts.values())))
    score = np.zeros(n)
    if len(np.unique(known.answered)) == 2:
        own = OWN * (known.campaign[:, None] == np.unique(known.campaign))
        columns = standardised_within_campaign(known.counts, USED[outcome], known.campaign)
        regression = LogisticRegression(C=STRENGTH, max_iter=500).fit(np.hstack([columns, own]), known.answered)
        slopes = regression.coef_[0, : columns.shape[1]]
        again = LogisticRegression(C=FREE, max_iter=500).fit(
            np.hstack([columns @ slopes[:, None], own]), known.answered
        )
        score = again.coef_[0, 0] * (standardised_within_campaign(counts, USED[outcome], np.zeros(n, int)) @ slopes)
    shift = brentq(lambda shift: expit(score + shift).mean() - level, -40, 40)
    return Response(score, expit(score + shift))


def expected_level(
    log: CampaignLog, campaigns: Sequence[Campaign], known: Rows, campaign: Campaign, outcome: str
) -> float:
    """The share of a campaign's recipients that is expected to answer, from what was known when it started.

    Redemptions: the rate of earlier campaigns of its kind, drawn to that of all. Purchases: how many of the recipients
    bought of its items in as many days before the start, moved as earlier campaigns moved (a mean of log-odds).
    """
    if outcome == "redeem":
        rates = {i: known.answered[known.campaign == i] for i in np.unique(known.campaign)}
        alike = np.concatenate([[], *(rates[i] for i in rates if campaigns[i].kind == campaign.kind)])
        return _inside((alike.sum() + PRIOR * _inside(known.answered.mean())) / (len(alike) + PRIOR))
    moves = []
    for i in np.unique(known.campaign):
        other = campaigns[i]
        if other.stop <= campaign.start:
            rate = known.answered[known.campaign == i].mean()
            moves.append(logit(_inside(rate)) - logit(_inside(response_rate_before(log, other))))
    return float(expit(logit(_inside(response_rate_before(log, campaign))) + (np.mean(moves) if moves else 0.0)))


def response_rate_before(log: CampaignLog, campaign: Campaign) -> float:
    """The share of its recipients that bought of its items in as many days before it as it runs in the log."""
    days = min(campaign.stop, log.end + 1) - campaign.start
    hit = (log.time < campaign.start) & (log.time >= campaign.start - days) & campaign.promoted[log.item]
    return float(np.isin(campaign.recipients, log.user[hit]).mean())


def _inside(rate: float) -> float:
    return float(np.clip(rate, 0.002, 0.998))
