"""Events of equal times: parts of a second, positions, sessions."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.raw_logs import T0, from_frame, from_text, notes, ring, sequences, times


@pytest.mark.parametrize(
    "cell",
    [
        "17000000000{i}0",
        "1700000000000{i}00",
        "17000000000000{i}0000",
        "1700000000.{i}",
        "2023-11-14 22:13:20.00{i}",
        "2023-11-14T22:13:20.00000{i}Z",
    ],
)
def test_order_within_a_second_is_kept(tmp_path: Path, cell: str) -> None:
    log = from_text(tmp_path, ring(20, cell, "timestamp"))
    assert set(times(log)) == {T0}
    assert sequences(log, tmp_path) == ["ABCDEF"] * 20


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_order_within_a_second_of_datetimes(tmp_path: Path, unit: Any) -> None:
    moment = (
        pl.Series([T0 * 10**6 + 2000, T0 * 10**6 + 1000, T0 * 10**6]).cast(pl.Datetime("us")).cast(pl.Datetime(unit))
    )
    log = from_frame(tmp_path, pl.DataFrame({"user": [1] * 3, "item": list("CBA"), "time": moment}))
    assert log.events["subsecond"].to_list() == [2000, 1000, 0]
    assert sequences(log, tmp_path) == ["ABC"]


@pytest.mark.parametrize(
    "header", ["date,position", "date,order_in_session", "day,timeframe", "日期,序号", "date,clickOrder"]
)
def test_a_position_orders_the_events_of_a_day(tmp_path: Path, header: str) -> None:
    log = from_text(tmp_path, ring(20, "2024-05-10,{i}", header))
    assert sequences(log, tmp_path) == ["ABCDEF"] * 20
    assert "by position" in notes(log, "order")


def test_sessions_of_a_day_follow_one_another_whole(tmp_path: Path) -> None:
    rows = [
        f"u{u},{'ABCDEF'[i]},2024-05-10,s{u}{i // 3},{1000 * (i % 3)}" for i in (1, 0, 2, 5, 3, 4) for u in range(9)
    ]
    log = from_text(tmp_path, "\n".join(["user,item,date,session_id,timeframe", *rows]))
    assert sequences(log, tmp_path) == ["ABCDEF"] * 9


def test_a_position_that_lists_items_by_id_is_not_trusted_unless_named(tmp_path: Path) -> None:
    picks = [sorted({(u * 7 + k * k * 13) % 97 for k in range(6)}) for u in range(40)]
    rows = [f"u{u},{item},2024-05-10,{place}" for u, items in enumerate(picks) for place, item in enumerate(items)]
    text = "\n".join(["user,item,date,position", *rows])
    log = from_text(tmp_path, text)
    assert "position" not in log.events.columns
    assert "follows the item id" in notes(log, "order")
    assert "position" in from_text(tmp_path, text, columns={"position": "position"}).events.columns


@pytest.mark.parametrize("name", ["Order Sales Tax", "order_discount", "stepPrice", "sequence_score"])
@pytest.mark.parametrize("cell", ["{i}.{u}5", "{i}"])
def test_money_and_amounts_are_no_order(tmp_path: Path, name: str, cell: str) -> None:
    rows = [f"u{u},{'ABCDEF'[i]},2024-05-10,{cell.format(i=i, u=u)}" for i in (3, 0, 5, 1, 4, 2) for u in range(20)]
    log = from_text(tmp_path, "\n".join([f"user,item,date,{name}", *rows]))
    assert "position" not in log.detected["columns"]
    assert log.detected["columns"].get("value", name) == name


@pytest.mark.parametrize(("step", "found"), [(1, True), (37, False)])
def test_a_number_is_an_order_where_it_counts_on(tmp_path: Path, step: int, found: bool) -> None:
    rows = [f"u{u},{'ABCDEF'[i]},2024-05-10,{7 + step * i}" for i in (3, 0, 5, 1, 4, 2) for u in range(20)]
    log = from_text(tmp_path, "\n".join(["user,item,date,page_number", *rows]))
    assert log.detected["columns"].get("position", "") == ("page_number" if found else "")
    assert (sequences(log, tmp_path) == ["ABCDEF"] * 20) == found


def test_decimals_are_an_order_only_where_they_are_a_clock(tmp_path: Path) -> None:
    for name, found in (("elapsed", True), ("view_order", False)):
        log = from_text(tmp_path, ring(20, "2024-05-10,{i}.5", f"date,{name}"))
        assert ("position" in log.events.columns) == found


def test_places_on_a_page_are_no_order(tmp_path: Path) -> None:
    log = from_text(tmp_path, "user,item,date,position\na,x,2024-05-10,top\na,y,2024-05-10,left\nb,x,2024-05-10,top\n")
    assert "position is no place in an order: it holds no whole numbers, such as 'top'" in notes(log, "order")
    assert "position" in log.detected["unused"]


def test_a_place_on_a_page_that_does_not_count_on_is_no_order(tmp_path: Path) -> None:
    rows = [
        f"u{u},i{(u * 5 + i * 7) % 11},2024-05-10,{1 + (u * 17 + i * 11) % 40}" for i in range(4) for u in range(20)
    ]
    text = "\n".join(["user,item,date,position", *rows])
    log = from_text(tmp_path, text)
    assert "position" not in log.events.columns
    assert "position does not count on where times are equal" in notes(log, "order")
    assert log.detected["unused"] == ["position"]
    assert "position" in from_text(tmp_path, text, columns={"position": "position"}).events.columns
    assert "position" in from_text(tmp_path, text.replace("position", "timeframe", 1)).events.columns, "a clock jumps"
