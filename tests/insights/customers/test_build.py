"""Customers' forecasts, against a shop whose truth is known, and what the table says against plain polars."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from ml_collections import ConfigDict

from tests.builders import fake_run, make_histories, with_returns
from trajectory.data.store.arrays import events_table
from trajectory.data.times import DAY
from trajectory.insights.customers import build
from trajectory.insights.customers.build import LOST, build_customers
from trajectory.insights.customers.forecast import BG_NBD, BOOSTING, OWN, RFM, customers, order_table
from trajectory.schema import EVENT_TYPES, Histories, UserError

SPAN = 360


def shop(users: int = 600, seed: int = 0) -> tuple[Histories, np.ndarray]:
    """Customers who order at rates of their own and may leave; and whether each has left by the end."""
    rng = np.random.default_rng(seed)
    rate, leaves = rng.gamma(1.0, 1 / 20, users), rng.beta(1.0, 6.0, users)
    worth = rng.gamma(4.0, 5.0, users)
    lists, times, gone, value = [], [], np.zeros(users, bool), []
    for i in range(users):
        at, mine = rng.uniform(0, SPAN / 2), []
        while at < SPAN:
            mine.append(at)
            if rng.random() < leaves[i]:
                gone[i] = True
                break
            at += rng.exponential(1 / rate[i])
        times.append(np.array(mine))
        lists.append(rng.integers(1, 5, len(mine)).tolist())
        value.append(rng.gamma(4.0, worth[i] / 4, len(mine)))
    histories = make_histories(lists, num_items=4, interests=2)
    moment = np.concatenate(times) * DAY
    histories = replace(
        histories,
        time=histories.time.min() // DAY * DAY + moment.astype(np.int64),
        event_type=np.full(histories.num_events, 2, np.int8),
        value=np.concatenate(value).astype(np.float32),
        roles=EVENT_TYPES,
    )
    return histories, gone


@pytest.fixture(scope="module")
def known():
    histories, gone = shop()
    return histories, gone, customers(histories)


def part_of(histories, monkeypatch):
    monkeypatch.setattr(build, "warning", lambda run, of: "behind")  # so that no model is asked
    return build_customers(fake_run(histories=histories, config=ConfigDict({"heads": {"item": 1.0}})))


def test_the_chosen_method_is_ahead_of_the_customers_own_rate_and_ranges_hold(known):
    _, _, found = known
    assert found.days == 89 or found.days == 90
    rows = found.measured["methods"]
    assert rows.keys() == {OWN, RFM, BG_NBD, BOOSTING}
    assert rows[OWN]["orders"]["more"][1] > 0, "the chosen one is nearer, beyond chance"
    assert rows[found.by["orders"]]["orders"]["more"] == [0, 0, 0]
    assert 0.7 <= found.measured["inside"] <= 0.92
    assert (found.low <= found.high).all()


def test_who_left_is_told_from_who_did_not(known):
    _, gone, found = known
    left = gone[found.now.user]
    assert found.none[left].mean() > found.none[~left].mean() + 0.3
    assert found.measured["methods"][found.by["none"]]["none"]["auc"] > 0.75


def test_measures_are_those_of_the_windows(known):
    """The test window's errors of the customer's own rate, by plain polars."""
    histories, _, found = known
    events = events_table(histories).with_columns(day=(pl.col("time").dt.epoch("s") - found.measured["from"]) / DAY)
    before = events.filter(pl.col("day") < 0).group_by("user").agg(
        n=pl.len(), age=-pl.col("day").min(), mean=pl.col("value").mean()
    )  # fmt: skip
    after = events.filter(pl.col("day").is_between(0, found.days, closed="left"))
    came = after.group_by("user").agg(came=pl.len(), brought=pl.col("value").sum())
    both = before.join(came, on="user", how="left").fill_null(0)
    rate = both["n"] / both["age"].clip(found.days) * found.days
    assert found.measured["customers"] == both.height
    own = found.measured["methods"][OWN]
    assert own["orders"]["error"] == pytest.approx((rate - both["came"]).abs().mean(), rel=1e-3)
    assert own["spend"]["error"] == pytest.approx((rate * both["mean"] - both["brought"]).abs().mean(), rel=1e-3)
    assert found.measured["mean_spend"] == pytest.approx(both["brought"].mean(), rel=1e-3)


def test_each_customer_has_a_row_that_the_events_bear_out(known, monkeypatch):
    histories, *_ = known
    part = part_of(histories, monkeypatch)
    table = part.tables["customers"]
    events = events_table(histories)
    plain = events.group_by(pl.col("user").cast(pl.String)).agg(
        orders=pl.len(), spend=pl.col("value").sum(), last=pl.col("time").max().dt.date()
    )
    both = table.join(plain, on="user", validate="1:1")
    assert both.height == table.height == histories.num_users
    assert both["orders_so_far"].equals(both["orders"].cast(pl.Int64), check_names=False)
    assert both["spend_so_far"].to_list() == pytest.approx(both["spend"].to_list(), rel=1e-4)
    assert both["last_order"].equals(both["last"], check_names=False)
    assert table["spend_expected"].is_sorted(descending=True)
    back = table.filter(action="win back")
    assert (back["no_order"] >= LOST).all()
    assert (back["orders_so_far"] > 1).all()
    keep = table.filter(action="keep")
    assert 0 < keep.height <= 0.11 * table.height
    share = keep["spend_expected"].sum() / table["spend_expected"].sum()
    assert any(
        f"Keep {keep.height:,} customers first" in one and f"{share:.0%} of what" in one for one in part.sentences
    )
    assert {one.kind for one in part.sentences} == {"do", "sure"}
    brought = (
        f"Win back {back.height:,} customers who came more than once, brought {back['spend_so_far'].sum():,.0f} of"
    )
    assert any(one.startswith(brought) for one in part.sentences)


def test_what_is_said_of_how_sure_that_is_are_the_measured_numbers(known, monkeypatch):
    histories, _, found = known
    texts = " ".join(part_of(histories, monkeypatch).sentences)
    rows, by = found.measured["methods"], found.measured["by"]["spend"]
    assert (
        f"was off by {rows[by]['spend']['error']:,.1f} on average (of {found.measured['mean_spend']:,.1f} sales"
        in texts
    )
    for name, of in rows.items():
        assert name == by or f"{name} {of['spend']['error']:,.1f}" in texts
    total = rows[by]["spend"]["total"]
    high = "high" if total > 0 else "low"
    assert (
        f"All customers together were forecast {abs(total):.0%} too {high}; {found.measured['inside']:.0%} of" in texts
    )


def test_returns_take_off_value_and_are_no_orders():
    histories, _ = shop(users=60)
    back = with_returns(histories, 4)
    table = order_table(back)
    sign = np.where(back.event_type == 1, -1.0, 1.0)
    assert table["value"].sum() == pytest.approx(float((sign * histories.value).sum()), rel=1e-4)
    assert table["sold"].sum() == (back.event_type == 2).sum()


def test_a_log_with_too_little_is_told_so():
    histories, _ = shop(users=20)
    with pytest.raises(UserError, match="customers need 50 customers with an order"):
        customers(histories)
    short = replace(histories, time=histories.time.min() + (histories.time - histories.time.min()) // 40)
    with pytest.raises(UserError, match="over 28 days or more"):
        customers(short)
    with pytest.raises(UserError, match="customers need sales"):
        customers(replace(histories, event_types=("view",), event_type=np.ones_like(histories.event_type)))
