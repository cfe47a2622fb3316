"""Amounts as shops write them, of a unit or of the row."""

from pathlib import Path

import pytest

from tests.raw_logs import cleaned, from_text, notes


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["$2.00", "$1,234.50", "-$3", "(5.00)"], [2, 1234.5, -3, -5]),
        (["2,50 €", "1.234,56 €", "1.000 €"], [2.5, 1234.56, 1000]),
        (["USD 3", "EUR 4.5", "12 kr"], [3, 4.5, 12]),
        (["1.994,10 TL", "740,99 TL", "Rp 12"], [1994.1, 740.99, 12]),
        (["1,50", "0,5", "12"], [1.5, 0.5, 12]),
        (["1 234,5", "1'234.5"], [1234.5, 1234.5]),
        (["1.5", "much", "1e300", "inf", "3"], [1.5, None, None, None, 3]),
        (["-2", "3"], [-2, 3]),
        (["'-2", "△3", "▲ 4", "’5", "3"], [-2, -3, -4, 5, 3]),
        (["1.50 CR", "2.50", "$3 cr"], [-1.5, 2.5, -3]),
        (["￥12.5", "12.5元", "￥１２"], [12.5, 12.5, 12]),
        (["۱٬۳۴۰", "۲۵", "۱۲٫۵"], [1340, 25, 12.5]),
        (["١٬٣٤٠", "٢٥"], [1340, 25]),
        (["१,३४०.५", "२५"], [1340.5, 25]),
    ],
)
def test_amounts_as_shops_write_them(tmp_path: Path, cells: list[str], values: list[float | None]) -> None:
    log = from_text(tmp_path, "user;item;amount\n" + "".join(f"1;{i};{cell}\n" for i, cell in enumerate(cells)))
    result = cleaned(log, tmp_path)
    assert result.counts == {}
    assert result.events["value"].to_list() == values
    unread = [None if value is None else cell for cell, value in zip(cells, values, strict=True)].count(None)
    if unread:
        told = log.detected["unread"][0]
        assert (told["column"], told["rows"], told["setting"]) == ("amount", unread, "unknown there, the rows stay")
        assert told["example"] in cells


def test_the_commonest_of_the_cells_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    cells = ["much", "1", "lots", "lots"]
    log = from_text(tmp_path, "user;item;amount\n" + "".join(f"1;{i};{cell}\n" for i, cell in enumerate(cells)))
    (told,) = log.detected["unread"]
    assert (told["rows"], told["example"], told["different"]) == (3, "lots", 2)


def test_a_comma_that_could_be_either_is_said_and_can_be_set(tmp_path: Path) -> None:
    text = "user;item;amount\n1;2;1,234\n1;3;2,500\n"
    log = from_text(tmp_path, text)
    assert log.events["value"].to_list() == [1234, 2500]
    assert "'1,234'" in notes(log, "amounts")
    assert from_text(tmp_path, text, decimal=",").events["value"].to_list() == [1.234, 2.5]


def test_prices_of_units_are_multiplied_and_amounts_are_not(tmp_path: Path) -> None:
    unit = from_text(tmp_path, "user,item,qty,unit_price\n1,2,3,2.5\n1,3,,4\n1,4,-2,1\n")
    assert unit.events["value"].to_list() == [7.5, 4, -2]
    assert unit.events["quantity"].to_list() == [3, None, -2]
    assert notes(unit, "value") == "unit_price is the price of one piece, times the quantity, by its name"
    row = from_text(tmp_path, "user,item,qty,amount,price\n1,2,3,7.5,2.5\n")
    assert row.events["value"].to_list() == [7.5]
    assert "the sum of the row" in notes(row, "value")


def test_several_currencies_are_warned_of(tmp_path: Path) -> None:
    log = from_text(tmp_path, "user,item,amount\n1,2,$3\n1,3,€4\n")
    assert "several currencies ($, €)" in notes(log, "currencies")
    log = from_text(tmp_path, "user,item,amount\n1,2,$3\n1,3,4 USD\n1,4,5\n")
    assert notes(log, "currency") == "amounts are in USD, by amount"
    assert not notes(log, "currencies")
    log = from_text(tmp_path, "user,item,amount\n1,2,¥3\n1,3,¥4\n")
    assert notes(log, "currency") == "amounts are in ¥, by amount", "yen or yuan: as it is written"
    log = from_text(tmp_path, "user,item,amount\n1,2,US$3\n1,3,CA$4\n")
    assert "several currencies (CA$, US$)" in notes(log, "currencies")
    log = from_text(tmp_path, "user,item,amount,currency\n1,2,3,USD\n1,3,4,EUR\n")
    assert "currency has 2 currencies (EUR 1x, USD 1x)" in notes(log, "currencies")
    log = from_text(tmp_path, "user,item,amount,Währung,land\n1,2,3,CHF,CHE\n1,3,4,EUR,AUT\n2,3,4,EUR,DEU\n")
    assert "Währung has 2 currencies (EUR 2x, CHF 1x)" in notes(log, "currencies"), "by what it holds"
    assert "land" not in notes(log, "currencies")
    log = from_text(tmp_path, "user,item,amount,Währung\n1,2,3,EUR\n1,3,4,EUR\n")
    assert "Währung" not in notes(log, "currencies")
    assert notes(log, "currency") == "amounts are in EUR, by Währung"


