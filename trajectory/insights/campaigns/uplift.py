"""Do recipients buy more than users like them who were not addressed: a check, for a ranking is no proof of effect."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from trajectory.insights.campaigns.campaign_log import Campaign, CampaignLog
from trajectory.insights.campaigns.counts import campaign_counts
from trajectory.metrics.significance import confidence_interval
from trajectory.threads import one_thread

LEAST = 100  # recipients, and as many others, for a campaign to be compared
RESAMPLES = 100  # of the users; each fits a propensity anew


class Uplift(NamedTuple):
    """Shares that bought a promoted item, recipients less others weighted alike, each with its 95 % interval."""

    campaign: str
    recipients: int
    others: int
    plain: float  # before any weighting
    during: tuple[float, float, float]  # difference, low, high: in the campaign
    before: tuple[float, float, float]  # in as many days before it, where the campaign cannot have had an effect


def uplifts(log: CampaignLog, campaigns: Sequence[Campaign], since: int, seed: int) -> list[Uplift]:
    """The campaigns from `since` on whose recipients can be compared with others."""
    compared = [uplift(log, campaigns, campaign, RESAMPLES, seed) for campaign in campaigns if campaign.start >= since]
    return [result for result in compared if result is not None]


@one_thread("blas")
def uplift(
    log: CampaignLog, campaigns: Sequence[Campaign], campaign: Campaign, resamples: int, seed: int
) -> Uplift | None:
    """Compares a campaign's recipients with users who were not addressed; None where there are too few of either.

    Weights are overlap weights of a logistic propensity (Li, Morgan & Zaslavsky 2018) in counts of purchases, coupons
    and campaigns before the window; users as a whole are resampled, and the propensity fitted anew.
    """
    days = min(campaign.stop, log.end + 1) - campaign.start
    known = np.unique(log.user[log.time < campaign.start - days])
    addressed = np.isin(known, campaign.recipients)
    if min(addressed.sum(), (~addressed).sum()) < LEAST:
        return None
    windows = []
    for moment in (campaign.start, campaign.start - days):
        earlier = [other for other in campaigns if other.start < moment]
        counts = campaign_counts(log, campaign, earlier, known, moment)
        inputs = StandardScaler().fit_transform(np.log1p(np.stack(list(counts.values()), 1)))
        hit = campaign.promoted[log.item] & (log.time >= moment) & (log.time < moment + days)
        windows.append((inputs, np.isin(known, log.user[hit])))
    rng = np.random.default_rng(seed)
    everyone = np.ones(len(known), np.int64)
    whole = [difference(inputs, addressed, bought, everyone) for inputs, bought in windows]
    drawn = []
    for _ in range(resamples):
        count = rng.multinomial(len(known), np.full(len(known), 1 / len(known)))
        drawn.append([difference(inputs, addressed, bought, count) for inputs, bought in windows])
    now, then = np.transpose(drawn)
    observed = windows[0][1]
    plain = float(observed[addressed].mean() - observed[~addressed].mean())
    sizes = int(addressed.sum()), int((~addressed).sum())
    return Uplift(campaign.name, *sizes, plain, _interval(whole[0], now), _interval(whole[1], then))


def difference(inputs: np.ndarray, addressed: np.ndarray, bought: np.ndarray, count: np.ndarray) -> float:
    """Share that bought of those addressed less that of others, in overlap weights; each user counts `count` times."""
    some = np.flatnonzero(count)
    regression = LogisticRegression(solver="newton-cholesky").fit(
        inputs[some], addressed[some], sample_weight=count[some]
    )
    chance = regression.predict_proba(inputs)[:, 1]
    weight = count * np.where(addressed, 1 - chance, chance)
    return float(
        np.average(bought[addressed], weights=weight[addressed])
        - np.average(bought[~addressed], weights=weight[~addressed])
    )


def _interval(value: float, drawn: np.ndarray) -> tuple[float, float, float]:
    low, high = confidence_interval(drawn)[:2]
    return float(value), float(low), float(high)
