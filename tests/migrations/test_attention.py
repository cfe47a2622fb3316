"""Views and purchases of an interest, counted by hand, and what the page says of them."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest

from tests.insights.funnel.cases import DAY, MINUTE, START, log
from trajectory.migrations.attention import attention
from trajectory.migrations.attention_page import attention_values, span

DAYS = DAY / MINUTE  # minutes
EVENTS = [
    ("ann", 0, 1, "view"),
    ("ann", 1, 1, "purchase"),  # within the log's first third: not counted, but it ends what came before
    ("ann", 12 * DAYS, 3, "view"),  # the same interest, c1
    ("ann", 13 * DAYS, 1, "view"),
    ("ann", 14 * DAYS, 3, "cart"),
    ("ann", 14 * DAYS + 5, 3, "purchase"),  # two days after the first view since
    ("ann", 14 * DAYS + 6, 1, "purchase"),  # in the same visit: once
    ("ann", 14 * DAYS + 7, 2, "purchase"),  # never viewed
    ("bob", 3 * DAYS, 2, "view"),  # more than a third of the log before
    ("bob", 20 * DAYS, 2, "view"),
    ("bob", 20 * DAYS + 12, 2, "purchase"),
    ("cyd", 30 * DAYS, 4, "view"),  # after all purchases
]


def test_each_purchase_is_as_long_after_the_first_view_since_the_one_before():
    found = attention(log(EVENTS), 1800)
    assert found.lookback == pytest.approx(10)
    c1, c2 = (found.lag.row(by_predicate=pl.col("interest") == name, named=True) for name in ("c1", "c2"))
    assert (c1["purchases"], c1["buyers"], c1["viewed"], c1["earlier"]) == (1, 1, 1.0, 1.0)
    assert c1["days"] == c1["days_earlier"] == pytest.approx(2 + 5 / DAYS)
    assert c2["days_earlier"] is None
    assert (c2["purchases"], c2["buyers"], c2["viewed"], c2["earlier"]) == (2, 2, 0.5, 0.0)
    assert c2["days"] == c2["low"] == c2["high"] == pytest.approx(12 / DAYS)


def test_of_one_moment_views_come_first_and_what_is_never_bought_is_named():
    days = [("ann", 20 * DAYS, 1, "purchase"), ("ann", 20 * DAYS, 1, "view"), ("bob", 0, 4, "view")]
    found = attention(log(days), 1800)
    row = found.lag.row(by_predicate=pl.col("interest") == "c1", named=True)
    assert (row["viewed"], row["days"]) == (1.0, 0.0)
    assert "Looked at, of all views, and never bought: c2 (50.0%)." in attention_values(found)["sentences"]


def test_shares_are_of_the_events_of_a_period():
    found = attention(log(EVENTS), 1800)
    assert found.period == 7, "30 days hold four weeks, not four times 28 days"
    rows = {(row["period"], row["interest"]): row for row in found.shares.to_dicts()}
    assert set(rows) == {(week, name) for week in (0, 1, 2, 4) for name in ("c1", "c2")}
    assert rows[0, "c1"]["views"] == rows[0, "c2"]["views"] == 1
    assert rows[0, "c1"]["share_of_views"] == 0.5
    assert rows[0, "c1"]["share_of_purchases"] == 1.0
    assert rows[1, "c1"]["share_of_purchases"] is None
    assert rows[2, "c2"]["share_of_purchases"] == 0.5, "2 lines of c1, 2 of c2"
    assert rows[2, "c1"]["start"].replace(tzinfo=UTC) == datetime.fromtimestamp(START + 14 * DAY, UTC)


@pytest.mark.parametrize(
    "changes",
    [{"event_types": ("view", "cart", "cart2")}, {"event_types": ("purchase", "cart", "cart2")}, {"has_time": False}],
)
def test_a_log_that_does_not_tell_has_none(changes):
    histories = log(EVENTS)
    roles = histories.roles | {"cart2": histories.roles["cart"]}
    assert attention(replace(histories, roles=roles, **changes), 1800) is None


@pytest.fixture(scope="module")
def drawn_lags():
    """60 users look at item 1 four days before they buy it, and at item 2 in the same visit, an hour at most."""
    rng, events = np.random.default_rng(0), [("zoe", 0, 1, "view"), ("zoe", 100 * DAYS, 1, "view")]
    for user in range(60):
        day = rng.uniform(40, 90)
        for item, before in ((1, rng.uniform(3, 5)), (2, rng.uniform(0, 20) / DAYS)):
            events += [
                (f"u{user:02}", (day - before) * DAYS, item, "view"),
                (f"u{user:02}", day * DAYS, item, "purchase"),
            ]
    return attention(log(events), 1800)


def test_the_page_tells_how_many_had_looked_in_an_earlier_visit(drawn_lags):
    values = attention_values(drawn_lags)
    (said,) = values["sentences"]
    assert said.startswith("Of 120 purchases 50% were of an interest that the buyer had looked at in an earlier visit")
    assert [row["earlier"] for row in values["rows"]] == ["100%", "0%"]
    assert re.fullmatch(r"4\.\d days \(\d\.\d days to \d\.\d days\)", values["rows"][0]["days"])
    assert values["svg"].count("<svg") == 1


@pytest.mark.parametrize(
    ("days", "said"),
    [
        (1 / 1440, "1 minute"),
        (0.05, "72 minutes"),
        (1, "24.0 hours"),
        (1.4, "33.6 hours"),
        (2, "2.0 days"),
        (28, "28 days"),
    ],
)
def test_times_are_said_in_the_unit_they_are_read_in(days, said):
    assert span(days) == said.replace("24.0", "24").replace("33.6", "34")
