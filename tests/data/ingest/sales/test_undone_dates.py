"""Columns with a date where a sale was cancelled, refunded or returned."""

from pathlib import Path

import pytest

from tests.raw_logs import cleaned, from_text, notes
from trajectory.schema import CleanLog

AT = "2024-03-02 10:00:00"


def read(folder: Path, name: str, cells: list[str], more: str = "", **changes: object) -> CleanLog:
    """Two lines an order, in the order of their cells; `more` is a further column and its only cell."""
    column, _, cell = more.partition("=")
    header = ",".join(filter(None, ["order_id,user_id,item_id,quantity,price,date", name, column]))
    rows = [
        ",".join([f"{i // 2},u{i % 3},i{i % 5},1,2.5,2024-01-{1 + i:02},{date}", *([cell] if more else [])])
        for i, date in enumerate(cells)
    ]
    return cleaned(from_text(folder, "\n".join([header, *rows]) + "\n", **changes), folder, **changes)


def types(clean: CleanLog) -> dict[str, int]:
    return dict(clean.types.select("type", "rows").iter_rows())


def asked(clean: CleanLog) -> list[str]:
    found = clean.log.detected["notes"]
    return [note["setting"] for note in found if note["topic"] == "no sales" and note["text"].endswith("?")]


@pytest.mark.parametrize(
    "name", ["cancelled_at", "Canceled Date", "refundedAt", "return_date", "returndate", "void_time"]
)
def test_a_sale_with_such_a_date_is_none(tmp_path: Path, name: str) -> None:
    cells = ["", AT, AT, "", "", ""]
    clean = read(tmp_path, name, cells)
    assert types(clean) == {"purchase": 4, "failed_order": 2}
    assert f"2 rows with a date in {name} are no sales" in notes(clean.log, "no sales")
    assert name not in clean.log.detected["unused"]
    assert types(read(tmp_path, name, cells, no_sale_flags=(f"!{name}",))) == {"purchase": 6}


@pytest.mark.parametrize("name", ["Stornodatum", "Date d'annulation", "fecha de devolución", "data zwrotu", "退款时间"])
def test_other_languages(tmp_path: Path, name: str) -> None:
    assert types(read(tmp_path, name, ["", AT, "", ""])) == {"purchase": 3, "failed_order": 1}


@pytest.mark.parametrize(("date", "never"), [("1709373600", "0"), ("2024-03-02", "0000-00-00"), (AT, "1970-01-01")])
def test_what_databases_write_for_never_is_no_date(tmp_path: Path, date: str, never: str) -> None:
    clean = read(tmp_path, "cancelled_at", [never, date, never, never])
    assert types(clean) == {"purchase": 3, "failed_order": 1}


def test_a_date_on_first_lines_alone_is_of_all_lines_of_the_order(tmp_path: Path) -> None:
    clean = read(tmp_path, "cancelled_at", [AT, ""] * 7 + [""] * 14)
    assert types(clean) == {"purchase": 14, "failed_order": 14}
    assert "14 rows with a date in cancelled_at (7 are further lines of their orders)" in notes(clean.log, "no sales")
    few = read(tmp_path, "cancelled_at", [AT, ""] + [""] * 6)
    assert types(few) == {"purchase": 7, "failed_order": 1}
    lines = read(tmp_path, "returned_at", [AT, ""] * 6 + ["", AT] + [""] * 14)
    assert types(lines) == {"purchase": 21, "failed_order": 7}


def test_a_date_that_most_sales_have_is_asked_about(tmp_path: Path) -> None:
    clean = read(tmp_path, "return_date", [AT, AT, AT, ""])
    assert types(clean) == {"purchase": 4}
    assert asked(clean) == ["data.no_sale_flags=return_date if they were"]
    by_hand = read(tmp_path, "return_date", [AT, AT, AT, ""], no_sale_flags=("return_date",))
    assert types(by_hand) == {"purchase": 1, "failed_order": 3}


def test_a_date_of_returns_beside_rows_of_returns_is_asked_about(tmp_path: Path) -> None:
    text = f"user_id,item_id,date,event,refunded_at\na,x,{AT},purchase,{AT}\na,x,{AT},refund,{AT}\nb,x,{AT},purchase,\n"
    clean = cleaned(from_text(tmp_path, text), tmp_path)
    assert types(clean) == {"purchase": 2, "return": 1}
    assert asked(clean) == ["data.no_sale_flags=refunded_at if they were"]


def test_what_else_is_filled_where_a_sale_was_undone_is_asked_about(tmp_path: Path) -> None:
    clean = read(tmp_path, "cancel_reason", ["", "too late", "", "lost"])
    assert types(clean) == {"purchase": 4}
    assert asked(clean) == ["data.no_sale_flags=cancel_reason if they were"]
    by_hand = read(tmp_path, "cancel_reason", ["", "too late", "", "lost"], no_sale_flags=("cancel_reason",))
    assert types(by_hand) == {"purchase": 2, "failed_order": 2}
    told = read(tmp_path, "cancel_reason,cancelled_at", [",", f"lost,{AT}", ",", ","])
    assert types(told) == {"purchase": 3, "failed_order": 1}
    assert asked(told) == []


@pytest.mark.parametrize(
    ("name", "cell"),
    [("return_window_date", AT), ("refund_until", AT), ("returning_at", AT), ("avoid_at", AT), ("void_at", "x")],
)
def test_other_dates_and_names_undo_nothing(tmp_path: Path, name: str, cell: str) -> None:
    assert types(read(tmp_path, name, ["", cell, "", ""])) == {"purchase": 4}
