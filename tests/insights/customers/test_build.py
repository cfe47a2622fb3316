"""Customers' forecasts, against a shop whose truth is known, and what the table says against plain polars."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from ml_collections import ConfigDict

from tests.builders import fake_run, with_returns
from tests.insights.customers.shops import leaving as shop
from trajectory.data.store.arrays import events_table
from trajectory.data.times import DAY
from trajectory.insights.customers import build
from trajectory.insights.customers.build import LOST, build_customers
from trajectory.insights.customers.forecast import BG_NBD, BOOSTING, OWN, RFM, customers, order_table
from trajectory.insights.customers.lifetime import fit_orders
from trajectory.insights.customers.next_order import LAST, LEARNED, LEAVING, MEAN, MEDIAN, WAITS
from trajectory.insights.sale_lines import sale_lines
from trajectory.schema import UserError


@pytest.fixture(scope="module")
def known():
    histories, gone = shop()
    return histories, gone, customers(histories, sale_lines(histories))


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


def test_no_customer_is_expected_to_order_less_than_the_chance_of_an_order(known):
    """Whichever methods were chosen for orders, spend and the chance of none."""
    _, _, found = known
    comes = 1 - found.none
    assert (found.orders >= comes - 1e-9).all()
    assert (found.spend >= comes * found.now.spend / (found.now.habits.again + 1) - 1e-9).all()
    assert (found.high >= found.spend).all()


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


def test_the_next_order_held_beside_what_is_simple(known):
    """Errors of the baselines and of what is said of the chosen one, by plain polars."""
    histories, _, found = known
    held, days = found.measured["next_order"], found.days
    rows = held["methods"]
    assert rows.keys() == {WAITS, LEAVING, LEARNED, LAST, MEAN, MEDIAN}
    assert rows[held["by"]]["error"] < min(rows[name]["error"] for name in (LAST, MEAN, MEDIAN)) - 2
    assert 0.77 <= rows[held["by"]]["inside"] <= 0.95, "a top at the days' end holds all that comes later"
    events = events_table(histories).with_columns(day=(pl.col("time").dt.epoch("s") - found.measured["from"]) / DAY)
    before = (
        events.filter(pl.col("day") < 0)
        .sort("user", "day")
        .group_by("user")
        .agg(
            waits=pl.len() - 1,
            waited=-pl.col("day").last(),
            last=pl.col("day").diff().last(),
            mean=pl.col("day").diff().mean(),
        )
    )
    came = events.filter(pl.col("day").is_between(0, days, closed="left")).group_by("user").agg(pl.col("day").min())
    both = before.join(came, on="user", how="left").with_columns(pl.col("day").fill_null(days))
    assert held["none"] == pytest.approx((both["day"] == days).mean())
    earlier = events.with_columns(pl.col("day") + days)
    known_then = earlier.filter(pl.col("day") < 0).select("user").unique()
    first = earlier.filter(pl.col("day").is_between(0, days, closed="left")).group_by("user").agg(pl.col("day").min())
    typical = known_then.join(first, on="user", how="left")["day"].fill_null(days).median()
    for name, wait in ((LAST, pl.col("last")), (MEAN, pl.col("mean"))):
        point = (wait - pl.col("waited")).clip(0, days).fill_null(typical)
        assert rows[name]["error"] == pytest.approx(both.select((point - pl.col("day")).abs().mean()).item(), rel=1e-3)
        right = both.select(((point >= days) == (pl.col("day") >= days)).mean()).item()
        assert rows[name]["not_within"] == pytest.approx(right)
    error = (both["day"] - typical).abs()
    assert rows[MEDIAN]["error"] == pytest.approx(error.mean(), rel=1e-3)
    half = 1.96 * error.std() / np.sqrt(both.height)
    assert rows[MEDIAN]["error_range"] == pytest.approx([error.mean() - half, error.mean() + half], abs=0.25 * half)
    assert rows[held["by"]]["more"] == [0, 0, 0]
    for name in (LAST, MEAN, MEDIAN):
        more, low, high = rows[name]["more"]
        assert more == pytest.approx(rows[name]["error"] - rows[held["by"]]["error"])
        assert 0 < low < more < high


def test_days_of_the_next_order_are_those_of_the_fitted_model(known, monkeypatch):
    """Each customer's day by BG/NBD, which this shop follows: half of the chance of an order lies before it."""
    histories, gone, found = known
    assert found.next.by == LEAVING
    table, model = part_of(histories, monkeypatch).tables["customers"], fit_orders(found.now.habits)
    own = pl.DataFrame({"user": histories.users["user"].gather(found.now.user).cast(pl.String)}).with_row_index("at")
    at = table.join(own, on="user", maintain_order="left")["at"].to_numpy()
    assert model is not None
    h, alive = found.now.habits, model.alive(found.now.habits)
    for name, chance in (("next_from", 0.1), ("next_order", 0.5), ("next_to", 0.9)):
        until = (table[name].cast(pl.Datetime("ms")).dt.epoch("s").to_numpy() - found.now.moment) / DAY
        told = np.isfinite(until)
        assert told.any()
        for off, bound in ((0, np.less_equal), (1, np.greater_equal)):  # the day begins before, and ends after
            days = np.maximum(until + off, 0)[told]
            row = at[told]
            waits = ((model.alpha + h.age[row]) / (model.alpha + h.age[row] + days)) ** (model.r + h.again[row])
            assert bound(alive[row] * (1 - waits), chance + (1e-9 if off == 0 else -1e-9)).all()
        row = at[~told]
        waits = ((model.alpha + h.age[row]) / (model.alpha + h.age[row] + found.days - 0.5)) ** (model.r + h.again[row])
        assert (alive[row] * (1 - waits) <= chance + 1e-9).all(), "none is expected within the days"
    once = h.again[at] == 0
    assert (table["inactive"].is_null().to_numpy() == once).all()
    inactive = table["inactive"].to_numpy()[~once]
    assert inactive == pytest.approx(1 - alive[at][~once])
    left = gone[found.now.user[at]][~once]
    assert inactive[left].mean() > inactive[~left].mean() + 0.3


