"""Ranges of sums of customers' spend, against made-up errors that are known, and plain polars."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from ml_collections import ConfigDict

from tests.builders import fake_run
from tests.insights.customers.shops import leaving
from trajectory.data.times import DAY
from trajectory.insights.customers.sums import MONEY, Money, Past, SumErrors, check


def moments(level: float, count: int, customers: int = 400, seed: int = 0) -> list[Past]:
    """Moments, a day apart, whose customers spend their forecast times a lognormal level of all and errors of 0.5."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(count):
        forecast = rng.gamma(1.0, 100.0, customers)
        came = forecast * np.exp(level * rng.normal()) * rng.gamma(4.0, 1 / 4, customers)
        found.append(Past(number * DAY, forecast, came, rng.integers(1, 5, customers)))
    return found


@pytest.mark.parametrize("level", [0.0, 0.3])
def test_ranges_hold_for_sums_whether_or_not_all_are_off_together(level):
    inside = []
    for seed in range(60):
        *past, asked = moments(level, 7, seed=seed)
        low, high = SumErrors.of(past, 0.0).range(asked.forecast)
        inside.append(low <= asked.came.sum() <= high)
        assert low < asked.forecast.sum() < high
    assert 0.7 <= np.mean(inside) <= 0.93


def test_the_range_has_the_customers_own_errors_and_that_of_all():
    """By plain arithmetic: of one moment, all in one bin's proportion, Student's t of 1 at 0.9 is 3.0777."""
    forecast = np.full(100, 10.0)
    came = np.tile([5.0, 19.0], 50)  # 1200: a fifth above, and 7 of each about that
    low, high = SumErrors.of([Past(0, forecast, came, np.zeros(100, int))], 0.5).range(forecast[:25])
    wide = 3.0777 * np.hypot(np.sqrt(25 * 49), np.log(1.2) * 250)
    assert (low, high) == pytest.approx((max(250 - wide, 0), 250 + wide), rel=1e-4)


def test_ranges_are_checked_by_moments_that_share_no_day():
    held = check(moments(0.1, 6), 2, 0.5)
    assert (held["moments"], held["sums"]) == (6, 24)
    assert 0.6 <= held["inside"] <= 1
    assert check(moments(0.1, 2), 2, 0.5)["sums"] == 0, "both share a day"
    wrong = [each._replace(came=each.came * (1 + 9 * (each.group == 1))) for each in moments(0.0, 6)]
    assert check(wrong, 2, 0.5)["inside"] < held["inside"], "one group is off by itself"


def test_sums_are_those_of_the_customers_of_a_group_and_cover_what_came():
    histories, _ = leaving()
    run = fake_run(histories=histories, config=ConfigDict())
    money, found = Money.of(run), run.customer_forecast
    assert run.customer_forecast is found, "made once"
    users = np.arange(0, 200)
    told = money.sums([users, np.arange(0)])
    customers = pl.DataFrame({"user": found.now.user, "spend": found.spend}).filter(pl.col("user") < 200)
    assert told.schema == pl.Schema(MONEY)
    assert told["customers"].to_list() == [customers.height, 0]
    assert told["spend_expected"][0] == pytest.approx(customers["spend"].sum())
    assert told.row(1)[1:] == (None, None, None)
    low, high = told["spend_low"][0], told["spend_high"][0]
    assert f"to spend {told['spend_expected'][0]:,.0f} in the next {found.days} days" in money.said(users)
    assert f"range of the sum: {low:,.0f} to {high:,.0f})." in money.said(users)
    held = found.measured["sums"]
    assert held["moments"] >= 2
    assert f"{held['inside']:.0%} of {held['sums']} sums of groups of customers" in money.note
    assert money.rows(histories.users["user"][[3, 1]]).tolist() == [3, 1]


def test_what_is_not_known_is_null_and_said():
    histories, _ = leaving(users=20)
    few = Money.of(fake_run(histories=histories, config=ConfigDict()))
    assert few.sums([np.arange(5)]).row(0) == (None, None, None, None)
    assert few.said(np.arange(5)) == ""
    assert "is not known: customers need 50 customers" in few.note
    without = Money.of(fake_run(histories=replace(histories, value=np.full(histories.num_events, np.nan, np.float32))))
    assert "is not known: the log has no values" in without.note