def test_points_before_three_digits_throughout_are_asked_about(tmp_path: Path) -> None:
    text = "user_id;item_id;price\na;x;5.719\nb;y;482\nc;z;128.900\n"
    log = from_text(tmp_path, text)
    (note,) = [note for note in log.detected["notes"] if note["topic"] == "amounts"]
    assert note["warning"]
    assert "the mark of '128.900' in price is taken for the point between thousands, as numbers below" in note["text"]
    assert log.events["value"].to_list() == [5719, 482, 128_900]
    (note,) = [
        note
        for note in from_text(tmp_path, text.replace("482", "4.825")).detected["notes"]
        if note["topic"] == "amounts"
    ]
    assert note["warning"]
    assert "is taken for the decimal point" in note["text"]
    assert from_text(tmp_path, text, decimal=",").events["value"].to_list() == [5719, 482, 128_900]
    whole = text.replace("5.719", "5.000").replace("128.900", "150.000")
    assert any(note["warning"] for note in from_text(tmp_path, whole).detected["notes"] if note["topic"] == "amounts")
    assert from_text(tmp_path, whole, decimal=",").events["value"].to_list() == [5000, 482, 150_000]
    weights = text.replace("5.719", "0.719")
    assert not [note for note in from_text(tmp_path, weights).detected["notes"] if note["topic"] == "amounts"]


def test_two_signs_of_a_currency_are_one(tmp_path: Path) -> None:
    log = from_text(tmp_path, "user_id,item_id,price\na,x,US$ 5.70\nb,y,4.20 USD\n")
    assert log.events["value"].to_list() == [5.7, 4.2]
    assert not [note for note in log.detected["notes"] if note["topic"] == "amounts"]


def test_the_decimal_mark_that_another_column_proves_decides_what_could_be_either(tmp_path: Path) -> None:
    text = "user;item;quantity;line_total\n1;1;1,000;72,05\n1;2;2,000;144,66\n2;1;3,000;9,5\n"
    log = from_text(tmp_path, text)
    assert cleaned(log, tmp_path).events["quantity"].to_list() == [1, 2, 3]
    assert "the mark of '1,000' in quantity is taken for a decimal comma, as elsewhere" in notes(log, "amounts")
    by_hand = from_text(tmp_path, text, decimal=".")
    assert cleaned(by_hand, tmp_path, decimal=".").events["quantity"].to_list() == [1000, 2000, 3000]


@pytest.mark.parametrize(
    ("price", "pieces"),
    [("Harga", "Jumlah"), ("Einzelpreis", "Menge"), ("Prezzo", "Quantità"), ("Fiyat", "Adet"), ("Đơn giá", "Số lượng")],
)
def test_names_in_a_language_of_decimal_commas_decide_what_could_be_either(
    tmp_path: Path, price: str, pieces: str
) -> None:
    log = from_text(tmp_path, f"user;item;{price};{pieces}\n1;1;10.000;1\n1;2;12.500;2\n2;1;7.250;1\n")
    assert log.events["value"].to_list() == [10_000, 25_000, 7250]
    assert f"in {price} is taken for the point between thousands, as elsewhere" in notes(log, "amounts")


def test_the_price_of_sales_is_money_beside_an_amount(tmp_path: Path) -> None:
    log = from_text(tmp_path, "user,item,AMOUNT,SALES_PRICE\n1,1,2,178\n1,2,1,20\n2,1,1,89\n")
    assert log.detected["columns"]["value"] == "SALES_PRICE"


def test_amounts_of_credit_are_said(tmp_path: Path) -> None:
    log = from_text(tmp_path, "user,item,qty\n1,a,2 CR\n1,b,1\n")
    assert "1 in qty are of credit, such as '2 CR': taken as below 0" in notes(log, "amounts")
    assert cleaned(log, tmp_path).types["type"].to_list() == ["purchase", "return"]
