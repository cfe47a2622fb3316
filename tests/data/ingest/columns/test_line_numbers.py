"""Columns called item or order that number the rows or the lines of an order, beside one of items or orders."""

from pathlib import Path

import pytest

from tests.raw_logs import from_text, notes
from trajectory.schema import EventLog


def read(folder: Path, header: str, skus: bool = True, **changes: object) -> EventLog:
    """Thirty orders of three lines, each with the order's number, the line's in it and in the log, and a product."""
    rows = [
        f"{100 + order},{1 + line},{3 * order + line},P{(order + 3 * line) % 7 if skus else ''},u{order % 9},"
        f"2024-01-{1 + order % 28:02},1"
        for order in range(30)
        for line in range(3)
    ]
    return from_text(folder, "\n".join([header, *rows]) + "\n", **changes)


def test_numbers_of_lines_are_no_items(tmp_path: Path) -> None:
    log = read(tmp_path, "order_number,Item #,line,SKU,user_id,date,quantity", columns={"item": ""})
    assert log.detected["columns"]["item"] == "SKU"
    assert log.events["item"].n_unique() == 7


@pytest.mark.parametrize("name", ["Item", "Product"])
def test_numbers_of_lines_give_way_whatever_they_are_called(tmp_path: Path, name: str) -> None:
    log = read(tmp_path, f"order_number,{name},line,Item SKU,user_id,date,quantity")
    assert log.detected["columns"]["item"] == "Item SKU"
    assert f"Item SKU (7 values) is read as the item, not {name}, which numbers the lines of an order" in notes(
        log, "items"
    )
    by_hand = read(tmp_path, f"order_number,{name},line,Item SKU,user_id,date,quantity", columns={"item": name})
    assert by_hand.detected["columns"]["item"] == name


def test_without_another_column_it_is_said(tmp_path: Path) -> None:
    log = read(tmp_path, "order_number,Item,line,note,user_id,date,quantity")
    assert log.detected["columns"]["item"] == "Item"
    assert "Item is read as the item, and looks like numbers of the lines of an order" in notes(log, "items")


def test_an_order_that_is_new_in_each_row_gives_way_to_one_that_repeats(tmp_path: Path) -> None:
    log = read(tmp_path, "Order Number,n,Transaction ID,sku,user_id,date,quantity")
    assert log.detected["columns"]["basket"] == "Order Number"
    assert "Order Number (30 values) is read as the order, not Transaction ID, which numbers the rows" in notes(
        log, "basket"
    )
