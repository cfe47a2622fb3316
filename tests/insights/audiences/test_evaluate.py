"""How far chances held, of made-up users of whom it is known how they buy."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from tests.builders import make_histories
from tests.insights.audiences.test_propensity import counts_of
from trajectory.insights.audiences import audience
from trajectory.insights.audiences.audience import Audience
from trajectory.insights.audiences.audience_targets import AudienceTargets
from trajectory.insights.audiences.evaluate import OURS, counting_ahead, measure
from trajectory.insights.audiences.tables import counted_table
from trajectory.metrics.reliability import event_pairs, summary


def found_of(counts, chance, came):
    users, groups = chance.shape
    goods = AudienceTargets("interest", tuple("abcdefghijklmnopqrst"[:groups]), np.arange(groups + 1, dtype=np.int32))
    model = SimpleNamespace(chosen=np.arange(groups))
    return Audience(goods, 28, model, counts, chance, came, counts, chance, came, np.arange(users))


def test_true_chances_are_within_the_band_also_where_users_buy_of_everything_or_nothing():
    rng, users, groups = np.random.default_rng(0), 400, 20
    chance = rng.uniform(0.2, 0.4, (users, groups))
    came = rng.random((users, 1)) < chance  # who comes buys of all groups
    counts = counts_of(np.ones((users, groups), np.float32))
    found = found_of(counts, chance, came)
    measured = measure(found, np.ones(users), 10, 0)
    assert set(measured) == {"all users", "arriving"}  # to nobody anything is new
    calibration = measured["all users"]["calibration"]
    assert calibration["n"] == users
    assert calibration["within_sampling_error"]
    assert not summary(event_pairs(chance, came))["within_sampling_error"]  # had each purchase been decided by itself
    assert calibration["share_within_sampling_error"] > 0.8


def test_of_very_many_users_some_are_measured(monkeypatch):
    rng = np.random.default_rng(0)
    chance = rng.random((300, 2))
    came = rng.random((300, 2)) < chance
    counts = counts_of(rng.integers(0, 2, (300, 2)).astype(np.float32))
    found = found_of(counts, chance, came)
    whole = measure(found, np.arange(300.0), 10, 0)
    monkeypatch.setattr(audience, "SAMPLE", 200)
    part = measure(found, np.arange(300.0), 10, 0)
    assert (whole["all users"]["users"], part["all users"]["users"]) == (300, 200)
    assert part["all users"]["methods"][OURS]["auc"] == pytest.approx(
        whole["all users"]["methods"][OURS]["auc"], abs=0.05
    )
    assert part["new"]["asked"] < whole["new"]["asked"]


def test_whom_a_counting_rule_ranks_first_are_listed():
    frequency = "own frequency in it"
    counts = counts_of(np.arange(60, dtype=np.float32).reshape(30, 2))
    came = np.random.default_rng(0).random((30, 2)) < 0.5
    found = found_of(counts, np.random.default_rng(1).random((30, 2)), came)
    table = counted_table(found, make_histories([[1]] * 30), frequency)
    assert table.columns == ["kind", "target", "user", "rank"]
    assert table.filter(target="b")["user"].to_list() == ["u29", "u28", "u27"], "a tenth, of whom bought most first"


def test_counting_is_ahead_where_it_ranks_better_beyond_chance():
    methods = {OURS: {"auc": 0.6}, "RFM": {"auc": 0.7, "low": 0.6}, "own": {"auc": 0.65, "low": 0.55}}
    leads = {"RFM": {"high": -0.01}, "own": {"high": -0.02}}
    assert counting_ahead({"arriving": {"methods": methods, "leads": leads}}) == "RFM"
    assert counting_ahead({"arriving": {"methods": methods, "leads": leads | {"RFM": {"high": 0.01}}}}) == "own"
    weak = methods | {"RFM": {"auc": 0.7, "low": 0.45}}
    assert counting_ahead({"arriving": {"methods": weak, "leads": leads}}) == ""
