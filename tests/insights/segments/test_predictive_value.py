"""What a segment says of spend and of redemption, reckoned by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from tests.builders import make_histories
from tests.insights.segments.cases import planted
from trajectory.data.context.campaigns import Campaigns
from trajectory.data.times import WEEK
from trajectory.inference.new_users import histories_before
from trajectory.insights.segments.predictive_value import (
    Redemptions,
    predictive_losses,
    redemption_auc,
    redemptions_after,
    spend_after,
)
from trajectory.insights.segments.volumes import attention, values, volumes
from trajectory.reports.words import attention_words, words
from trajectory.schema import EVENT_TYPES

DAY = 86_400


def test_a_segment_that_tells_all_leaves_no_error():
    label = np.repeat([0, 1], 20)
    outcome = np.stack([label * 4.0, 1 - label], 1)
    told = predictive_losses(label, outcome)
    assert told.squared.max() == told.absolute.max() == 0
    blind = predictive_losses(np.zeros(40, int), outcome)
    assert blind.absolute.mean() == pytest.approx(2.5, abs=0.2)


def test_forecasts_are_of_other_users():
    outcome = np.arange(10.0)[:, None]
    alone = predictive_losses(np.arange(10), outcome)  # a segment each: nobody else's spend to learn from
    np.testing.assert_allclose(alone.squared, predictive_losses(np.zeros(10, int), outcome).squared)


def test_redemption_is_told_by_the_rate_of_the_segment():
    user = np.arange(200)
    redeemed = user % 4 == 0
    told = redemption_auc({"all": redeemed.astype(int), "none": 0 * user}, Redemptions(user, redeemed), 50)
    assert told["all"][0] == 1
    assert told["none"][0] == 0.5
    assert told["none"][2].low == pytest.approx(0.5)


def weekly():
    """Two users: one buys item 1 for 2 each week of 30, the other item 2 for 5 in the first and last week."""
    histories = make_histories([[1] * 30, [2, 2]], steps=[list(range(30)), [0, 29]], gap=WEEK, num_items=2, interests=2)
    return replace(histories, value=np.where(histories.item == 1, 2, 5).astype(np.float32))


def test_volumes_are_of_a_week_since_the_first_event_and_lately():
    histories = weekly()
    moment = int(histories.time[0]) + 16 * WEEK
    past, late = volumes(histories, histories_before(histories, moment), histories.value.astype(float), moment)
    np.testing.assert_allclose(past, [[2, 0], [0, 5 / 16]])
    np.testing.assert_allclose(late, [[2, 0], [0, 0]])


def test_views_are_attention_and_no_value():
    histories = replace(weekly(), event_type=np.where(weekly().item == 1, 2, 1).astype(np.int8), roles=EVENT_TYPES)
    np.testing.assert_array_equal(values(histories), np.where(histories.item == 1, 2, 0))
    np.testing.assert_array_equal(attention(histories), 1)
    assert words(histories)[:3] == ("sales value", "buy", "bought")
    assert attention_words(histories)[:2] == ("events", "turn to")
    looked = replace(histories, event_type=np.ones_like(histories.event_type), event_types=("view",))
    assert words(looked)[:3] == ("views", "look at", "looked at")
    np.testing.assert_array_equal(values(looked), 1)
    np.testing.assert_array_equal(attention(weekly()), values(weekly()))


def test_spend_after_the_moment_counts_those_who_never_came_back():
    states, _ = planted(interests=2)
    histories = weekly()
    moment = int(histories.time[0]) + 16 * WEEK
    queries = histories_before(histories, moment)
    assert queries.user.tolist() == [0, 1]
    states = replace(
        states, histories=histories, queries=queries, moment=moment, item_field=np.array([0, 1, 2]), fields=("a", "b")
    )
    np.testing.assert_allclose(spend_after(states), [[2, 0], [0, 0]])  # the last week of the other is after the quarter
    assert spend_after(replace(states, moment=int(histories.time.max()) - DAY)) is None
    assert spend_after(replace(states, moment=None)) is None


def test_campaigns_count_that_start_in_the_quarter():
    states, _ = planted(interests=2)
    histories = weekly()
    moment = int(histories.time[0]) + 10 * WEEK
    states = replace(states, histories=histories, queries=histories_before(histories, moment), moment=moment)
    described = pl.DataFrame(
        {"campaign": [1, 2, 3], "kind": ["A"] * 3, "start": [moment - 1, moment, moment + 20 * WEEK]}
    )
    recipients = pl.DataFrame({"campaign": [1, 2, 2, 2, 3], "user": ["u0", "u0", "u1", "stranger", "u1"]})
    used = pl.DataFrame({"campaign": [1, 2], "user": ["u0", "u1"], "coupon": [1, 1], "time": [0, 0]})
    asked = redemptions_after(states, Campaigns(described, recipients, pl.DataFrame(), used))
    assert asked.user.tolist() == [0, 1]
    assert asked.redeemed.tolist() == [False, True]
    assert redemptions_after(states, Campaigns(described, recipients, pl.DataFrame(), used.clear())) is None
