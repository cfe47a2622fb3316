"""Forecasts of campaigns, measured beside rivals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from trajectory.insights.campaigns.campaign_forecast import OURS, predict_responses
from trajectory.insights.campaigns.evaluate import measure
from trajectory.insights.campaigns.evaluation_page import against_rivals
from trajectory.insights.campaigns.tables import members_table


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


def test_campaigns_that_still_run_when_the_log_ends_are_said_to_and_nobody_has_not_answered_yet(planted):
    log, campaigns, _ = planted
    campaigns = [*campaigns[:2], replace(campaigns[2], stop=log.end + 100)]
    asked = predict_responses(log, campaigns, campaigns[1].start)
    assert {one.campaign.name: one.runs for one in asked} == {"1": False, "2": True}
    measured = measure(asked, len(log.users), 50, 0)["redeem"]
    assert measured["running"] == ["2"]
    assert measured["calibration"]["n"] == len(asked[0].answered)  # of the campaign that is over
    note = against_rivals("redeem", measured).note
    assert "Not over when the log ended: 2; their answers are those so far" in note
    table = members_table(asked, log)
    running = table.filter(pl.col("campaign") == "2", pl.col("outcome") == "redeem")
    assert running["answered"].null_count() == int((~asked[2].answered).sum()) > 0
    assert not (~running["answered"]).any()
    assert table.filter(pl.col("campaign") == "1")["answered"].null_count() == 0
