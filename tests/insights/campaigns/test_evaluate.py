"""Forecasts of campaigns, measured beside rivals."""

from __future__ import annotations

import numpy as np

from trajectory.insights.campaigns.campaign_forecast import OURS, predict_responses
from trajectory.insights.campaigns.evaluate import measure


def test_campaigns_are_measured_beside_rivals_in_order(planted):
    log, campaigns, _ = planted
    asked = predict_responses(log, campaigns, campaigns[1].start)
    measured = measure(asked, len(log.users), 50, 0)["redeem"]
    assert measured["campaigns"] == ["1", "2"]
    methods = measured["methods"]
    assert methods[OURS]["auc"] > 0.65 > methods["RFM"]["auc"]
    assert methods[OURS]["low"] < methods[OURS]["auc"] < methods[OURS]["high"]
    assert measured["leads"]["RFM"]["low"] > 0
    calibration = measured["calibration"]
    assert calibration["n"] == 400  # users, each a recipient of both


def test_campaigns_that_miss_one_by_one_are_seen_though_their_sum_is_right(planted):
    log, campaigns, _ = planted
    asked = predict_responses(log, campaigns, campaigns[1].start)
    rng = np.random.default_rng(0)
    for rate, one in zip((0.1, 0.3), asked[::2], strict=True):
        one.probability[:], one.answered[:] = 0.2, rng.random(len(one.answered)) < rate
    calibration = measure(asked, len(log.users), 50, 0)["redeem"]["calibration"]
    assert calibration["within_sampling_error"]
    assert calibration["share_within_sampling_error"] == 0


def test_campaigns_that_start_too_early_are_not_foretold(planted):
    log, campaigns, _ = planted
    assert {one.campaign.name for one in predict_responses(log, campaigns, campaigns[2].start)} == {"2"}
