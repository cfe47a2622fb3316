"""What a merchant is told of audiences: whom to address, and nobody where the ranking did not hold."""

from __future__ import annotations

from datetime import datetime
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from trajectory.insights.audiences.evaluate import OURS
from trajectory.insights.audiences.page import whole_audiences
from trajectory.insights.audiences.sentences import sentences
from trajectory.insights.audiences.tables import totals_table
from trajectory.insights.customers.sums import Money, SumErrors

ROWS = pl.DataFrame(
    {"kind": "interest", "target": ["tea", "tea", "pots"], "probability": [0.5, 0.25, 0.7], "days": [3.0, 5.0, None]}
)
AUDIENCE = SimpleNamespace(
    goods=SimpleNamespace(kind="interest", names=("tea", "pots")),
    model=SimpleNamespace(chosen=[0, 1]),
    probability=np.array([[0.5, 0.1], [0.25, 0.7], [0.15, 0.1]]),
    lapsed=np.ones((3, 2), bool),
    days=28,
)
UNKNOWN = Money(None, pl.Series(["u"]), np.array([-1]))


def told(low: float, high: float, auc_low: float = 0.7, money: Money = UNKNOWN, rival_low: float = 0.45) -> list:
    ours = {"auc": 0.8, "low": auc_low, "high": 0.9, "lift": 3.0}
    leads = {"recency": {"difference": 0.0, "low": low, "high": high}}
    rival = {"auc": 0.85, "low": rival_low, "high": 0.95, "lift": 3.5}
    measured = {"arriving": {"groups": 2, "methods": {OURS: ours, "recency": rival}, "leads": leads}}
    return sentences(
        measured, AUDIENCE, ROWS.with_columns(user=pl.Series(["u", "v", "u"])), money, datetime(2024, 5, 1)
    )


def test_the_largest_audience_is_to_be_addressed():
    do, sure = told(0.01, 0.05)
    assert (do.kind, do.table, sure.kind) == ("do", "audiences", "sure")
    assert do.startswith(
        "Address 2 users for tea: none bought of it in the last 12 weeks, and 1 of them are expected to"
    )
    assert "(38% on average, 30% of all such users); half of them come again within 4 days" in do


@pytest.mark.parametrize(
    ("low", "high", "auc_low", "why"),
    [(-0.05, -0.01, 0.7, "ranked by recency more buyers came first"), (-0.05, 0.05, 0.49, "no better than chance")],
)
def test_nobody_is_addressed_by_a_ranking_that_did_not_hold(low, high, auc_low, why):
    first, _ = told(low, high, auc_low)
    assert first.kind == "sure"
    assert first.startswith("Address nobody by these audiences: ")
    assert why in first


def test_what_the_audience_will_spend_is_said_where_it_is_known():
    errors = SumErrors(0.1, 4.0, np.full(9, 10.0), np.full(10, 0.5))
    forecast = SimpleNamespace(spend=np.array([100.0]), days=90, sums=errors)
    low, high = errors.range(forecast.spend)
    do, _ = told(0.01, 0.05, money=Money(forecast, pl.Series(["u"]), np.array([0])))
    assert do.endswith(
        f"They are expected to spend 100 in the next 90 days (80% range of the sum: {low:.0f} to {high:.0f})."
    )


def test_audiences_have_their_totals():
    errors = SumErrors(0.1, 4.0, np.full(9, 10.0), np.full(10, 0.5))
    forecast = SimpleNamespace(spend=np.array([100.0, 30.0]), days=90, sums=errors)
    money = Money(forecast, pl.Series(["a", "b", "c"]), np.array([0, -1, 1]))
    rows = ROWS.with_columns(user=pl.Series(["a", "b", "c"]))
    totals = totals_table(rows, money)
    assert totals.select("target", "users", "expected_buyers", "customers", "spend_expected").rows() == [
        ("tea", 2, 0.75, 1, 100.0),
        ("pots", 1, 0.7, 1, 30.0),
    ]
    shown = whole_audiences(totals, AUDIENCE, money_noted := money._replace(forecast=None, why="it is short"))
    assert shown.rows["spend to come"].to_list() == [100.0, 30.0]
    unknown = whole_audiences(totals_table(rows, money_noted), AUDIENCE, money_noted)
    assert "spend to come" not in unknown.rows.columns
    assert "What members will spend is not known: it is short." in unknown.note


def test_where_counting_ranked_better_beyond_chance_it_says_whom_to_address():
    by_counting, nobody, _ = told(-0.05, -0.01, rival_low=0.6)
    assert (by_counting.kind, by_counting.table) == ("do", "audiences_by_counting")
    assert by_counting.startswith("Address those whom recency ranks first: its most likely tenth bought 3.5 times")
    assert nobody.startswith("Address nobody by these audiences")
