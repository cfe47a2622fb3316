import polars as pl
import pytest

from trajectory.data.context.promotions import read_promotions
from trajectory.settings import base

MONDAY = 1_704_067_200  # 2024-01-01
WEEK = 7 * 86_400


@pytest.fixture
def config(tmp_path):
    times = pl.Series([MONDAY + 3600, MONDAY + 2 * 86_400, MONDAY + WEEK, MONDAY + WEEK + 5])
    log = pl.DataFrame({"user_id": [1, 1, 2, 2], "item_id": [7, 8, 9, 7], "timestamp": times, "week": [5, 5, 6, 6]})
    log.write_parquet(tmp_path / "interactions.parquet")
    pl.DataFrame({"item_id": [7, 8, 9], "title": ["milk", "milk", "tea"]}).write_parquet(tmp_path / "items.parquet")
    data = base().data
    data.source = str(tmp_path)
    return data


def by_store(folder):
    rows = [(7, 1, "0", "A", 5), (7, 2, "3", "0", 5), (8, 1, "9", "H", 5), (9, 1, "0", "D", 8)]
    names = ["product_id", "store_id", "display_location", "mailer_location", "week"]
    pl.DataFrame(rows, schema=names, orient="row").write_parquet(folder / "promotions.parquet")


def by_week(folder):
    rows = [(7, 5, 1, 1, 2), (8, 5, 1, 1, 1), (9, 8, 0, 1, 1)]
    names = ["item_id", "week", "stores_display", "stores_mailer", "stores"]
    pl.DataFrame(rows, schema=names, orient="row").write_parquet(folder / "promotions_by_week.parquet")


@pytest.mark.parametrize("write", [by_store, by_week])
def test_stores_are_summed_over_the_products_of_a_type_and_weeks_are_dated_by_the_log(config, tmp_path, write):
    write(tmp_path)
    config.item_column = "title"
    # Week 5 is the first of January's; week 8, which the log has not, is three later.
    assert read_promotions(config).rows() == [("milk", MONDAY, 2.0, 2.0), ("tea", MONDAY + 3 * WEEK, 1.0, 0.0)]


def test_without_regrouping_items_are_products(config, tmp_path):
    by_week(tmp_path)
    assert read_promotions(config)["item"].to_list() == ["7", "8", "9"]


def test_a_log_without_promotions_or_numbered_weeks_has_none(config, tmp_path):
    assert read_promotions(config) is None
    by_week(tmp_path)
    pl.read_parquet(tmp_path / "interactions.parquet").drop("week").write_parquet(tmp_path / "interactions.parquet")
    assert read_promotions(config) is None


def test_products_whose_type_is_not_told_have_none(config, tmp_path):
    by_week(tmp_path)
    config.item_column = "title"
    (tmp_path / "items.parquet").unlink()
    assert read_promotions(config) is None
