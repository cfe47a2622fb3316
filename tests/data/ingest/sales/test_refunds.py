"""Money that was given back, in a column of its own."""

from pathlib import Path

import pytest

from tests.raw_logs import cleaned, from_text, notes
from trajectory.schema import CleanLog


def read(folder: Path, name: str, *refunds: object, **changes: object) -> CleanLog:
    """Two lines an order, of 10, 11, 12 ..."""
    rows = [f"{i // 2},u{i % 3},i{i % 5},{10 + i},2024-01-{1 + i:02},{cell}" for i, cell in enumerate(refunds)]
    text = "\n".join([f"order_id,user_id,item_id,amount,date,{name}", *rows]) + "\n"
    return cleaned(from_text(folder, text, **changes), folder, **changes)


def sold(clean: CleanLog) -> tuple[int, float]:
    sales = clean.events.filter(clean.events["event_type"].cast(str) == "purchase")
    return sales.height, float(sales["value"].sum())


@pytest.mark.parametrize(
    "name",
    ["Amount Refunded", "refund_amount", "refundTotal", "refund", "Erstattungsbetrag", "montant remboursé", "退款金额"],
)
def test_money_given_back_is_taken_off(tmp_path: Path, name: str) -> None:
    clean = read(tmp_path, name, 0, "4.00", "", 13)
    assert sold(clean) == (3, 10 + 7 + 12)
    assert clean.types["type"].to_list() == ["purchase", "failed_order"]
    assert f"{name}: 1 sales were refunded whole, and are none; 1 in part" in notes(clean.log, "no sales")
    assert name not in clean.log.detected["unused"]
    assert sold(read(tmp_path, name, 0, "4.00", "", 13, no_sale_flags=(f"!{name}",))) == (4, 46)


@pytest.mark.parametrize(
    "name", ["refund_id", "refunded_tax_amount", "returned_units_value_rate", "return_points_value"]
)
def test_other_numbers_of_refunds_are_not(tmp_path: Path, name: str) -> None:
    assert sold(read(tmp_path, name, 0, 4, 0, 0)) == (4, 46)


@pytest.mark.parametrize("refunds", [(25, 0, 0, 0), (4, 4, 3, 3), (4, 0) * 7 + (0,) * 6])
def test_money_of_whole_orders_is_asked_about(tmp_path: Path, refunds: tuple[int, ...]) -> None:
    clean = read(tmp_path, "Refunded Amount", *refunds)
    assert sold(clean)[0] == len(refunds)
    (note,) = [note for note in clean.log.detected["notes"] if note["topic"] == "no sales"]
    assert note["setting"] == "data.no_sale_flags=Refunded Amount if not"
    by_hand = read(tmp_path, "Refunded Amount", *refunds, no_sale_flags=("Refunded Amount",))
    assert sold(by_hand)[1] < sold(clean)[1]


def test_rows_of_refunds_and_failed_orders_are_left_alone(tmp_path: Path) -> None:
    head, day = "user_id,item_id,date,event,amount,refund_amount", "2024-01-01"
    text = f"{head}\na,x,{day},purchase,10,\na,x,{day},refund,10,4\nb,x,{day},purchase,9,\n"
    clean = cleaned(from_text(tmp_path, text), tmp_path)
    assert dict(clean.types.select("type", "rows").iter_rows()) == {"purchase": 2, "return": 1}
    assert notes(clean.log, "no sales") == ""
    text = f"user_id,item_id,date,status,amount,refund_amount\na,x,{day},refunded,10,10\na,x,{day},paid,10,4\n"
    clean = cleaned(from_text(tmp_path, text), tmp_path)
    assert "0 sales were refunded whole, and are none; 1 in part" in notes(clean.log, "no sales")


def test_pieces_and_their_money_are_taken_off_once(tmp_path: Path) -> None:
    text = "user_id,item_id,quantity,price,qty_refunded,amount_refunded\na,x,4,8,1,8\na,y,2,8,0,0\n"
    clean = cleaned(from_text(tmp_path, text), tmp_path)
    assert sold(clean) == (2, 24 + 16)


def test_a_date_of_a_refund_in_part_leaves_a_sale(tmp_path: Path) -> None:
    rows = [
        f"u{i % 3},i{i % 5},{20 + i},2024-01-{1 + i:02},{back},{when}"
        for i, (back, when) in enumerate([(0, ""), (5, "2024-02-01"), (22, "2024-02-02"), (0, ""), (0, ""), (0, "")])
    ]
    text = "\n".join(["user_id,item_id,amount,date,Amount Refunded,Refunded date (UTC)", *rows]) + "\n"
    changes = {"event_type_map": {"": "purchase"}}
    clean = cleaned(from_text(tmp_path, text, **changes), tmp_path, **changes)
    assert sold(clean) == (5, 20 + 16 + 23 + 24 + 25)
