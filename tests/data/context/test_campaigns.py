"""Campaign tables beside a log, in both namings of their columns, and logs without any."""

from __future__ import annotations

from datetime import datetime

import polars as pl
import pytest
from ml_collections import ConfigDict

from trajectory.data.context.campaigns import read_campaigns, read_lines
from trajectory.data.ingest.source.domains import resolve
from trajectory.schema import UserError
from trajectory.settings import base

DAY = 86_400


def config(folder, item_column=""):
    data = base().data
    data.source, data.item_column = str(folder), item_column
    data.event_type_map = ConfigDict({"": "purchase"})
    return data


@pytest.fixture(params=[("household_id", "product_id"), ("user_id", "item_id")])
def folder(request, tmp_path):
    user, item = request.param
    day = datetime(2017, 3, 1)
    tables = {
        "campaigns": {"campaign_id": [1, 1], user: [5, 6]},
        "campaign_descriptions": {
            "campaign_id": [1],
            "campaign_type": ["Type A"],
            "start_date": [day],
            "end_date": [datetime(2017, 3, 2)],
        },
        "coupons": {"coupon_upc": [9], item: [70], "campaign_id": [1]},
        "coupon_redemptions": {user: [6], "coupon_upc": [9], "campaign_id": [1], "redemption_date": [day]},
        "interactions": {user: [6, 5], item: [70, 71], "timestamp": [2, 1], "coupon_disc": [0.5, 0.0]},
        "items": {item: [70, 71], "title": ["soup", "tea"]},
    }
    for name, columns in tables.items():
        pl.DataFrame(columns).write_parquet(tmp_path / f"{name}.parquet")
    return tmp_path


def test_campaigns_are_read_in_either_naming(folder):
    found = read_campaigns(config(folder))
    start = int(datetime(2017, 3, 1).timestamp()) // DAY * DAY
    assert found.described.rows() == [(1, "Type A", start, start + 2 * DAY)]  # the last day is part of it
    assert found.recipients.rows() == [(1, 5), (1, 6)]
    assert found.offers.rows() == [(1, 9, 70)]
    assert found.redemptions.rows() == [(1, 6, 9, start)]


def test_lines_know_their_item_its_group_and_whether_a_coupon_paid(folder):
    lines = read_lines(config(folder, "title")).select("user", "item", "group", "time", "coupon")
    assert lines.rows() == [(5, 71, "tea", 1, False), (6, 70, "soup", 2, True)]
    assert read_lines(config(folder))["group"].to_list() == ["71", "70"]


def test_lines_are_sales(folder):
    table = pl.read_parquet(folder / "interactions.parquet")
    table.with_columns(event_type=pl.Series(["view", "buy"])).write_parquet(folder / "interactions.parquet")
    assert read_lines(config(folder))["item"].to_list() == [71]
    table.with_columns(quantity=pl.Series([1, -1])).write_parquet(folder / "interactions.parquet")
    assert read_lines(config(folder))["item"].to_list() == [70]
    priced = table.with_columns(quantity=pl.Series([1, 3]), unit_price=pl.Series(["$2.00", "$0.50"]))
    priced.write_parquet(folder / "interactions.parquet")
    assert read_lines(config(folder))["value"].to_list() == [1.5, 2.0]


def test_a_log_without_campaigns_has_none(folder):
    (folder / "coupons.parquet").unlink()
    assert read_campaigns(config(folder)) is None
    assert read_campaigns(config(folder / "interactions.parquet")) is None


def test_a_log_without_users_is_named_as_such(folder):
    pl.DataFrame({"item_id": [1], "timestamp": [3]}).write_parquet(folder / "interactions.parquet")
    with pytest.raises(UserError, match="user"):
        read_lines(config(folder))


def test_the_real_campaigns_are_all_there():
    data = base().data
    data.source = "complete_journey"
    try:
        found = read_campaigns(resolve(data))
    except UserError as error:
        pytest.skip(str(error))
    assert found.described.height == 27
    assert found.recipients.height == 6589
    assert found.redemptions.height == 2102
