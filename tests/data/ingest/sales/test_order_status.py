"""Orders that came to nothing are kept and are no sales."""

from pathlib import Path

import pytest

from tests.raw_logs import cleaned, from_text, notes
from trajectory.data.ingest.quality.summary import summary
from trajectory.schema import CleanLog, UserError

ORDERS = (
    "order_id,customer_id,sku,date,qty,price,{status}\n"
    "1,a,x,2024-01-01 10:00,1,2.0,{0}\n"
    "2,a,y,2024-01-02 10:00,2,3.0,{1}\n"
    "3,b,x,2024-01-03 10:00,1,2.0,{2}\n"
    "4,b,y,2024-01-04 10:00,5,3.0,{3}\n"
)


def read(folder: Path, text: str, **changes: object) -> CleanLog:
    return cleaned(from_text(folder, text, **changes), folder, **changes)


def types(folder: Path, *words: str, status: str = "order_status", **changes: object) -> dict[str, int]:
    clean = read(folder, ORDERS.format(*words, status=status), **changes)
    return dict(clean.types.select("type", "rows").iter_rows())


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("order_status", ("delivered", "cancelled", "shipped", "unpaid")),
        ("Financial Status", ("paid", "refunded", "partially_refunded", "voided")),
        ("status", ("wc-completed", "wc-failed", "wc-processing", "wc-on-hold")),
        ("order_status", ("Entregue", "Cancelado", "Concluído", "Aguardando pagamento")),
        ("Stato ordine", ("Completato", "Annullato", "In lavorazione", "In attesa")),
        ("Bestelstatus", ("Voltooid", "Geannuleerd", "In behandeling", "Terugbetaald")),
        ("Status zamówienia", ("Zrealizowane", "Anulowane", "W trakcie realizacji", "Zwrócone")),
        ("shop.orders.order_status", ("paid", "cancelled", "shipped", "refunded")),
        ("order.state", ("paid", "cancelled", "shipped", "refunded")),
        ("订单状态", ("已完成", "已取消", "已付款", "待付款")),
        ("État", ("Livré", "Annulé", "Paiement accepté", "En attente du paiement par chèque")),
        ("Situação", ("Entregue", "Cancelado", "Concluído", "Aguardando pagamento")),
        ("Статус", ("Доставляется", "Отменён", "Ожидает сборки", "Возврат")),
        ("Status", ("sale", "cancel", "Sales Order", "Quotation")),
        ("stateMachineState", ("completed", "cancelled", "in_progress", "refunded")),
    ],
)
def test_orders_that_were_cancelled_refunded_or_never_paid_are_no_sales(tmp_path: Path, status: str, words: tuple):
    assert types(tmp_path, *words, status=status) == {"purchase": 2, "failed_order": 2}


@pytest.mark.parametrize(
    ("name", "words"),
    [("etape", ("Livré", "Annulé", "Expédié", "Remboursé")), ("phase", ("paid", "cancelled", "shipped", "refunded"))],
)
def test_words_of_a_status_under_another_name_are_proposed_as_one(tmp_path: Path, name: str, words: tuple) -> None:
    clean = read(tmp_path, ORDERS.format(*words, status=name))
    (note,) = [note for note in clean.log.detected["notes"] if note["topic"] == "types"]
    assert note["text"].startswith(f"{name} is not read, and has the words ")
    assert note["text"].endswith("does it say which rows are sales, by what became of orders?")
    assert note["setting"] == f"data.columns.status={name}"
    assert types(tmp_path, *words, status=name, columns={"status": name}) == {"purchase": 2, "failed_order": 2}
    types_of = read(tmp_path, ORDERS.format("sale", "refund", "sale", "return", status=name))
    assert "by what became of orders" not in notes(types_of.log, "types")


def test_what_is_said_of_sales_counts_no_rows_that_are_set_aside(tmp_path: Path) -> None:
    text = ORDERS.format("paid", "parcel of two", "parcel of two", "voided", status="order_status")
    text += "5,b,,2024-01-05 10:00,-1,9,parcel of two\n6,,y,2024-01-05 10:00,-1,9,voided\n7,,y,2024-01-05,1,9,\n"
    text += "8,a,,2024-01-05 10:00,1,9,\n10,,POST,2024-01-05 10:00,1,9,paid\n9,a,POST,2024-01-06 10:00,1,9,paid\n"
    log = read(tmp_path, text).log
    assert "not known, taken as sales: 'parcel of two' 2x" in notes(log, "order status")
    assert "kept and not read: 'voided' 1x" in notes(log, "order status")
    assert "have no order_status" not in notes(log, "order status")
    assert "below 0" not in notes(log, "sales")
    assert "'POST' 1x" in notes(log, "service lines")


