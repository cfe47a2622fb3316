"""Campaigns: what was known when each started, who answers, and the comparison with others, on a made-up log."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from trajectory.data.context.campaigns import Campaigns
from trajectory.insights.audiences.baselines import rfm
from trajectory.insights.audiences.counts import NEVER
from trajectory.insights.campaigns.budget import curve
from trajectory.insights.campaigns.campaign_log import campaign_log, campaigns_of
from trajectory.insights.campaigns.counts import campaign_counts
from trajectory.insights.campaigns.evaluate import OURS, measure, predict_responses
from trajectory.insights.campaigns.responses import counts_at_start, known_rows, regress_responses, response_rate_before
from trajectory.insights.campaigns.uplift import difference

DAY = 86_400


def lines_of(rows):
    names = ("user", "item", "group", "time", "value", "basket", "coupon")
    table = pl.DataFrame(rows, schema=dict.fromkeys(names), orient="row")
    return table.with_columns(pl.col("time") * DAY, pl.col("value").cast(pl.Float64)).sort("user", "time")


@pytest.fixture
def small():
    """Two users, three items in two groups, two campaigns for item 10; days as times."""
    rows = [
        (1, 10, "a", 1, 2, 1, False),
        (1, 11, "a", 1, 3, 1, False),
        (1, 10, "a", 20, 2, 2, True),
        (1, 10, "a", 45, 2, 3, True),
        (2, 12, "b", 2, 5, 4, False),
        (2, 10, "a", 41, 2, 5, False),
    ]
    described = {"campaign": [7, 8], "kind": ["A", "A"], "start": [15 * DAY, 40 * DAY], "stop": [30 * DAY, 50 * DAY]}
    campaigns = Campaigns(
        pl.DataFrame(described),
        pl.DataFrame({"campaign": [7, 8, 8], "user": [1, 1, 2]}),
        pl.DataFrame({"campaign": [7, 8], "coupon": [1, 1], "item": [10, 10]}),
        pl.DataFrame({"campaign": [7, 8], "user": [1, 1], "coupon": [1, 1], "time": [20 * DAY, 45 * DAY]}),
    )
    log = campaign_log(lines_of(rows))
    return log, campaigns_of(log, campaigns)


def test_only_what_came_before_the_start_is_counted(small):
    log, (first, second) = small
    counts = campaign_counts(log, second, [first], np.array([0, 1]), second.start)
    expected = {
        "baskets_ever": [2, 1],
        "spend_ever": [7, 5],
        "promoted_ever": [2, 0],
        "promoted_baskets": [2, 0],
        "promoted_month": [1, 0],
        "promoted_items": [1, 0],
        "promoted_again": [1, 0],
        "alike_ever": [3, 0],
        "coupons_ever": [1, 0],
        "coupon_share": [0.5, 0],
        "since": [20, 38],
        "promoted_since": [20, NEVER],
        "received": [1, 0],
        "answered": [1, 0],
        "redeemed_alike": [1, 0],
        "redeemed_since": [20, NEVER],
    }
    for name, values in expected.items():
        np.testing.assert_allclose(counts[name], values, err_msg=name)


def test_redemptions_that_are_yet_to_come_are_not_known(small):
    log, (first, second) = small
    counts = campaign_counts(log, second, [first], np.array([0, 1]), 18 * DAY)
    np.testing.assert_array_equal(counts["received"], [1, 0])
    for name in ("answered", "redeemed", "coupons_ever"):
        np.testing.assert_array_equal(counts[name], [0, 0], err_msg=name)


def test_answers_are_known_as_far_as_they_had_come(small):
    log, campaigns = small
    counts = counts_at_start(log, campaigns)
    assert not len(known_rows(campaigns, counts, 17 * DAY, "redeem").answered)  # not yet a fifth of its days
    np.testing.assert_array_equal(known_rows(campaigns, counts, 19 * DAY, "redeem").answered, [False])
    np.testing.assert_array_equal(known_rows(campaigns, counts, 40 * DAY, "redeem").answered, [True])
    np.testing.assert_array_equal(known_rows(campaigns, counts, 44 * DAY, "buy").answered, [True, False, True])


def test_purchases_before_a_campaign_are_of_as_many_days(small):
    log, (_, second) = small
    assert (
        response_rate_before(log, second) == 0
    )  # the log ends five days after its start: days 35 to 40, when nobody bought
    np.testing.assert_array_equal(second.bought, [45 * DAY, 41 * DAY])
    np.testing.assert_array_equal(second.redeemed, [45 * DAY, np.inf])


@pytest.fixture(scope="module")
def planted():
    """400 users, half of whom use coupons, and three campaigns in which mostly they redeem."""
    rng = np.random.default_rng(0)
    users, rows, redeemed = np.arange(400), [], []
    keen = rng.random(400) < 0.5
    for user in users:
        for day in range(0, 130, 10):
            uses = bool(keen[user] and rng.random() < 0.5)
            rows.append((int(user), 10 if rng.random() < 0.4 else 11, "a", day, 1, int(user * 1000 + day), uses))
    for number, start in enumerate((60, 80, 100)):
        for user in users[rng.random(400) < np.where(keen, 0.4, 0.05)]:
            redeemed.append((number, int(user), 1, (start + 5) * DAY))
    starts = [60 * DAY, 80 * DAY, 100 * DAY]
    described = {"campaign": [0, 1, 2], "kind": ["A"] * 3, "start": starts, "stop": [s + 15 * DAY for s in starts]}
    recipients = pl.DataFrame({"campaign": np.repeat([0, 1, 2], 400), "user": np.tile(users, 3)})
    offers = pl.DataFrame({"campaign": [0, 1, 2], "coupon": [1, 1, 1], "item": [10, 10, 10]})
    answers = pl.DataFrame(redeemed, schema=["campaign", "user", "coupon", "time"], orient="row")
    log = campaign_log(lines_of(rows))
    return log, campaigns_of(log, Campaigns(pl.DataFrame(described), recipients, offers, answers.sort("time"))), keen


def test_who_answers_is_learned_from_earlier_campaigns(planted):
    log, campaigns, keen = planted
    counts = counts_at_start(log, campaigns)
    known = known_rows(campaigns, counts, campaigns[2].start, "redeem")
    assert len(known.answered) == 800
    response = regress_responses(known, counts[2], "redeem", 0.2)
    assert response.probability.mean() == pytest.approx(0.2)
    assert response.probability[keen].mean() > 3 * response.probability[~keen].mean()


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


def test_who_came_lately_often_and_spent_most_scores_highest():
    since, frequency, spent = np.array([1.0, 30, 90, 60, 10]), np.array([9, 2, 1, 1, 5]), np.array([90, 9, 1, 2, 50])
    score = rfm(since, frequency, spent)
    assert np.floor(score[0]) == 16  # three fifths of 5, and the highest rank
    np.testing.assert_array_equal(np.argsort(-score), [0, 4, 1, 3, 2])


def test_comparable_others_take_away_what_only_seemed_an_effect():
    rng = np.random.default_rng(0)
    habit = rng.normal(size=4000)
    addressed = rng.random(4000) < 1 / (1 + np.exp(-2 * habit))
    bought = rng.random(4000) < 1 / (1 + np.exp(-habit - 0.0 * addressed))
    lifted = bought | (addressed & (rng.random(4000) < 0.2))
    once = np.ones(4000, int)
    assert bought[addressed].mean() - bought[~addressed].mean() > 0.2
    assert abs(difference(habit[:, None], addressed, bought, once)) < 0.05
    assert difference(habit[:, None], addressed, lifted, once) == pytest.approx(0.1, abs=0.05)


def test_a_budget_curve_adds_up_the_likeliest_first():
    probability = np.array([0.1, 0.8, 0.5])
    rows = curve(probability, np.array([False, True, True]), {"ours": probability})
    np.testing.assert_allclose(rows["expected"], [0, 0.8, 1.3, 1.4])
    np.testing.assert_allclose(rows["ours"], [0, 1, 2, 2])
    np.testing.assert_allclose(rows["at random"], [0, 2 / 3, 4 / 3, 2])