def test_what_is_said_of_next_orders_are_the_measured_numbers(known, monkeypatch):
    histories, _, found = known
    held = found.measured["next_order"]
    of, texts = held["methods"][held["by"]], " ".join(part_of(histories, monkeypatch).sentences)
    assert f"The next order was {of['error']:.1f} days from when it was expected" in texts
    assert f"range for {of['inside']:.0%} of customers; {held['none']:.0%} had none within {found.days} days" in texts
    assert f"told right for {of['not_within']:.0%}." in texts
    for name in (LAST, MEAN, MEDIAN):
        assert f"{name} {held['methods'][name]['error']:.1f}" in texts


def test_returns_take_off_value_and_are_no_orders():
    histories, _ = shop(users=60)
    back = with_returns(histories, 4)
    table = order_table(back, sale_lines(back))
    sign = np.where(back.event_type == 1, -1.0, 1.0)
    assert table["value"].sum() == pytest.approx(float((sign * histories.value).sum()), rel=1e-4)
    assert table["sold"].sum() == (back.event_type == 2).sum()


def test_a_log_with_too_little_is_told_so(monkeypatch):
    histories, _ = shop(users=20)
    with pytest.raises(UserError, match="customers need 50 customers with an order"):
        customers(histories, sale_lines(histories))
    short = replace(histories, time=histories.time.min() + (histories.time - histories.time.min()) // 40)
    with pytest.raises(UserError, match="over 28 days or more"):
        customers(short, sale_lines(short))
    with pytest.raises(UserError, match="customers need sales"):
        part_of(replace(histories, event_types=("view",), event_type=np.ones_like(histories.event_type)), monkeypatch)
