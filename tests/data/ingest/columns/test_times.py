"""Which columns hold the time: several, or one of an uncommon name."""

from pathlib import Path

import polars as pl
import pytest

from tests.raw_logs import MINUTE, from_frame, from_text, notes, sequences, times
from trajectory.schema import UserError


@pytest.mark.parametrize(
    ("header", "cells", "column"),
    [
        ("date,time", "2023-11-14,2213", "date+time"),
        ("date,time", "2023-11-14,22:13", "date+time"),
        ("date,time", "20231114,22:13:00", "date+time"),
        ("date,time", "14/11/2023,10:13 PM", "date+time"),
        ("date,time", "2023-11-14 00:00:00,221300", "date+time"),
        ("day,second_of_day", "2023-11-14,79980", "day+second_of_day"),
        ("date,hour,minute", "2023-11-14,22,13", "date+hour+minute"),
        ("year,month,day,time", "2023,11,14,2213", "year+month+day+time"),
        ("order_date,at", "2023-11-14,22:13", "order_date+at"),
        ("sold_on,trans_time", "2023-11-14,2213", "sold_on+trans_time"),
    ],
)
def test_date_and_clock_in_several_columns_are_joined(tmp_path: Path, header: str, cells: str, column: str) -> None:
    other = cells.replace("2213", "0905").replace("22:13", "09:05")
    log = from_text(tmp_path, f"user,item,{header}\n1,a,{cells}\n1,b,{other}\n")
    assert times(log)[0] == MINUTE
    assert (log.detected["columns"]["time"], log.detected["found_by"]["time"]) == (column, "joined")


def test_counted_days_with_a_clock_are_an_order(tmp_path: Path) -> None:
    log = from_text(tmp_path, "household_key,item,DAY,TRANS_TIME\n1,C,300,900\n1,B,299,2213\n1,A,299,2159\n")
    assert "time" not in log.events.columns
    assert sequences(log, tmp_path) == ["ABC"]


def test_a_small_number_beside_a_date_is_asked_about(tmp_path: Path) -> None:
    text = "user,item,date,time\n1,a,2024-05-10,3\n1,b,2024-05-10,7\n"
    with pytest.raises(UserError, match=r"data.columns.time=date\+time .*data.columns.position=time"):
        from_text(tmp_path, text)
    day = 1_715_299_200
    assert times(from_text(tmp_path, text, columns={"time": "date+time"})) == [day + 3 * 3600, day + 7 * 3600]
    ordered = from_text(tmp_path, text, columns={"position": "time"})
    assert (times(ordered), ordered.events["position"].to_list()) == ([day, day], [3, 7])


def test_a_time_of_unknown_name_is_found_by_what_it_holds(tmp_path: Path) -> None:
    rows = "".join(f"u{i % 9},a{i % 7},2024-03-{i % 27 + 1:02},1980-01-{i % 9 + 1:02}\n" for i in range(60))
    log = from_text(tmp_path, "user,item,t_dat,born\n" + rows)
    assert (log.detected["columns"]["time"], log.detected["found_by"]["time"]) == ("t_dat", "content")
    text = "user,item,sent,came\n" + "".join(
        f"u{i % 9},a{i % 7},2024-03-{i + 1:02},2024-04-{i + 1:02}\n" for i in range(27)
    )
    with pytest.raises(UserError, match=r"sent, came.*data.columns.time=sent"):
        from_text(tmp_path, text)
    assert from_text(tmp_path, text, order="file").detected["order"] == "file"


def test_dates_beyond_the_calendar_beside_a_clock_do_not_stop_the_program(tmp_path: Path) -> None:
    day = pl.Series([2**62 // 86_400 // 10**6 * 86_400 * 10**6, 1_715_299_200 * 10**6]).cast(pl.Datetime("us"))
    frame = pl.DataFrame({"user": [1, 1], "item": [1, 2], "date": day, "hour": [1, 2]})
    assert times(from_frame(tmp_path, frame))[1] == 1_715_299_200 + 7200


def test_days_of_a_spreadsheet_with_a_decimal_comma(tmp_path: Path) -> None:
    log = from_text(tmp_path, "user;item;date\n1;7;44932,5\n2;7;44933,25\n")
    assert log.detected["time"] == "excel"
    assert log.events["time"].to_list() == [1673006400, 1673071200]


def test_a_date_of_any_name_beside_a_clock(tmp_path: Path) -> None:
    log = from_text(tmp_path, 'user,item,bought,Time\n1,a,"Jan 3, 2024",3:46:21 PM\n1,b,"Jan 4, 2024",4:00:00 AM\n')
    assert log.detected["columns"]["time"] == "bought+Time"
    assert log.detected["span"] == ["2024-01-03", "2024-01-04"]


def test_of_several_dates_one_of_a_change_or_delivery_is_not_the_time(tmp_path: Path) -> None:
    rows = "".join(f"{i % 5},a{i % 7},2024-01-{1 + i:02},2024-02-{1 + i:02}\n" for i in range(25))
    log = from_text(tmp_path, "user,item,stamped,updated\n" + rows)
    assert log.detected["columns"]["time"] == "stamped"
    assert "updated by the name as a time of something else or later" in notes(log, "time")
    for later in ("Дата отгрузки", "배송일자", "発送した日", "Teslim günü", "data dostawy"):
        assert from_text(tmp_path, f"user,item,stamped,{later}\n{rows}").detected["columns"]["time"] == "stamped"
    with pytest.raises(UserError, match="several columns hold dates: stamped, marked"):
        from_text(tmp_path, "user,item,stamped,marked\n" + rows)


@pytest.mark.parametrize("field", ["time", "value", "quantity", "basket", "event_type", "position", "rating"])
def test_a_field_that_is_asked_for_as_none_has_no_column(tmp_path: Path, field: str) -> None:
    header = "user,item,timestamp,price,quantity,order_id,event_type,position,rating"
    rows = "\n".join(f"u{i % 3},a{i},2024-01-{i + 1:02},{i + 1}.5,1,o{i},view,{i},3" for i in range(9))
    log = from_text(tmp_path, f"{header}\n{rows}", columns={field: "-"})
    assert field not in log.detected["columns"]
    assert field not in log.events.columns
    assert log.events.height == 9
