"""Which column states the types of event by what it holds, and which unread ones are asked about."""

import ast
import re
from pathlib import Path

import pytest

from tests.raw_logs import cleaned, from_text, notes
from trajectory.schema import CleanLog, UserError

HEADER = "order_id,customer_id,sku,quantity,date"


def read(folder: Path, name: str, words: dict[str, int], **changes: object) -> CleanLog:
    """An order line a row, each with a word in the column `name`."""
    cells = [word for word, rows in words.items() for _ in range(rows)]
    rows = [f"{i},u{i % 7},i{i % 5},1,2024-01-{1 + i % 28:02} 10:{i % 60:02},{cell}" for i, cell in enumerate(cells)]
    return cleaned(from_text(folder, "\n".join([f"{HEADER},{name}", *rows]) + "\n", **changes), folder, **changes)


def types(clean: CleanLog) -> dict[str, int]:
    return dict(clean.types.select("type", "rows").iter_rows())


@pytest.mark.parametrize("name", ["type", "Doc Type", "transaction_type", "Tipo"])
@pytest.mark.parametrize(
    ("words", "found", "aside"),
    [
        ({"sale": 73, "return": 9, "voucher": 5, "deposit": 7}, {"purchase": 73, "return": 9}, 12),
        ({"Invoice": 80, "Credit Note": 8, "Pro Forma": 5}, {"purchase": 80, "return": 8}, 5),
        ({"INV": 80, "CN": 8}, {"purchase": 80, "return": 8}, 0),
        ({"Sales invoice": 80, "Sales credit note": 8}, {"purchase": 80, "return": 8}, 0),
        ({"Verkauf": 80, "Storno": 8}, {"purchase": 80, "return": 8}, 0),
        ({"out_invoice": 80, "out_refund": 8}, {"purchase": 80, "return": 8}, 0),
        ({"sale": 90, "giveaway": 10}, {"purchase": 90}, 10),
        ({"pageload": 60, "order": 6, "search": 5}, {"purchase": 6, "search": 5}, 60),
    ],
)
def test_known_words_of_a_column_of_types_are_taken_and_the_others_set_aside(
    tmp_path: Path, name: str, words: dict[str, int], found: dict[str, int], aside: int
) -> None:
    clean = read(tmp_path, name, words)
    assert types(clean) == found
    assert clean.counts.get("unknown event type", 0) == aside
    assert clean.log.detected["found_by"]["event_type"] == "content"


def test_a_column_of_few_words_that_may_say_what_is_no_sale_is_asked_about(tmp_path: Path) -> None:
    clean = read(tmp_path, "what", {"goods": 50, "Partial refund": 5, "credit memo": 2})
    assert types(clean) == {"purchase": 57}
    assert "what is not read, and has the words 'Partial refund', 'credit memo'" in notes(clean.log, "types")
    (asked,) = [note for note in clean.log.detected["notes"] if note["topic"] == "types"]
    assert (asked["warning"], asked["setting"].split()[0]) == (True, "data.columns.event_type=what")


@pytest.mark.parametrize("name", ["transaction_type", "Type", "operation"])
@pytest.mark.parametrize("words", [{"EARN": 50, "REDEEM": 6, "EXPIRE": 3}, {"7": 50, "8": 6}])
def test_types_of_unknown_words_are_asked_about(tmp_path: Path, name: str, words: dict[str, int]) -> None:
    clean = read(tmp_path, name, words)
    first = next(iter(words))
    assert types(clean) == {"purchase": sum(words.values())}
    assert f"{name} is not read, as none of its words is known ({first!r} 50x" in notes(clean.log, "types")
    (asked,) = [note["setting"] for note in clean.log.detected["notes"] if note["topic"] == "types"]
    assert asked.startswith(f"data.columns.event_type={name} with data.event_type_map={{{first!r}: 'purchase'}}")
    by_hand = read(tmp_path, name, words, columns={"event_type": name}, event_type_map={first: "purchase"})
    assert types(by_hand) == {"purchase": 50}


@pytest.mark.parametrize("owner", ["user", "item"])
def test_types_of_users_or_items_are_not_asked_about(tmp_path: Path, owner: str) -> None:
    rows = [
        f"u{i % 7},i{i % 5},1,2024-01-{1 + i % 28:02},{'abc'[i % (7 if owner == 'user' else 5) % 3]}" for i in range(70)
    ]
    log = from_text(tmp_path, "\n".join(["customer_id,sku,quantity,date,type", *rows]) + "\n")
    assert notes(log, "types") == ""


@pytest.mark.parametrize(
    ("name", "words"),
    [("payment", {"credit card": 50, "cash": 20}), ("channel", {"web": 50, "search": 9}), ("country", {"CNY": 5})],
)
def test_columns_of_something_else_are_not_asked_about(tmp_path: Path, name: str, words: dict[str, int]) -> None:
    assert notes(read(tmp_path, name, words).log, "types") == ""


