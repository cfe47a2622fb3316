"""Columns of money, pieces and ratings that are found by the words of their names and by what they hold."""

from pathlib import Path
from typing import Any

import pytest

from tests.raw_logs import cleaned, from_text, notes
from trajectory.data.ingest.quality.doubts import doubt_events
from trajectory.schema import CleanLog

SOLD = "sold_at"


def read(folder: Path, cells: dict[str, Any], rows: int = 60, **changes: Any) -> CleanLog:
    """Rows of users and items with further columns, each a list of cells in turn or a function of the row's number."""

    def cell(given: Any, i: int) -> Any:
        return given(i) if callable(given) else given[i % len(given)]

    lines = [
        ";".join([f"u{i % 7}", f"i{i % 5}", *(str(cell(given, i)) for given in cells.values())]) for i in range(rows)
    ]
    text = "\n".join([";".join(["user_id", "item_id", *cells]), *lines]) + "\n"
    return cleaned(from_text(folder, text, duplicates="keep", **changes), folder, duplicates="keep", **changes)


def found(clean: CleanLog, *fields: str) -> tuple[str, ...]:
    return tuple(clean.log.detected["columns"].get(field, "") for field in fields)


def settings(clean: CleanLog, topic: str) -> list[str]:
    return [note["setting"] for note in clean.log.detected["notes"] if note["topic"] == topic and note["warning"]]


def pieces(i: int) -> int:
    return 1 + i % 3


def price(i: int) -> float:
    return 2.25 + i % 5


@pytest.mark.parametrize(
    "money", ["purchaseamount", "UnitAmount", "Product Revenue", "Verkaufspreis", "商品金额", "price.$numberDecimal"]
)
@pytest.mark.parametrize("count", ["purchasequantity", "QtySold", "Verkaufsmenge", "购买数量", "qty.$numberInt"])
def test_words_within_names_tell_money_and_pieces(tmp_path: Path, money: str, count: str) -> None:
    clean = read(tmp_path, {money: price, count: pieces})
    assert found(clean, "value", "quantity") == (money, count)
    assert clean.log.detected["found_by"]["value"] in ("word", "name")
    assert clean.types["type"].to_list() == ["purchase"]
    assert clean.events["value"].sum() == pytest.approx(sum(price(i) * pieces(i) for i in range(60)))


@pytest.mark.parametrize(
    "name",
    [
        "shipping_amount",
        "Order Sales Tax",
        "list_price",
        "avg_price",
        "Discount Amount",
        "SalesRank",
        "price_band",
        "cost_price",
    ],
)
def test_other_amounts_are_no_money_of_a_sale(tmp_path: Path, name: str) -> None:
    assert found(read(tmp_path, {"quantity": pieces, name: price}), "value") == ("",)


@pytest.mark.parametrize("name", ["stock_quantity", "units_per_pack", "qty_available"])
def test_other_counts_are_no_pieces(tmp_path: Path, name: str) -> None:
    clean = read(tmp_path, {name: pieces})
    assert found(clean, "quantity") == ("",)
    assert clean.types["type"].to_list() == ["event"]


def test_of_a_price_and_its_sum_the_sum_is_read(tmp_path: Path) -> None:
    clean = read(tmp_path, {"Net Price": price, "quantity": pieces, "Net Value": lambda i: price(i) * pieces(i)})
    assert found(clean, "value") == ("Net Value",)
    assert clean.events["value"].sum() == pytest.approx(sum(price(i) * pieces(i) for i in range(60)))


def test_several_that_could_be_it_are_asked_about(tmp_path: Path) -> None:
    clean = read(tmp_path, {"Subtotal": price, "quantity": pieces, "Total": lambda i: 1.1 * price(i)})
    assert found(clean, "value") == ("",)
    assert settings(clean, "amounts") == ["data.columns.value=Subtotal or data.columns.value=Total"]
    clean = read(tmp_path, {"qty delivered": pieces, "qty picked": [1, 2], "order_id": lambda i: i})
    assert found(clean, "quantity") == ("",)
    assert settings(clean, "amounts") == ["data.columns.quantity=qty delivered or data.columns.quantity=qty picked"]


