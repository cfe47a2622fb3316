"""Sales that a log states twice, as an order and as its invoice, are asked about."""

from pathlib import Path

import pytest

from tests.raw_logs import cleaned, from_text, notes

HEADER = "customer_id,item_id,document_type,posting_date,quantity,line_amount\n"


def documents(order: str, invoice: str, invoiced: int = 30, differ: int = 0) -> str:
    """Orders, and invoices of some of them two days later, of which some differ in their pieces."""
    rows = [(i, order, 1 + i % 20, 1 + i % 3) for i in range(40)]
    rows += [(i, invoice, 3 + i % 20, 1 + i % 3 + (i < differ)) for i in range(invoiced)]
    lines = [f"c{i % 13},a{i % 11},{word},2024-03-{day:02},{n},{n * 2.5 + i}" for i, word, day, n in rows]
    return HEADER + "\n".join(lines) + "\n"


@pytest.mark.parametrize(("order", "invoice"), [("Sales Order", "Invoice"), ("pedido", "factura"), ("注文", "売上")])
def test_an_order_and_its_invoice_are_one_sale_stated_twice(tmp_path: Path, order: str, invoice: str) -> None:
    text = documents(order, invoice)
    log = from_text(tmp_path, text)
    assert f"30 of 30 rows of {invoice!r} have the user, item and amounts of a row of {order!r}" in notes(log, "types")
    (setting,) = [note["setting"] for note in log.detected["notes"] if "stated twice" in note["text"]]
    assert setting == f"data.event_type_map={{{order!r}: 'checkout'}} if {invoice!r} alone is the sale"
    changes = {"event_type_map": {order: "checkout"}}
    told = from_text(tmp_path, text, **changes)
    assert "stated twice" not in notes(told, "types")
    types = cleaned(told, tmp_path, **changes).types
    assert dict(types.select("type", "rows").iter_rows()) == {"purchase": 30, "checkout": 40}


def test_sales_of_two_words_that_differ_are_sales(tmp_path: Path) -> None:
    assert "stated twice" not in notes(from_text(tmp_path, documents("Invoice", "Cash Sale", differ=10)), "types")
    assert "stated twice" not in notes(from_text(tmp_path, documents("Invoice", "Cash Sale", invoiced=5)), "types")


def test_an_order_that_is_created_and_paid_is_one_sale_also_without_amounts(tmp_path: Path) -> None:
    rows = [f"c{i % 13},a{i % 11},{word}" for word in ("order_created", "order_paid") for i in range(40)]
    log = from_text(tmp_path, "user_id,item_id,event_name\n" + "\n".join(rows) + "\n")
    assert "have the user and item of a row of" in notes(log, "types")
