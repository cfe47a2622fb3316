"""How far chances held, of made-up users of whom it is known how they buy."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from tests.insights.audiences.test_chances import counts_of
from trajectory.evaluation.reliability import event_pairs, summary
from trajectory.insights.audiences.goods import Goods
from trajectory.insights.audiences.interest_audiences import Audience, measure


def test_true_chances_are_within_the_band_also_where_users_buy_of_everything_or_nothing():
    rng, users, groups = np.random.default_rng(0), 400, 20
    chance = rng.uniform(0.2, 0.4, (users, groups))
    came = rng.random((users, 1)) < chance  # who comes buys of all groups
    counts = counts_of(np.ones((users, groups), np.float32))
    goods = Goods("interest", tuple("abcdefghijklmnopqrst"), np.arange(groups + 1, dtype=np.int32))
    model = SimpleNamespace(chosen=np.arange(groups))
    found = Audience(goods, 28, model, counts, came, counts, chance, came, np.arange(users))
    measured = measure(found, np.ones(users), 10, 0)
    assert set(measured) == {"all users", "arriving"}  # to nobody anything is new
    calibration = measured["all users"]["calibration"]
    assert calibration["n"] == users
    assert calibration["inside"]
    assert not summary(event_pairs(chance, came))["inside"]  # had each purchase been decided by itself
    assert calibration["inside_share"] > 0.8