def test_kinds_of_goods_are_no_types_of_event_but_a_known_word_is_asked_about(tmp_path: Path) -> None:
    clean = read(tmp_path, "type", {"shoe": 30, "order": 20})
    assert types(clean) == {"purchase": 50}
    assert "type is not read, and has the words 'order'" in notes(clean.log, "types")


def test_words_that_the_log_does_not_have_are_said(tmp_path: Path) -> None:
    text = "user_id,item_id,action\na,x,view\na,y,purchase\n"
    log = from_text(tmp_path, text, event_type_map={"wiew": "view"})
    assert "data.event_type_map says what 'wiew' means, which action does not have; did you mean 'view'?" in notes(
        log, "types"
    )
    assert notes(from_text(tmp_path, text, event_type_map={"View": "click"}), "types") == ""
    orders = "order_id,user_id,item_id,status\n1,a,x,paid\n2,b,y,lost\n"
    log = from_text(tmp_path, orders, event_type_map={"lost": "return"})
    assert "data.event_type_map says what 'lost' means, and no column has such words" in notes(log, "types")
    log = from_text(tmp_path, orders, status_map={"gone": "no_sale"})
    assert "data.status_map says what 'gone' means, which status does not have" in notes(log, "types")
    assert notes(from_text(tmp_path, orders, event_type_map={"": "purchase"}), "types") == ""


def test_columns_of_yes_or_no_that_name_types_are_asked_about_and_read_by_hand(tmp_path: Path) -> None:
    text = "user_id,item_id,is_click,is_buy,is_mobile\na,x,1,0,1\na,y,1,1,0\nb,x,0,0,0\n"
    log = from_text(tmp_path, text)
    assert "is_click, is_buy are yes or no, and not read: do they say what was done, as is_mobile may?" in notes(
        log, "types"
    )
    assert any("data.event_type_map={'mobile': TYPE} is_mobile, too" in n["setting"] for n in log.detected["notes"])
    alone = from_text(tmp_path, text.replace("is_mobile", "shelf").replace(",0,0,0", ",0,0,2"))
    assert "are yes or no, and not read: do they say what was done?" in notes(alone, "types")
    changes = {"columns": {"event_type": "is_click+is_buy"}}
    clean = cleaned(from_text(tmp_path, text, **changes), tmp_path, **changes)
    assert types(clean) == {"click": 1, "purchase": 1}
    assert clean.counts == {"unknown event type": 1}
    with pytest.raises(UserError, match="the cells of 'user_id' are not all yes or no"):
        from_text(tmp_path, text, columns={"event_type": "is_click+user_id"})


@pytest.mark.parametrize(
    ("name", "yes", "other"),
    [
        ("clicked", "1", "impression"),
        ("isClick", "1", "impression"),
        ("is_clicked", "1", "impression"),
        ("buy", "1", "view"),
    ],
)
def test_one_column_of_yes_or_no_that_names_a_type_is_asked_about(
    tmp_path: Path, name: str, yes: str, other: str
) -> None:
    text = f"user_id,item_id,{name}\na,x,{yes}\na,y,0\nb,x,0\n"
    log = from_text(tmp_path, text)
    assert f"{name} is a no in 2 of 3 rows" in notes(log, "types")
    (setting,) = [note["setting"] for note in log.detected["notes"] if f"{name} is a no" in note["text"]]
    told = ast.literal_eval(re.findall(r"event_type_map=(\{.*\})", setting)[0])
    changes = {"columns": {"event_type": name}, "event_type_map": told}
    assert types(cleaned(from_text(tmp_path, text, **changes), tmp_path, **changes))[other] == 2


def test_a_column_without_a_cell_is_no_value(tmp_path: Path) -> None:
    log = from_text(tmp_path, "user_id,item_id,revenue,price\na,x,,2.5\nb,y,,3.5\n")
    assert log.detected["columns"]["value"] == "price"
    assert "value" not in from_text(tmp_path, "user_id,item_id,revenue\na,x,\nb,y,\n").detected["columns"]


@pytest.mark.parametrize("name", ["ecommerce_action_type", "shop event name", "posTransactionType"])
def test_a_longer_name_that_ends_in_one_of_types_states_them(tmp_path: Path, name: str) -> None:
    clean = read(tmp_path, name, {"list_view": 30, "transaction": 20, "hover": 9})
    assert types(clean) == {"purchase": 20, "impression": 30}
    assert clean.counts == {"unknown event type": 9}