def test_it_is_said_which_words_were_no_sales_and_which_are_not_known(tmp_path: Path):
    told = summary(read(tmp_path, ORDERS.format("paid", "cancelled", "paid", "mailed", status="order_status")))
    assert "WARNING: order_status is read as the status of orders; no sales, kept and not read: 'cancelled' 1x" in told
    assert (
        "WARNING: not known, taken as sales: 'mailed' 1x "
        "[data.status_map={'mailed': 'sale'}, or 'no_sale'; so for each]" in told
    )


@pytest.mark.parametrize(
    ("word", "failed"),
    [
        ("Cancelada por el comprador", True),
        ("order_refunded", True),
        ("pending_paypal", True),
        ("payment_review", True),
        ("En attente de virement bancaire", True),
        ("Awaiting check payment", True),
        ("Warten auf Zahlungseingang", True),
        ("Aguardando pagamento via boleto", True),
        ("Oczekuje na wpłatę", True),
        ("Shipped - Delivered to Buyer", False),
        ("Venta entregada", False),
        ("Paiement à distance accepté", False),
        ("Shipped - Returned to Seller", True),
        ("Package Returned", True),
        ("Отменён покупателем", True),
        ("주문 취소", True),
        ("İade Edildi", True),
        ("Partially cancelled", False),
        ("Not returned", False),
        ("No return", False),
        ("Returns desk pickup", False),
    ],
)
def test_words_within_longer_statuses(tmp_path: Path, word: str, failed: bool):
    assert types(tmp_path, "paid", word, "paid", "paid").get("failed_order", 0) == failed


def test_by_hand_it_is_said_what_a_word_of_a_status_means(tmp_path: Path):
    words = ("paid", "cancelled", "mailed", "lost")
    meant = {"mailed": "sale", "lost": "no_sale", "cancelled": "sale"}
    clean = read(tmp_path, ORDERS.format(*words, status="order_status"), status_map=meant)
    assert dict(clean.types.select("type", "rows").iter_rows()) == {"purchase": 3, "failed_order": 1}
    assert "not known" not in notes(clean.log, "order status")
    with pytest.raises(UserError, match=r"data.status_map maps 'lost' to 'return'; expected sale or no_sale"):
        types(tmp_path, *words, status_map={"lost": "return"})


def test_the_status_of_an_order_holds_for_all_its_lines(tmp_path: Path):
    lines = (
        "1,a,x,2024-01-01,paid\n1,a,y,2024-01-01,\n2,b,x,2024-01-02,refunded\n2,b,y,2024-01-02,\n3,b,z,2024-01-03,\n"
    )
    clean = read(tmp_path, "order_id,user_id,item_id,date,status\n" + lines)
    assert dict(clean.types.select("type", "rows").iter_rows()) == {"purchase": 3, "failed_order": 2}
    told = notes(clean.log, "order status")
    assert "2 lines without status have that of their order" in told
    assert "1 rows have no status, taken as sales" in told


def test_orders_of_a_shop_that_names_them_name(tmp_path: Path):
    header = "Name,Email,Financial Status,Created at,Lineitem quantity,Lineitem name,Lineitem price,Lineitem sku\n"
    lines = "#1,a@x.y,voided,2024-01-01 10:00,1,A,2.0,a\n#1,a@x.y,,2024-01-01 10:00,1,B,3.0,b\n"
    clean = read(tmp_path, header + lines + "#2,a@x.y,paid,2024-01-02 10:00,1,A,2.0,a\n")
    assert clean.log.detected["columns"]["basket"] == "Name"
    assert dict(clean.types.select("type", "rows").iter_rows()) == {"purchase": 1, "failed_order": 2}


def test_a_log_of_orders_by_their_status_alone_is_of_purchases(tmp_path: Path):
    text = "user_id,item_id,date,status\n" + "".join(
        f"u{i % 3},i{i % 2},2024-01-0{1 + i},{'paid' if i % 4 else 'refunded'}\n" for i in range(8)
    )
    clean = read(tmp_path, text)
    assert dict(clean.types.select("type", "rows").iter_rows()) == {"purchase": 6, "failed_order": 2}
    seen = read(tmp_path, text, event_type_map={"": "view"})
    assert dict(seen.types.select("type", "rows").iter_rows()) == {"view": 8}
    assert "no row is a sale" in notes(seen.log, "order status")


def test_a_status_of_something_else_is_no_status_of_orders(tmp_path: Path):
    assert types(tmp_path, "gold", "silver", "gold", "cancelled", status="status") == {"purchase": 4}


