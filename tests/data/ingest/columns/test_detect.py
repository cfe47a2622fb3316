"""Which column means what, by the names that exports of shops, tills, ledgers and warehouses give them."""

from pathlib import Path

import pytest

from tests.raw_logs import from_text, notes
from trajectory.data.ingest.columns.detect import pick, plain
from trajectory.schema import UserError


@pytest.mark.parametrize(
    ("columns", "fields"),
    [
        ("Buyer Username|Item Number|Sale Date|Quantity|Total Price|Paid On Date", "user item time quantity value -"),
        ("buyer-email|sku|purchase-date|quantity-purchased|item-price", "user item time quantity value"),
        ("Kunden-Nr.|Artikelnr.|Belegdatum|Menge|Betrag|Beleg-Nr.", "user item time quantity value basket"),
        ("Код клиента|Артикул|Дата заказа|Количество|Сумма|№ заказа", "user item time quantity value basket"),
        ("Login kupującego|Numer oferty|Data zakupu|Liczba sztuk|Cena", "user item time quantity value"),
        ("회원번호|상품코드|주문일시|수량|단가", "user item time quantity value"),
        ("会員番号|商品コード|購入日時|数量|金額", "user item time quantity value"),
        ("會員卡號|商品編碼|日期|數量|銷售", "user item time quantity value"),
        ("客戶編號|產品編號|訂購日期|銷售數量|銷售金額|訂單編號", "user item - quantity value basket"),
        ("Référence commande|Client|Produit", "basket user item"),
        ("Order Reference|Customer|Order Lines/Product|Order Lines/Quantity", "basket user item quantity"),
        ("KUNAG|MATNR|FKDAT|FKIMG|NETWR|VBELN", "user item time quantity value basket"),
        ("user.id|product.id|event.name|ts", "user item event_type time"),
        ("event|properties.distinct_id|properties.product_id|properties.price", "event_type user item value"),
        ("Item.customer_id.S|Item.sku.S|Item.quantity.N", "user item quantity"),
        ("customer_id|properties.user_id|sku", "user - item"),
        ("reader_id|isbn|stars", "user item rating"),
        ("session_id|player_id|product_id", "- user item"),
        ("fullVisitorId|visitId|productSKU", "user - item"),
        ("MemberCardNumber|ProductCode|Units", "user item quantity"),
        ("id_cliente|id_produto|ação", "user item event_type"),
        ("viewer|film_id|stars", "user item rating"),
        ("bidder|lot_no|action", "user item event_type"),
        ("patron_id|bib_id|timestamp", "user item time"),
        ("Party Code|Item Code|Bill No|Qty", "user item basket quantity"),
        ("Account|Part No|Document No|Posting Date", "user item basket time"),
        ("EmailAddress|AccountCode|InventoryItemCode", "user - item"),
        ("Source No.|Item No.|Document No.|Posting Date", "user item basket time"),
        ("Client ID|Merchandise|Purchase ID", "user item basket"),
        ("Código Cliente|Código Artículo|Nº Ticket", "user item basket"),
        ("buyer-email|sku|amazon-order-id", "user item basket"),
        ("id_customer|product_id|id_order", "user item basket"),
    ],
)
def test_columns_are_known_by_names_in_many_systems_and_languages(columns: str, fields: str) -> None:
    names = columns.split("|")
    right = {field: name for field, name in zip(fields.split(), names, strict=True) if field != "-"}
    assert pick(names, {}) == right


def test_a_name_within_records_counts_where_one_column_alone_has_it() -> None:
    assert "item" not in pick(["user", "viewed.product_id", "bought.product_id"], {})


def test_names_are_compared_by_letters_and_digits() -> None:
    assert plain("Kunden-Nr.") == plain("kunden_nr") == "kundennr"
    assert plain("Artículo") == "articulo"
    assert plain("№") == "n"
    assert plain("--") == "--", "a name without letters is that of itself alone"


def test_all_columns_that_are_missing_are_named_at_once_and_neither_dates_nor_money_are_proposed(
    tmp_path: Path,
) -> None:
    rows = "".join(f"p{i % 7},t{i % 5},2024-01-{1 + i % 28:02},{i % 9}.5\n" for i in range(60))
    with pytest.raises(UserError, match=r"column for the user.*nor is one for the item") as error:
        from_text(tmp_path, "who,what,bought_at,paid\n" + rows)
    assert "could be who (7 values) or what (5 values); set" in str(error.value)


def test_items_without_ids_are_told_apart_by_their_names_and_it_is_said(tmp_path: Path) -> None:
    log = from_text(tmp_path, "customer,Product name,date\nA,Red mug,2024-01-02\nB,Blue mug,2024-01-03\n")
    assert log.events["item"].to_list() == ["Red mug", "Blue mug"]
    assert "told apart by their names in Product name" in notes(log, "items")


@pytest.mark.parametrize("own", ["price", ""])
def test_money_that_all_lines_of_an_order_repeat_is_the_orders(tmp_path: Path, own: str) -> None:
    lines = [(order, line, 10 * order + 1, line + 1) for order in range(12) for line in range(3)]
    head = f"order_id,customer,sku,revenue{',' * bool(own)}{own}\n"
    text = head + "".join(
        f"{order},c{order % 4},s{line},{total}{f',{price}' if own else ''}\n" for order, line, total, price in lines
    )
    log = from_text(tmp_path, text)
    assert "revenue is the same on all lines of an order" in notes(log, "value")
    assert log.detected["columns"].get("value", "") == own
    by_hand = from_text(tmp_path, text, columns={"value": "revenue"})
    assert by_hand.detected["columns"]["value"] == "revenue"
    assert "revenue is the same on all lines of an order, and counts for each" in notes(by_hand, "value")


def test_pieces_of_a_ledger_are_a_change_of_its_stock(tmp_path: Path) -> None:
    rows = "".join(f"c{i % 5},s{i % 7},sale,{-1 - i % 3},{2 + i % 7}.5,{90 - i}\n" for i in range(60))
    log = from_text(tmp_path, "customer_id,sku,movement_type,qty_change,sales_price,balance_after\n" + rows)
    assert log.detected["columns"]["quantity"] == "qty_change"
    assert log.events["quantity"].sum() == sum(1 + i % 3 for i in range(60))


def test_another_column_of_people_is_offered_where_most_rows_have_no_user(tmp_path: Path) -> None:
    rows = "".join(f"{f'u{i}' if i % 3 == 0 else ''},cookie{i % 4},sku{i % 5}\n" for i in range(30))
    text = notes(from_text(tmp_path, "user_id,domain_userid,sku\n" + rows), "users")
    assert "the user is missing in 20 of 30 rows, domain_userid is not" in text