def test_orders_of_some_rows_do_not_make_all_of_them_sales(tmp_path: Path) -> None:
    rows = "".join(f"u{i % 7},i{i % 5},{f'o{i}' if i % 4 == 0 else ''},{1_700_000_000 + i}\n" for i in range(40))
    clean = cleaned(from_text(tmp_path, "user_id,item_id,order_id,timestamp\n" + rows), tmp_path)
    assert types(clean) == {"event": 40}
    assert "order_id is stated in 25% of the rows only" in notes(clean.log, "types")
    by_hand = {"columns": {"basket": "order_id"}}
    clean = cleaned(from_text(tmp_path, "user_id,item_id,order_id,timestamp\n" + rows, **by_hand), tmp_path, **by_hand)
    assert types(clean) == {"purchase": 40}


def test_a_column_of_known_words_comes_before_one_that_is_only_called_so(tmp_path: Path) -> None:
    def row(i: int, event_type: str, action: str, item: str) -> str:
        return f"u{i % 9},{item},{event_type},{action},{1_700_000_000 + i}"

    rows = [row(i, "event_product", ("detail", "add", "remove", "purchase")[i % 4], f"a{i % 7}") for i in range(40)]
    rows += [row(i, "pageview", "", "") for i in range(90)]
    log = from_text(tmp_path, "session_id,item_id,event_type,product_action,timestamp\n" + "\n".join(rows) + "\n")
    assert log.detected["columns"]["event_type"] == "product_action"
    assert "product_action is read as the type, not event_type, most of whose words are not known" in notes(
        log, "types"
    )
    mixed = [row(i, "pageview", "detail", f"a{i % 7}") for i in range(90)] + rows[:40]
    text = "\n".join(["session_id,item_id,event_type,product_action,timestamp", *mixed]) + "\n"
    log = from_text(tmp_path, text)
    assert log.detected["columns"]["event_type"] == "product_action"
    assert "not event_type, some of whose words are not known" in notes(log, "types")
    by_hand = from_text(tmp_path, text, columns={"event_type": "event_type"})
    asked = notes(by_hand, "types")
    assert asked.startswith("product_action is not read, and has the words 'detail', ")
    assert all(repr(word) in asked for word in ("add", "purchase", "remove"))
    other = from_text(tmp_path, text, columns={"event_type": "product_action"})
    assert "does it say which rows are sales" not in notes(other, "types")
    text = "session_id,item_id,event_type,flavour\n" + "".join(f"u{i % 3},a{i},zap,mild\n" for i in range(9))
    assert from_text(tmp_path, text).detected["columns"]["event_type"] == "event_type"


@pytest.mark.parametrize(
    ("name", "sale", "back"),
    [
        ("Transaction type", "Invoice", "Credit Memo"),
        ("Belegart", "Rechnung", "Rechnungskorrektur"),
        ("Dokumenttyp", "Ausgangsrechnung", "Gutschrift"),
        ("Type de pièce", "Facture", "Facture d'avoir"),
        ("Tipo de documento", "Factura", "Abono"),
        ("Tipo de documento", "Fatura", "Nota de crédito"),
        ("Tipo documento", "Fattura", "Nota di accredito"),
        ("Documentsoort", "Factuur", "Creditnota"),
        ("Typ dokumentu", "Faktura", "Korekta"),
        ("Rodzaj dokumentu", "Faktura VAT", "Faktura korygująca"),
        ("Druh dokladu", "Faktura", "Dobropis"),
        ("Verifikationstyp", "Faktura", "Kreditfaktura"),
        ("Bilagstype", "Faktura", "Kreditnota"),
        ("Tositelaji", "Lasku", "Hyvityslasku"),
        ("Вид документа", "Реализация товаров и услуг", "Возврат товаров от покупателя"),
        ("Тип документа", "Реализация", "Возврат"),
        ("Belge Türü", "Satış Faturası", "İade Faturası"),
        ("伝票区分", "売上伝票", "赤伝"),
        ("전표구분", "매출", "매출반품"),
        ("单据类型", "销售出库单", "销售退货单"),
        ("Jenis dokumen", "Faktur Penjualan", "Retur Penjualan"),
        ("Loại chứng từ", "Hóa đơn bán hàng", "Phiếu trả hàng"),
    ],
)
def test_documents_of_returns_are_known_by_their_words_in_all_languages(
    tmp_path: Path, name: str, sale: str, back: str
) -> None:
    clean = read(tmp_path, name, {sale: 60, back: 5})
    assert types(clean) == {"purchase": 60, "return": 5}
    asked = read(tmp_path, name, {"F2X": 60, "G2X": 5})
    assert f"{name} is not read, as none of its words is known" in notes(asked.log, "types")


def test_codes_of_billing_documents_are_asked_about(tmp_path: Path) -> None:
    clean = read(tmp_path, "FKART", {"F2": 60, "RE": 5, "G2": 4, "S1": 2})
    assert "FKART is not read, as none of its words is known ('F2' 60x" in notes(clean.log, "types")
