"""Accuracy of campaigns' audiences compared with baselines: each forecast from what was known when it started."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from trajectory.insights.audiences.ranking import auc_differences, lift
from trajectory.insights.campaigns.campaign_forecast import OUTCOMES, CampaignForecast
from trajectory.metrics.auc import auc
from trajectory.metrics.reliability import clustered_pairs, event_pairs, summary
from trajectory.metrics.significance import confidence_interval

BLOCK = 50  # resamples at once


def measure(forecasts: Sequence[CampaignForecast], users: int, resamples: int, seed: int) -> dict[str, dict[str, Any]]:
    """Of each outcome: campaigns measured, mean AUC and lift of each score with its interval, and calibration.

    Intervals of means over campaigns resample the campaigns and, as a whole, the users (of all campaigns alike);
    `leads` are ours less each other score on the same resamples, p-values adjusted by Holm. Calibration is of
    all recipients of all campaigns forecast, beside the band of a perfect model at that number of users;
    `share_within_sampling_error`: of the campaigns, whose own error lies in such a band. Campaigns that still run when
    the log ends (`running`) are ranked by the answers so far; calibration is of the others, where there are any.
    """
    results = {}
    for outcome in OUTCOMES:
        mine = [forecast for forecast in forecasts if forecast.outcome == outcome]
        measured = [forecast for forecast in mine if forecast.enough]
        if not measured:
            continue
        names = list(measured[0].scores)
        areas = {
            name: [float(auc(forecast.answered, forecast.scores[name])[0]) for forecast in measured] for name in names
        }
        means = _resampled(measured, names, users, resamples, seed)
        methods = {
            name: {
                "auc": float(np.mean(areas[name])),
                "lift": float(np.mean([_lift(forecast, name) for forecast in measured])),
            }
            | dict(zip(("low", "high"), map(float, confidence_interval(means[name])[:2]), strict=True))
            for name in names
        }
        over = [forecast for forecast in mine if not forecast.runs] or mine
        chance, answered = np.concatenate([forecast.probability for forecast in over]), _answers(over)
        user = np.concatenate([forecast.campaign.recipients for forecast in over])
        calibration = summary(clustered_pairs(chance, answered, user), seed=seed)
        by_campaign = [event_pairs(forecast.probability, forecast.answered.astype(np.int8)) for forecast in over]
        calibration["share_within_sampling_error"] = float(
            np.mean([summary(pairs, seed=seed)["within_sampling_error"] for pairs in by_campaign])
        )
        results[outcome] = {
            "campaigns": [forecast.campaign.name for forecast in measured],
            "expected": len(mine),
            "running": [forecast.campaign.name for forecast in mine if forecast.runs],
            "recipients": int(sum(len(forecast.answered) for forecast in measured)),
            "answers": int(sum(forecast.answered.sum() for forecast in measured)),
            "methods": methods,
            "areas": areas,
            "leads": auc_differences(means),
            "calibration": calibration,
        }
    return results


def _answers(forecasts: Sequence[CampaignForecast]) -> np.ndarray:
    return np.concatenate([forecast.answered for forecast in forecasts]).astype(np.int8)


def _lift(forecast: CampaignForecast, name: str) -> float:
    return lift(forecast.answered, forecast.scores[name])


def _resampled(
    measured: Sequence[CampaignForecast], names: Sequence[str], users: int, resamples: int, seed: int
) -> dict[str, np.ndarray]:
    """Mean AUC over drawn campaigns with drawn users, float64 [R] of each score."""
    rng = np.random.default_rng(seed)
    means: dict[str, list[np.ndarray]] = {name: [] for name in names}
    for at in range(0, resamples, BLOCK):
        size = min(BLOCK, resamples - at)
        weights = rng.multinomial(users, np.full(users, 1 / users), size=size).astype(np.float32)
        drawn = rng.multinomial(len(measured), np.full(len(measured), 1 / len(measured)), size=size)
        for name in names:
            areas = [
                auc(forecast.answered, forecast.scores[name], weights[:, forecast.campaign.recipients])
                for forecast in measured
            ]
            means[name].append(np.average(np.nan_to_num(areas, nan=0.5), axis=0, weights=drawn.T))
    return {name: np.concatenate(parts) for name, parts in means.items()}
