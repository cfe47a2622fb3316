"""Records that hold a list of items are read with a row for each item."""

import json
from pathlib import Path

import polars as pl
import pytest

from tests.raw_logs import cleaned, from_frame, notes, settings
from trajectory.data.ingest.log import read_log
from trajectory.schema import EventLog, UserError


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


def test_records_that_name_no_user_can_be_the_users(tmp_path: Path) -> None:
    records = [{"history": [{"sku": f"a{i % 3}", "time": 1_700_000_000 + i} for i in range(n)]} for n in (2, 3)]
    with pytest.raises(UserError, match=r"expected a column for the user.*by what they hold it could be .*record \(2"):
        read(tmp_path, records)
    log = read(tmp_path, records, columns={"user": "record"})
    assert log.events["user"].to_list() == [1, 1, 2, 2, 2]
    named = read(tmp_path, [{"user_id": "u", **record} for record in records])
    assert "record" not in named.detected["unused"]


def test_rows_that_name_their_item_keep_it(tmp_path: Path) -> None:
    seen = {"user_id": "a", "item_id": "x", "time": 1_700_000_000, "shown": [{"item_id": "y"}, {"item_id": "z"}]}
    assert read(tmp_path, [seen]).events["item"].to_list() == ["x"]


def test_several_lists_are_not_read_and_said(tmp_path: Path) -> None:
    record = {"user_id": "a", "item_id": "x", "bought": [{"sku": "y"}], "shown": [{"sku": "z"}]}
    log = read(tmp_path, [record])
    assert log.events["item"].to_list() == ["x"]
    assert "bought and shown hold lists of items, and are not read" in notes(log, "items")


def test_a_list_whose_items_have_a_name_of_their_own_is_read_by_hand_and_its_fields_are_told(tmp_path: Path) -> None:
    types = ("clicks", "orders")
    entries = [{"thing": f"a{i}", "ts": 1_700_000_000_000 + i * 1000, "type": types[i % 2]} for i in range(4)]
    visits = [{"shopper": f"u{i}", "site": "x", "events": entries} for i in range(9)]
    with pytest.raises(UserError, match=r"shopper, site, events.thing, events.ts, events.type; .*events.thing \(4"):
        read(tmp_path, visits)
    log = read(tmp_path, visits, columns={"item": "events.thing"})
    assert log.detected["columns"] == {
        "user": "shopper",
        "item": "events.thing",
        "time": "events.ts",
        "event_type": "events.type",
    }
    assert log.events.height == 36


def test_what_entries_say_of_themselves_is_read_as_beside_a_list(tmp_path: Path) -> None:
    dish = {"sku": "x", "name": "Soup", "category": "Starters", "unitPrice": 2.0, "quantity": 1}
    lines = [dish | {"voided": False}, dish | {"sku": "y", "name": "Tart", "category": "Sweets", "voided": True}]
    checks = [
        {"openedAt": 1_700_000_000 + i * 60, "user": {"id": f"g{i % 3}", "name": "Ann", "test": True}, "lines": lines}
        for i in range(6)
    ]
    log = read(tmp_path, checks)
    assert log.detected["columns"]["time"] == "openedAt"
    assert log.detected["unused"] == ["user.name", "user.test"]
    types = cleaned(log, tmp_path).types
    assert dict(types.select("type", "rows").iter_rows()) == {"purchase": 6, "failed_order": 6}
    assert log.items is not None
    assert log.items.sort("item").select("title", "category").rows() == [("Soup", "Starters"), ("Tart", "Sweets")]


def test_records_within_a_parquet_file_are_columns_as_those_of_json(tmp_path: Path) -> None:
    rows = [
        {"user": f"u{i % 3}", "product": {"id": f"a{i % 2}", "cat": "c"}, "ts": 1_700_000_000 + i} for i in range(9)
    ]
    log = from_frame(tmp_path, pl.DataFrame(rows))
    assert log.detected["columns"]["item"] == "product.id"
    assert log.events["item"].n_unique() == 2


def test_lists_of_refunds_that_nothing_else_tells_are_asked_about(tmp_path: Path) -> None:
    order = {"customer_id": "a", "created_at": "2024-01-01", "line_items": [{"sku": "x", "quantity": 2, "price": 2.0}]}
    log = read(tmp_path, [order | {"refunds": []}, order | {"refunds": [{"line": 1, "pieces": 2}], "customer_id": "b"}])
    assert "refunds holds lists in 1 rows, and is not read" in notes(log, "no sales")
