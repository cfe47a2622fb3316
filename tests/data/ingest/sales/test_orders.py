"""What stands on one line of an order only holds for all its lines."""

from pathlib import Path

import polars as pl

from tests.raw_logs import cleaned, from_text, notes
from trajectory.data.ingest.sales.orders import of_order


def test_the_user_and_the_time_of_an_order_hold_for_all_its_lines(tmp_path: Path) -> None:
    text = "order_id,user_id,item_id,time\n1,a,x,2024-01-01 10:00\n1,,y,\n2,,x,2024-01-02 10:00\n"
    log = from_text(tmp_path, text)
    clean = cleaned(log, tmp_path)
    assert clean.counts == {"missing user": 1}
    assert clean.events.select("user", "item").rows() == [("a", "x"), ("a", "y")]
    assert clean.events["time"].n_unique() == 1
    assert "1 lines without user_id have that of their order order_id" in notes(log, "orders")


def test_an_order_of_several_values_fills_none() -> None:
    basket, cells = pl.Series([1, 1, 1, 2, 2, None]), pl.Series("cell", ["a", "b", None, "c", None, None])
    assert of_order(cells, basket).to_list() == ["a", "b", None, "c", "c", None]


def test_the_time_of_a_return_is_not_that_of_the_purchase(tmp_path: Path) -> None:
    text = (
        "order_id,user_id,item_id,time,event_type\n1,a,x,,purchase\n1,a,x,2024-01-09 10:00,return\n"
        "2,a,y,2024-01-02 10:00,purchase\n2,a,z,,purchase\n"
    )
    clean = cleaned(from_text(tmp_path, text), tmp_path)
    assert clean.counts == {"missing time": 1}
    assert clean.events.filter(pl.col("event_type") == "purchase")["time"].n_unique() == 1