def test_by_hand_there_is_no_status_or_another_column(tmp_path: Path):
    words = ("paid", "cancelled", "paid", "void")
    assert types(tmp_path, *words, columns={"status": "-"}) == {"purchase": 4}
    assert types(tmp_path, *words, status="stand", columns={"status": "stand"}) == {"purchase": 2, "failed_order": 2}
    with pytest.raises(UserError, match=r"data.columns.status='state' is not in the log"):
        types(tmp_path, *words, columns={"status": "state"})


def test_what_is_no_sale_is_not_touched_by_a_status(tmp_path: Path):
    text = "user_id,item_id,event_type,order_status\na,x,view,cancelled\na,x,purchase,cancelled\na,y,purchase,paid\n"
    assert dict(read(tmp_path, text).types.select("type", "rows").iter_rows()) == {
        "view": 1,
        "purchase": 1,
        "failed_order": 1,
    }


def test_the_status_of_an_account_is_none_of_an_order(tmp_path: Path):
    words = ("active", "cancelled", "pending")
    rows = [f"u{i % 30},i{i % 7},{'purchase' if i % 3 else 'view'},{words[i % 30 % 3]}" for i in range(90)]
    text = "\n".join(["user_id,item_id,event_type,status", *rows]) + "\n"
    clean = read(tmp_path, text)
    assert "failed_order" not in clean.types["type"].to_list()
    assert "WARNING: status is not read as the status of orders: events that are no sales have it too" in summary(clean)
    by_hand = read(tmp_path, text, columns={"status": "status"})
    assert "failed_order" in by_hand.types["type"].to_list()


def test_a_status_that_is_the_same_in_all_orders_of_a_user_is_none_of_an_order(tmp_path: Path):
    words = ("active", "cancelled", "confirmed")
    rows = [f"{i},u{i % 30},i{i % 7},{words[i % 30 % 3]}" for i in range(90)]
    clean = read(tmp_path, "\n".join(["order_id,user_id,item_id,status", *rows]) + "\n")
    assert "failed_order" not in clean.types["type"].to_list()
    assert "it is the same in all orders of a user" in summary(clean)
    lines = [f"o{i % 30},u{i % 30},i{i % 7},{words[i % 30 % 3]}" for i in range(90)]  # of one order each
    clean = read(tmp_path, "\n".join(["order_id,user_id,item_id,status", *lines]) + "\n")
    assert "failed_order" in clean.types["type"].to_list()


def test_rows_for_each_status_that_an_order_went_through_are_warned_of(tmp_path: Path):
    words = ("created", "paid", "delivered")
    rows = "".join(f"{i},u{i % 4},x,2024-01-0{n + 1},{word}\n" for i in range(6) for n, word in enumerate(words))
    told = summary(read(tmp_path, "order_id,user_id,item_id,date,order_status\n" + rows))
    assert "WARNING: 6 of 6 items of an order stand in several rows, one for each order_status" in told
    once = "".join(f"{i},u{i % 4},x,2024-01-03,{words[i % 3]}\n" for i in range(6))
    assert "stand in several rows" not in summary(read(tmp_path, "order_id,user_id,item_id,date,order_status\n" + once))


def test_a_status_of_unknown_words_is_warned_of(tmp_path: Path):
    words = ("uitgevoerd", "teruggedraaid", "uitgevoerd", "uitgevoerd")
    told = summary(read(tmp_path, ORDERS.format(*words, status="order_status")))
    assert "WARNING: order_status is not read" in told
    assert "'uitgevoerd' 3x, 'teruggedraaid' 1x" in told
    meant = {"uitgevoerd": "sale", "teruggedraaid": "no_sale"}
    by_hand = types(tmp_path, *words, status_map=meant)
    assert by_hand == {"purchase": 3, "failed_order": 1}


@pytest.mark.parametrize("name", ["ステータス", "Status", "Estado", "Durum", "Статус"])
def test_a_status_of_codes_is_asked_about_where_it_may_be_of_orders(tmp_path: Path, name: str):
    clean = read(tmp_path, ORDERS.format("700", "900", "700", "500", status=name))
    assert f"{name} is not read, most of its words are not known ('700' 2x" in notes(clean.log, "order status")
    meant = {"columns": {"status": name}, "status_map": {"700": "sale", "500": "sale", "900": "no_sale"}}
    assert types(tmp_path, "700", "900", "700", "500", status=name, **meant) == {"purchase": 3, "failed_order": 1}
    seen = "user_id,item_id,event_type,status\n" + "".join(f"u{i % 3},i{i},view,{200 + i % 2}\n" for i in range(9))
    assert not notes(read(tmp_path, seen).log, "order status")
