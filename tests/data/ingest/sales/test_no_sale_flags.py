"""Columns that say row by row that a sale was none."""

from pathlib import Path

import pytest

from tests.raw_logs import cleaned, from_text, notes
from trajectory.schema import CleanLog, UserError

HEADER = "order_id,user_id,item_id,quantity,price,date"


def read(folder: Path, name: str, *cells: str, **changes: object) -> CleanLog:
    rows = [f"{i},u{i % 2},i{i % 3},4,1.5,2024-01-0{1 + i},{cell}" for i, cell in enumerate(cells)]
    return cleaned(from_text(folder, "\n".join([f"{HEADER},{name}", *rows]) + "\n", **changes), folder, **changes)


def types(clean: CleanLog) -> dict[str, int]:
    return dict(clean.types.select("type", "rows").iter_rows())


@pytest.mark.parametrize(
    ("name", "cells", "event_type"),
    [
        ("voided", ("N", "Y", "N"), "failed_order"),
        ("Training mode", ("0", "1", "0"), "failed_order"),
        ("cancelled", ("False", "True", ""), "failed_order"),
        ("returned", ("no", "Yes", "no"), "failed_order"),
        ("storniert", ("nein", "ja", "nein"), "failed_order"),
        ("Order_Cancelled", ("0", "1", "0"), "failed_order"),
        ("isOrderReturned", ("false", "true", "false"), "failed_order"),
        ("Auftrag storniert", ("nein", "ja", "nein"), "failed_order"),
        ("pedido_cancelado", ("não", "sim", "não"), "failed_order"),
        ("is_return", ("0", "1", "0"), "return"),
        ("Is refund", ("", "X", ""), "return"),
        ("Sign", ("1", "-1", "1"), "return"),
    ],
)
def test_a_yes_that_a_sale_was_none(tmp_path: Path, name: str, cells: tuple[str, ...], event_type: str) -> None:
    clean = read(tmp_path, name, *cells)
    assert types(clean) == {"purchase": 2, event_type: 1}
    assert name in notes(clean.log, "no sales")
    assert name not in clean.log.detected["unused"]
    for off in (f"!{name}", "-"):
        assert types(read(tmp_path, name, *cells, no_sale_flags=(off,))) == {"purchase": 3}


def test_a_column_by_hand_is_one(tmp_path: Path) -> None:
    assert types(read(tmp_path, "staff", "0", "1")) == {"purchase": 2}
    assert types(read(tmp_path, "staff", "0", "1", no_sale_flags=("staff",))) == {"purchase": 1, "failed_order": 1}
    with pytest.raises(UserError, match=r"data.no_sale_flags names 'stuff'; the log has the columns order_id"):
        read(tmp_path, "staff", "0", "1", no_sale_flags=("stuff",))


def test_other_words_than_yes_and_no_are_asked_about(tmp_path: Path) -> None:
    clean = read(tmp_path, "voided", "maybe", "Y")
    assert types(clean) == {"purchase": 2}
    assert "voided is not read, its cells are not all yes or no ('maybe', 'Y')" in notes(clean.log, "no sales")


@pytest.mark.parametrize("amount", ["price", "line_total"])
def test_pieces_that_were_taken_back_are_left_out(tmp_path: Path, amount: str) -> None:
    text = f"user_id,item_id,quantity,{amount},returned_quantity\na,x,4,8,1\na,y,2,8,2\nb,x,1,8,0\n"
    clean = cleaned(from_text(tmp_path, text), tmp_path)
    assert types(clean) == {"purchase": 2, "failed_order": 1}
    events = clean.events.sort("source_line")
    assert events["quantity"].to_list() == [3, 2, 1]
    assert events["value"].to_list() == ([24, 16, 8] if amount == "price" else [6, 8, 8])
    assert "1 sales were taken back whole, and are none; 1 in part" in notes(clean.log, "no sales")


def test_pieces_taken_back_without_a_quantity_are_asked_about(tmp_path: Path) -> None:
    log = from_text(tmp_path, "user_id,item_id,order_id,qty_refunded\na,x,1,1\na,y,2,0\n")
    assert "qty_refunded not read, as no column states the pieces of a sale: 1 rows" in notes(log, "no sales")


def test_events_of_other_types_are_not_touched(tmp_path: Path) -> None:
    text = "user_id,item_id,event,cancelled\na,x,view,1\na,y,purchase,1\nb,y,purchase,0\n"
    clean = cleaned(from_text(tmp_path, text), tmp_path)
    assert types(clean) == {"view": 1, "purchase": 1, "failed_order": 1}


@pytest.mark.parametrize("name", ["authorized_flag", "Approved", "is_paid"])
def test_a_no_to_what_makes_a_sale(tmp_path: Path, name: str) -> None:
    clean = read(tmp_path, name, "Y", "N", "Y", "")
    assert types(clean) == {"purchase": 3, "failed_order": 1}
    assert f"1 rows with a no in {name} are no sales" in notes(clean.log, "no sales")
    assert types(read(tmp_path, name, "Y", "N", no_sale_flags=(f"!{name}",))) == {"purchase": 2}
    assert types(read(tmp_path, name, "N", "N")) == {"purchase": 2}, "where none stood it means something else"


