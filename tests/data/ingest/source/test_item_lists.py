"""Records that hold a list of items are read with a row for each item."""

import json
from pathlib import Path

from tests.raw_logs import cleaned, notes, settings
from trajectory.data.ingest.log import read_log
from trajectory.schema import EventLog


def read(folder: Path, records: list[dict], **changes: object) -> EventLog:
    (folder / "log.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    return read_log(settings(folder / "log.jsonl", **changes))


def test_events_of_one_item_and_orders_of_several(tmp_path: Path) -> None:
    def event(event_type: str, second: int, **properties: object) -> dict:
        return {"user": "a", "event": event_type, "time": 1_700_000_000 + second, "properties": properties}

    lines = [{"product_id": "x", "price": 2.0, "quantity": 1}, {"product_id": "y", "price": 3.0, "quantity": 2}]
    records = [
        event("Product Viewed", 0, product_id="x", price=2.0),
        event("Order Completed", 60, order_id="1", products=lines),
        event("Order Completed", 120, order_id="2", products=[lines[0], lines[0]]),
        event("Search", 180, query="shoe"),
    ]
    by_hand = {
        "columns": {
            "item": "properties.product_id",
            "value": "properties.price",
            "quantity": "properties.quantity",
            "basket": "properties.order_id",
        }
    }
    log = read(tmp_path, records, **by_hand)
    clean = cleaned(log, tmp_path, **by_hand)
    assert dict(clean.types.select("type", "rows").iter_rows()) == {"view": 1, "purchase": 4}
    bought = clean.events.filter(clean.events["event_type"] == "purchase")
    assert bought.select("item", "quantity").rows() == [("x", 1), ("y", 2), ("x", 1), ("x", 1)]
    assert clean.counts == {"missing item": 1}
    assert "properties.products holds lists of items: each is a row, 6 of 4 records" in notes(log, "items")


def test_orders_whose_items_are_in_the_list_alone(tmp_path: Path) -> None:
    order = {
        "customer_id": "a",
        "created_at": "2024-01-01",
        "line_items": [{"sku": "x", "qty": 1}, {"sku": "y", "qty": 3}],
    }
    by_hand = {"columns": {"item": "line_items.sku", "quantity": "line_items.qty"}}
    log = read(tmp_path, [order], **by_hand)
    assert log.events.select("item", "quantity").rows() == [("x", 1), ("y", 3)]


def test_money_of_the_entries_comes_before_that_of_the_order(tmp_path: Path) -> None:
    lines = [{"sku": "x", "price": 2.0, "quantity": 1}, {"sku": "y", "price": 3.0, "quantity": 2}]
    records = [
        {"user": "a", "time": 1_700_000_000, "order": {"order_id": i, "revenue": 8.0, "products": lines}}
        for i in (1, 2)
    ]
    log = read(tmp_path, records)
    assert log.detected["columns"]["value"] == "order.price"
    assert log.events["value"].sum() == 2 * (2 + 6)
    by_hand = read(tmp_path, records, columns={"value": "order.revenue"})
    assert by_hand.detected["columns"]["value"] == "order.revenue"


def test_rows_that_name_their_item_keep_it(tmp_path: Path) -> None:
    seen = {"user_id": "a", "item_id": "x", "time": 1_700_000_000, "shown": [{"item_id": "y"}, {"item_id": "z"}]}
    assert read(tmp_path, [seen]).events["item"].to_list() == ["x"]


def test_several_lists_are_not_read_and_said(tmp_path: Path) -> None:
    record = {"user_id": "a", "item_id": "x", "bought": [{"sku": "y"}], "shown": [{"sku": "z"}]}
    log = read(tmp_path, [record])
    assert log.events["item"].to_list() == ["x"]
    assert "bought and shown hold lists of items, and are not read" in notes(log, "items")
