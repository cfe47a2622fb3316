"""Postage, discounts and fees among the lines of orders are kept and are no sales."""

from pathlib import Path

import pytest

from tests.raw_logs import cleaned, from_text, settings
from trajectory.data.ingest.log import read_log
from trajectory.data.ingest.quality.cleaning import clean
from trajectory.data.ingest.quality.summary import summary
from trajectory.schema import CleanLog

ORDERS = (
    "order_id,customer_id,sku,title,date,qty,price\n"
    "1,a,x,Cup,2024-01-01 10:00,1,2.0\n"
    "1,a,{0},{1},2024-01-01 10:00,1,4.5\n"
    "2,b,y,Post box,2024-01-02 10:00,1,9.0\n"
    "2,b,{0},{1},2024-01-02 10:00,-1,4.5\n"
)


def read(folder: Path, sku: str, title: str, **changes: object) -> CleanLog:
    return cleaned(from_text(folder, ORDERS.format(sku, title), **changes), folder, **changes)


def types(clean: CleanLog) -> dict[str, int]:
    return dict(clean.types.select("type", "rows").iter_rows())


@pytest.mark.parametrize(
    ("sku", "title"),
    [("POST", ""), ("77", "Shipping & Handling"), ("77", "DISCOUNT"), ("77", "Versandkosten"), ("77", "运费")],
)
def test_what_is_no_goods_by_its_id_or_title_is_no_sale_and_takes_none_back(tmp_path: Path, sku: str, title: str):
    found = read(tmp_path, sku, title)
    assert types(found) == {"purchase": 2, "service_line": 2}
    assert found.quarantine.is_empty()


def test_it_is_said_what_was_found_and_what_changes_it(tmp_path: Path):
    told = summary(read(tmp_path, "DOT", "Postage"))
    assert "WARNING: no goods, so no sales, kept and not read: 'DOT' (Postage) 2x [data.service_lines=-" in told
    assert "service lines" not in summary(read(tmp_path, "z", "Postage stamps album"))


def test_words_are_added_and_taken_away_by_hand(tmp_path: Path):
    goods = {"purchase": 3, "return": 1}
    assert types(read(tmp_path, "POST", "Postage", service_lines=("-",))) == goods
    assert types(read(tmp_path, "POST", "Postage", service_lines=("!postage",))) == goods
    assert types(read(tmp_path, "M", "Manual")) == goods
    assert types(read(tmp_path, "M", "Manual", service_lines=("m",))) == {"purchase": 2, "service_line": 2}
    counted = read(tmp_path, "POST", "Postage", event_types={"service_line": "input,target,sale"})
    assert dict(counted.types.select("type", "roles").iter_rows())["service_line"] == "input, target, sale"


def test_titles_of_the_log_count_where_the_item_table_has_none(tmp_path: Path):
    (tmp_path / "items.csv").write_text("product_id,title\nx,Cup\ny,Post box\n", encoding="utf-8")
    (tmp_path / "interactions.csv").write_text(ORDERS.format("77", "Porto"), encoding="utf-8")
    data = settings(tmp_path)
    assert types(clean(read_log(data), data)) == {"purchase": 2, "service_line": 2}


def test_logs_without_sales_have_no_service_lines(tmp_path: Path):
    log = "user,item,time,event\na,post,1700000000,view\na,post,1700000100,click\nb,delivery,1700000200,view\n"
    assert types(cleaned(from_text(tmp_path, log), tmp_path)) == {"view": 2, "click": 1}