@pytest.mark.parametrize("name", ["customer_deleted", "free_returns", "returning_customer", "return_label_shown"])
def test_a_yes_of_something_else_than_the_sale_is_none(tmp_path: Path, name: str) -> None:
    assert types(read(tmp_path, name, "0", "1", "0")) == {"purchase": 3}


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("product_quantity_refunded", ("0", "1", "4")),
        ("zurückgesendete Menge", ("0", "1", "4")),
        ("current_quantity", ("4", "3", "0")),
        ("net_qty", ("4", "3", "0")),
    ],
)
def test_pieces_that_came_back_or_are_left_are_taken_off(tmp_path: Path, name: str, cells: tuple[str, ...]) -> None:
    clean = read(tmp_path, name, *cells)
    assert types(clean) == {"purchase": 2, "failed_order": 1}
    assert clean.events.filter(clean.events["event_type"].cast(str) == "purchase")["quantity"].sum() == 7
    assert f"{name}: 1 sales were taken back whole, and are none; 1 in part" in notes(clean.log, "no sales")


@pytest.mark.parametrize("name", ["refund_requested", "Return initiated", "chargeback_opened"])
def test_a_yes_that_may_say_that_a_sale_was_taken_back_is_asked_about(tmp_path: Path, name: str) -> None:
    clean = read(tmp_path, name, "0", "1", "0")
    assert types(clean) == {"purchase": 3}
    assert f"{name} is a yes in 1 rows of sales, and is not read" in notes(clean.log, "no sales")
    assert types(read(tmp_path, name, "0", "1", "0", no_sale_flags=(name,))) == {"purchase": 2, "failed_order": 1}
    assert "not read" not in notes(read(tmp_path, name, "0", "1", "0", no_sale_flags=(f"!{name}",)).log, "no sales")


def test_a_column_without_a_name_is_no_refund(tmp_path: Path) -> None:
    clean = read(tmp_path, "", "1", "2", "3")
    assert types(clean) == {"purchase": 3}
    assert not notes(clean.log, "no sales")
    assert "" in clean.log.detected["unused"]


@pytest.mark.parametrize(
    "name",
    [
        "Units returned",
        "Retourenmenge",
        "Quantité retournée",
        "Cantidad devuelta",
        "Unidades devueltas",
        "Quantidade devolvida",
        "Quantità resa",
        "Aantal geretourneerd",
        "Returnerat antal",
        "Returneret antal",
        "Antall returnert",
        "Palautettu määrä",
        "Liczba zwróconych sztuk",
        "Zwrócona ilość",
        "Počet vrácených kusů",
        "Vrácené množství",
        "Возвращено шт",
        "Количество возврата",
        "İade Adedi",
        "IADE ADEDI",
        "返品数量",
        "返品数",
        "반품수량",
        "退货数量",
        "Jumlah dikembalikan",
        "Số lượng trả lại",
    ],
)
def test_pieces_that_came_back_are_known_in_all_languages(tmp_path: Path, name: str) -> None:
    clean = read(tmp_path, name, "0", "1", "0")
    assert clean.events["quantity"].sum() == 11
    assert f"{name}: 0 sales were taken back whole, and are none; 1 in part" in notes(clean.log, "no sales")


@pytest.mark.parametrize("name", ["Возвращено", "returned", "Zwrócono", "İade"])
def test_a_returned_of_several_counts_pieces_and_one_of_0_and_1_may(tmp_path: Path, name: str) -> None:
    clean = read(tmp_path, name, "0", "3", "0")
    assert clean.events["quantity"].sum() == 9
    assert types(read(tmp_path, name, "0", "9", "0")) == {"purchase": 3}, "more than were sold are no pieces"
    flag = read(tmp_path, name, "0", "1", "0")
    assert types(flag) == {"purchase": 2, "failed_order": 1}
    assert f"1 are of several pieces: if it counts those, data.columns.returned={name}" in notes(flag.log, "no sales")
    pieces = read(tmp_path, name, "0", "1", "0", columns={"returned": name})
    assert (types(pieces), pieces.events["quantity"].sum()) == ({"purchase": 3}, 11)
    none = read(tmp_path, "returned_quantity", "0", "1", "0", columns={"returned": "-"})
    assert none.events["quantity"].sum() == 12


def test_what_pieces_or_signs_tell_already_is_not_asked_again(tmp_path: Path) -> None:
    head = "user_id,item_id,quantity,line_total,returned_quantity,return_note\n"
    clean = cleaned(
        from_text(tmp_path, f"{head}a,x,4,8,1,broken\na,y,-2,-8,0,late\nb,x,1,8,0,\nb,x,1,8,0,\n"), tmp_path
    )
    assert "were these taken back?" not in notes(clean.log, "no sales")
