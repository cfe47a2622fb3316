"""Two made-up logs with campaigns."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from trajectory.data.context.campaigns import Campaigns
from trajectory.insights.campaigns.campaign_log import campaign_log, campaigns_of

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