def test_the_sum_of_an_order_on_all_its_lines_is_asked_about(tmp_path: Path) -> None:
    columns = {"order_id": lambda i: i // 2, "order total amount": lambda i: 3.5 + i // 2}
    clean = read(tmp_path, columns)
    assert found(clean, "value") == ("",)
    assert settings(clean, "value") == ["data.columns.value=order total amount if it is of the line"]
    assert found(read(tmp_path, columns | {"order total amount": price}), "value") == ("order total amount",)


@pytest.mark.parametrize(
    "name",
    ["total_dur", "Total Watch Duration", "totaldauer", "durée totale", "总时长", "總時長", "total plays", "total km"],
)
def test_durations_and_counts_are_no_money(tmp_path: Path, name: str) -> None:
    clean = read(tmp_path, {SOLD: lambda i: 1_700_000_000 + i, name: lambda i: 10 + 7 * i})
    assert found(clean, "value") == ("",)


def test_whole_money_that_grows_with_the_pieces_is_proposed(tmp_path: Path) -> None:
    columns = {"quantity": pieces, "xyz": lambda i: pieces(i) * (100 + i % 5), "shelf": lambda i: i % 5 + 7}
    assert settings(read(tmp_path, columns), "amounts") == ["data.columns.value=xyz, or =- if there is none"]
    del columns["xyz"]
    assert settings(read(tmp_path, columns), "amounts") == []


def test_money_below_nothing_is_asked_about_and_cents_are_said(tmp_path: Path) -> None:
    clean = read(tmp_path, {SOLD: lambda i: 1_700_000_000 + i, "purchase_sum_amount": lambda i: -0.5 - i % 3})
    assert found(clean, "value") == ("",)
    assert settings(clean, "value") == ["data.columns.value=purchase_sum_amount"]
    clean = read(tmp_path, {"quantity": pieces, "price_cents": [250, 300]})
    assert "price_cents is in cents by its name" in notes(clean.log, "value")


def test_a_whole_amount_that_the_price_grows_with_is_of_pieces(tmp_path: Path) -> None:
    columns = {"AMOUNT": pieces, "SALES_PRICE": lambda i: pieces(i) * (100 + i % 5)}
    clean = read(tmp_path, columns)
    assert found(clean, "value", "quantity") == ("SALES_PRICE", "AMOUNT")
    assert clean.log.detected["found_by"]["quantity"] == "content"
    assert settings(clean, "amounts") == ["data.columns.quantity=- if it is none"]
    asked = read(tmp_path, columns | {"SALES_PRICE": lambda i: 100 + 17 * i})
    assert found(asked, "quantity") == ("",)
    assert settings(asked, "amounts") == ["data.columns.quantity=AMOUNT"]


def test_a_whole_amount_beside_a_price_with_cents_is_of_pieces(tmp_path: Path) -> None:
    clean = read(tmp_path, {"amount": pieces, "price": price})
    assert found(clean, "value", "quantity") == ("price", "amount")
    assert settings(clean, "amounts") == ["data.columns.value=amount if it is money"]
    by_hand = read(tmp_path, {"amount": pieces, "price": price}, columns={"value": "amount"})
    assert found(by_hand, "value", "quantity") == ("amount", "")
    assert found(read(tmp_path, {"amount": price, "price": price}), "value", "quantity") == ("amount", "")


@pytest.mark.parametrize("name", ["quantity", "product qty sold"])
def test_pieces_of_some_rows_do_not_make_all_of_them_sales(tmp_path: Path, name: str) -> None:
    clean = read(tmp_path, {name: lambda i: pieces(i) if i % 4 == 0 else ""})
    assert clean.types["type"].to_list() == ["event"]
    assert f"{name} is stated in 25% of the rows only" in notes(clean.log, "types")
    (asked,) = [setting for setting in settings(clean, "types") if "columns.quantity" in setting]
    assert asked.startswith(f"data.columns.quantity={name} if all are sales, ")
    told = read(
        tmp_path, {name: lambda i: pieces(i) if i % 4 == 0 else "", "event": ["purchase", "view", "view", "view"]}
    )
    assert found(told, "quantity") == (name,)


def test_views_have_no_sales_to_look_for(tmp_path: Path) -> None:
    clean = read(tmp_path, {"event": ["view", "click"], "shown_amount": price, "qty picked": pieces})
    assert found(clean, "value", "quantity") == ("", "")


def test_ratings_within_names(tmp_path: Path) -> None:
    clean = read(tmp_path, {"Book-Rating": lambda i: i % 4 * 3, "avg_rating": price})
    assert found(clean, "rating") == ("Book-Rating",)
    assert clean.types["type"].to_list() == ["rating"]
    assert settings(clean, "types") == ["data.rating_threshold=1 keeps these rows beside the histories"]
    low = read(tmp_path, {"Book-Rating": lambda i: i % 4 * 3}, rating_threshold=1.0)
    assert dict(low.types.select("type", "rows").iter_rows()) == {"rating": 45, "low_rating": 15}
    assert settings(low, "types") == []


def test_what_an_item_is_always_rated_is_no_rating_of_the_user(tmp_path: Path) -> None:
    clean = read(tmp_path, {"site rating": lambda i: 1 + i % 5})
    assert found(clean, "rating") == ("",)


@pytest.mark.parametrize(
    ("name", "kind"), [("purchase_date", "purchase"), ("InvoiceTimestamp", "purchase"), ("date", "event")]
)
def test_a_log_whose_time_is_of_sales_is_of_sales(tmp_path: Path, name: str, kind: str) -> None:
    by_hand = {"columns": {"time": name}}
    clean = read(tmp_path, {name: lambda i: f"2024-01-{1 + i % 28:02}"}, **by_hand)
    assert clean.types["type"].to_list() == [kind]
    views = read(tmp_path, {name: lambda i: f"2024-01-{1 + i % 28:02}"}, **by_hand, event_type_map={"": "view"})
    assert views.types["type"].to_list() == ["view"]


@pytest.mark.parametrize(
    ("paid", "total", "own"),
    [("Оплачено клиентом", "Сумма отправления", "Ваша цена"), ("Bezahlt je Stk", "Summe Zeile", "Ihr Preis")],
)
def test_of_amounts_the_one_that_is_what_was_paid_times_the_pieces_is_read(
    tmp_path: Path, paid: str, total: str, own: str
) -> None:
    columns = {"quantity": pieces, total: lambda i: price(i) * pieces(i), own: lambda i: price(i) * 2, paid: price}
    assert found(read(tmp_path, columns), "value") == (total,)


def test_a_revenue_that_most_rows_have_none_of_is_not_of_sales(tmp_path: Path) -> None:
    assert read(tmp_path, {"revenue": [0, 0, 0, 9.5]}).types["type"].to_list() == ["event"]
    assert read(tmp_path, {"revenue": [0, 3.5, 2, 9.5]}).types["type"].to_list() == ["purchase"]


def test_a_log_without_sales_names_the_setting_that_makes_some(tmp_path: Path) -> None:
    def advice(clean: CleanLog) -> list[str]:
        return [setting for _, setting in doubt_events(clean.events, clean.types, clean.log.detected)]

    assert advice(read(tmp_path, {})) == ["data.event_type_map={'': 'purchase'} if all rows are sales"]
    told = read(tmp_path, {"event": ["click", "view"]})
    assert advice(told) == ["data.event_types={'click': 'input,target,sale'} if click is one"]


def test_sales_for_nothing_are_asked_about(tmp_path: Path) -> None:
    clean = read(tmp_path, {"quantity": pieces, "price": [0, 2.5, 3.5]})
    doubts = [doubt for doubt, _ in doubt_events(clean.events, clean.types, clean.log.detected)]
    assert doubts == ["20 of 60 sales are for nothing, as price is 0. Are they sales?"]


@pytest.mark.parametrize(
    ("with_tax", "without"),
    [
        ("unit_price_incl_vat", "unit_price_excl_vat"),
        ("Preis inkl. MwSt", "Preis ohne MwSt"),
        ("PriceIncTax", "PriceExTax"),
    ],
)
def test_prices_with_and_without_tax_are_asked_about_and_one_alone_is_read(
    tmp_path: Path, with_tax: str, without: str
) -> None:
    both = {"qty": pieces, with_tax: price, without: lambda i: round(price(i) / 1.2, 2)}
    clean = read(tmp_path, both)
    assert found(clean, "value") == ("",)
    assert settings(clean, "amounts") == [f"data.columns.value={with_tax} or data.columns.value={without}"]
    assert found(read(tmp_path, {"qty": pieces, with_tax: price, "vat": ["0.19", "0.2"]}), "value") == (with_tax,)


@pytest.mark.parametrize("sign", ["£{}", "{} €", "USD {}", "{} zł", "$ {}"])
def test_amounts_with_a_currency_in_every_cell_are_money(tmp_path: Path, sign: str) -> None:
    clean = read(tmp_path, {"qty": pieces, "Charge": lambda i: sign.format(price(i)), "Colour": ["red", "blue"]})
    assert found(clean, "value") == ("Charge",)


def test_sales_without_money_say_which_column_could_be_it(tmp_path: Path) -> None:
    cells = {"qty": pieces, "wert_x": price, "weight": lambda i: 0.25 + i % 5, "lat": lambda i: 50.12345 + i % 3}
    clean = read(tmp_path, cells)
    assert found(clean, "value") == ("",)
    assert "no column is known to state what was paid; wert_x could be it" in notes(clean.log, "amounts")
    assert settings(clean, "amounts") == ["data.columns.value=wert_x, or =- if there is none"]
    assert not settings(read(tmp_path, cells, columns={"value": "-"}), "amounts")
    assert not settings(read(tmp_path, {"qty": pieces, "weight": lambda i: 0.25 + i % 5}), "amounts")


def test_settings_that_the_cells_contradict_are_doubted(tmp_path: Path) -> None:
    cells = {"qty": pieces, "price": lambda i: f"{price(i):.2f}".replace(".", ",")}
    clean = read(tmp_path, cells, decimal=".")
    assert "60 of 60 cells of price, read as the value, are no amounts" in notes(clean.log, "amounts")
    assert "data.decimal=auto instead of ." in settings(clean, "amounts")
    clean = read(tmp_path, cells, value_of="row")
    assert "set by hand, though prices of items sold in several quantities tell that it is the price" in notes(
        clean.log, "value"
    )
    assert settings(clean, "value") == ["data.value_of=unit"]
    assert not settings(read(tmp_path, cells, value_of="unit"), "value")
