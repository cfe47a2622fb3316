"""What the cells of raw logs mean: times, missing words, amounts, ids, the item table."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from ml_collections import ConfigDict

from configs.common import base
from trajectory.data.arrays import flatten
from trajectory.data.cleaning import clean, summary
from trajectory.data.log import read_log
from trajectory.schema import CleanLog, EventLog, Histories, UserError

T0 = 1_700_000_000  # 2023-11-14 22:13:20 UTC


def settings(source: Path, **changes: Any) -> ConfigDict:
    data = base().data
    data.source = str(source)
    for name, value in changes.items():
        data[name].update(value) if isinstance(value, dict) else data.__setitem__(name, value)
    return data


def from_text(folder: Path, text: str, **changes: Any) -> EventLog:
    (folder / "log.csv").write_text(text, encoding="utf-8")
    return read_log(settings(folder / "log.csv", **changes))


def from_frame(folder: Path, frame: pl.DataFrame, **changes: Any) -> EventLog:
    frame.write_parquet(folder / "log.parquet")
    return read_log(settings(folder / "log.parquet", **changes))


def cleaned(log: EventLog, folder: Path, **changes: Any) -> CleanLog:
    return clean(log, settings(folder / "log.csv", **changes))


def sequences(log: EventLog, folder: Path) -> list[str]:
    """Each user's items in the order of the histories, as one text."""
    data = settings(folder / "log.csv")
    histories: Histories = flatten(clean(log, data), data)
    items = histories.items["item"].to_list()
    bounds = histories.offsets.tolist()
    return ["".join(str(items[i - 1]) for i in histories.item[a:b]) for a, b in pairwise(bounds)]


def notes(log: EventLog, topic: str) -> str:
    return " | ".join(note["text"] for note in log.detected["notes"] if note["topic"] == topic)


def times(log: EventLog) -> list[int | None]:
    return log.events["time"].to_list()


def ring(users: int, cell: str, header: str) -> str:
    """Users who all go A to F, in shuffled rows; `cell` formats the number of the step."""
    rows = [f"u{u},{'ABCDEF'[i]},{cell.format(i=i)}" for i in (3, 0, 5, 1, 4, 2) for u in range(users)]
    return "\n".join([f"user,item,{header}", *rows]) + "\n"


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


JOINED = T0 - T0 % 60


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
    assert times(log)[0] == JOINED
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


@pytest.mark.parametrize(
    ("cells", "first"),
    [
        (["03/04/2024 10:00", "31/03/2024 10:00"], "day"),
        (["03/04/2024", "03/31/2024"], "month"),
        (["03.04.2024", "05.04.2024"], "day"),
        (["30/01/24", "03/04/24"], "day"),
        (["03/01/2024", "03/02/2024", "04/01/2024"], "month"),
        (["03/01/2024", "02/02/2024", "04/03/2024"], "day"),
    ],
)
def test_the_whole_column_tells_whether_the_day_is_first(tmp_path: Path, cells: list[str], first: str) -> None:
    log = from_text(tmp_path, "user,item,time\n" + "".join(f"1,a,{cell}\n" for cell in cells))
    assert notes(log, "dates").startswith(f"{first} first in time")
    parts = cells[0].replace(".", "/").split()[0].split("/")
    day = int(parts[0 if first == "day" else 1])
    assert pl.from_epoch(log.events["time"]).dt.day()[0] == day


def test_an_undecided_day_is_asked_and_set(tmp_path: Path) -> None:
    text = "user,item,time\n1,a,03/04/2024\n1,b,01/02/2024\n1,c,05/06/2024\n"
    with pytest.raises(UserError, match=r"'03/04/2024'.*data.day_first=yes"):
        from_text(tmp_path, text)
    days = {
        asked: pl.from_epoch(from_text(tmp_path, text, day_first=asked).events["time"]).dt.day().to_list()
        for asked in ("yes", "no")
    }
    assert days == {"yes": [3, 1, 5], "no": [4, 2, 6]}


@pytest.mark.parametrize(
    "cell",
    [
        "14 Nov 2023 22:13:20",
        "Nov 14, 2023 10:13:20 PM",
        "14-NOV-2023 22:13:20",
        "Tue, 14 Nov 2023 22:13:20 GMT",
        "Tue Nov 14 22:13:20 UTC 2023",
        "11/14/2023 10:13:20 PM",
        "2023-11-15T00:13:20+02:00",
        "2023-11-14 22:13:20 UTC",
        "1700000000.0",
        "1.7e9",
    ],
)
def test_times_as_people_and_programs_write_them(tmp_path: Path, cell: str) -> None:
    assert times(from_text(tmp_path, f'user,item,time\n1,2,"{cell}"\n')) == [T0]


def test_digits_of_the_calendar_and_decimals_are_times(tmp_path: Path) -> None:
    assert times(from_text(tmp_path, "user,item,time\n1,2,202311142213\n1,3,202311142214\n")) == [JOINED, JOINED + 60]
    decimal = pl.Series([str(T0)]).cast(pl.Decimal(20, 3))
    assert times(from_frame(tmp_path, pl.DataFrame({"user": [1], "item": [2], "time": decimal}))) == [T0]


def test_offsets_that_no_place_has_and_times_beyond_the_calendar_are_set_aside(tmp_path: Path) -> None:
    log = from_text(tmp_path, "user,item,time\n1,2,2023-11-14 22:13:20+99:99\n1,3,2023-11-14 22:13:20Z\n")
    assert cleaned(log, tmp_path).counts == {"unparsable time": 1}
    far = pl.Series([2**62, T0 * 10**6]).cast(pl.Datetime("us"))
    result = cleaned(from_frame(tmp_path, pl.DataFrame({"user": [1, 1], "item": [2, 3], "time": far})), tmp_path)
    assert result.counts == {"time in the future": 1}
    assert result.quarantine["time"].to_list() == [str(2**62 // 10**6)]


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


def test_missing_words_are_no_users_items_or_kinds(tmp_path: Path) -> None:
    words = ["NA", "NULL", "null", "None", "nan", "NaN", "N/A", "n/a", "#N/A", "\\N", "-", "<NA>", "(null)", " NA "]
    log = from_text(tmp_path, "user,item,brand\n" + "".join(f"{word},{word},x\n" for word in words) + "7,8,NA\n")
    assert log.events["user"].to_list() == [None] * len(words) + [7]
    assert log.events["item"].to_list() == [None] * len(words) + [8]
    assert log.items is not None
    assert log.items["brand"].to_list() == [None]
    assert {"column": "user", "word": "NA", "rows": 2} in log.detected["missing"]
    assert "user: 'NA' 2x" in summary(cleaned(log, tmp_path))


def test_missing_words_can_be_added_and_taken_away(tmp_path: Path) -> None:
    log = from_text(
        tmp_path, "user,item,brand,price\n-1,2,NA,-1\nguest,2,NA,3\n7,3,x,4\n", missing=("-1", "guest", "!NA")
    )
    assert log.events["user"].to_list() == [None, None, 7]
    assert log.events["value"].to_list() == [-1, 3, 4]
    assert log.items is not None
    assert log.items["brand"].to_list() == ["NA", "x"]


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["$2.00", "$1,234.50", "-$3", "(5.00)"], [2, 1234.5, -3, -5]),
        (["2,50 €", "1.234,56 €", "1.000 €"], [2.5, 1234.56, 1000]),
        (["USD 3", "EUR 4.5", "12 kr"], [3, 4.5, 12]),
        (["1,50", "0,5", "12"], [1.5, 0.5, 12]),
        (["1 234,5", "1'234.5"], [1234.5, 1234.5]),
        (["1.5", "much", "1e300", "inf", "3"], [1.5, None, None, None, 3]),
        (["-2", "3"], [-2, 3]),
        (["￥12.5", "12.5元"], [12.5, 12.5]),
    ],
)
def test_amounts_as_shops_write_them(tmp_path: Path, cells: list[str], values: list[float | None]) -> None:
    log = from_text(tmp_path, "user;item;amount\n" + "".join(f"1;{i};{cell}\n" for i, cell in enumerate(cells)))
    result = cleaned(log, tmp_path)
    assert result.counts == {}
    assert result.events["value"].to_list() == values
    unread = [None if value is None else cell for cell, value in zip(cells, values, strict=True)].count(None)
    if unread:
        assert log.detected["unread"][0] == {
            "column": "amount",
            "rows": unread,
            "example": "much",
            "setting": "unknown there, the rows stay",
        }


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
    assert notes(unit, "value") == "unit_price times qty"
    row = from_text(tmp_path, "user,item,qty,amount,price\n1,2,3,7.5,2.5\n")
    assert row.events["value"].to_list() == [7.5]
    assert "whole row" in notes(row, "value")


def test_several_currencies_are_warned_of(tmp_path: Path) -> None:
    log = from_text(tmp_path, "user,item,amount\n1,2,$3\n1,3,€4\n")
    assert "several currencies ($, €)" in notes(log, "amounts")
    log = from_text(tmp_path, "user,item,amount,currency\n1,2,3,USD\n1,3,4,EUR\n")
    assert "currency has 2 values" in notes(log, "amounts")


def test_texts_of_other_types_mean_the_same(tmp_path: Path) -> None:
    rows = {"user": ["NA", "a"], "item": ["1.0", "x"], "time": ["14/11/2023", "NA"], "price": ["$2", "3"]}
    frame = pl.DataFrame(rows, schema=dict.fromkeys(rows, pl.Categorical))
    log = from_frame(tmp_path, frame)
    values = log.events.select("user", "item", "time", "value").rows()
    assert values == [(None, "1", T0 - T0 % 86_400, 2), ("a", "x", None, 3)]
    assert log.detected["missing"][0] == {"column": "user", "word": "NA", "rows": 1}


def test_ids_that_differ_by_the_point_of_a_float_are_one(tmp_path: Path) -> None:
    log = from_text(tmp_path, "user,item\n1000,1\n1000.0,1\nguest,1\n007,1\n7,1\n\ufeff\u200b,1\n")
    assert log.events["user"].to_list() == ["1000", "1000", "guest", "007", "7", None]


def test_ids_of_unusual_types(tmp_path: Path) -> None:
    for cells in (pl.Series([1e19, 2e19]), pl.Series([b"a", b"\xff"]), pl.Series([True, False])):
        assert from_frame(tmp_path, pl.DataFrame({"user": cells, "item": [1, 2]})).events["user"].n_unique() == 2
    whole = pl.Series(["1", "2"]).cast(pl.Decimal(10, 0))
    assert from_frame(tmp_path, pl.DataFrame({"user": whole, "item": [1, 2]})).events["user"].to_list() == [1, 2]
    with pytest.raises(UserError, match=r"'user' holds lists or records, such as \[1, 2\]"):
        from_frame(tmp_path, pl.DataFrame({"user": [[1, 2]], "item": [1]}))


def test_columns_that_could_be_the_user_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"it could be who \(2 values\); set data.columns.user"):
        from_text(tmp_path, "who,item\na,1\nb,2\na,3\n")


def with_items(folder: Path, log: str, items: str, **changes: Any) -> EventLog:
    (folder / "shop").mkdir(exist_ok=True)
    (folder / "shop" / "interactions.csv").write_text(log)
    (folder / "shop" / "items.csv").write_text(items)
    return read_log(settings(folder / "shop", **changes))


def test_item_tables_without_leading_zeros_are_matched_and_said(tmp_path: Path) -> None:
    log = with_items(tmp_path, "user,item\n1,007\n1,008\n2,007\n", "item,category\n7,tea\n8,mugs\n9,tea\n")
    assert log.items is not None
    assert dict(log.items.select("item", "category").rows()) == {"007": "tea", "008": "mugs", "9": "tea"}
    assert "'7' for '007'" in notes(log, "item table")
    assert "describes 2 of the log's 2 items, 3 of its 3 events" in notes(log, "item table")


def test_an_id_that_could_be_two_is_matched_with_none(tmp_path: Path) -> None:
    log = with_items(tmp_path, "user,item\n1,07\n1,007\n1,x\n", "item,category\n7,tea\nx,mugs\n")
    assert log.items is not None
    assert log.items["item"].to_list() == ["7", "x"]
    assert "describes 1 of the log's 3 items" in notes(log, "item table")
    assert "'007', '07'" in notes(log, "item table")


def test_an_item_table_of_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"describes 0 of the log's 2 items.*the log has '1', '2', the table 'a'"):
        with_items(tmp_path, "user,item\n1,1\n1,2\n", "item,category\na,tea\n")


def test_a_column_of_the_log_gives_the_interests(tmp_path: Path) -> None:
    text = "user,item,section,colour\n1,a,s1,red\n1,b,s2,red\n1,a,s1,blue\n1,c,s1,red\n1,d,s2,red\n"
    data = settings(tmp_path / "log.csv", interest_column="section")
    log = from_text(tmp_path, text, interest_column="section")
    assert flatten(clean(log, data), data).interests == ("s1", "s2")
    assert "2 values of section" in notes(log, "interests")
    with pytest.raises(UserError, match=r"interest_column='departement' is no column.*section"):
        from_text(tmp_path, text, interest_column="departement")
    assert "none: no column is named like 'category'; section could be" in notes(from_text(tmp_path, text), "interests")
    assert "of item_category" in notes(from_text(tmp_path, text.replace("section", "item_category")), "interests")


def test_long_and_unseen_names_are_shortened_and_said(tmp_path: Path) -> None:
    log = from_text(tmp_path, f"user,item,category\n1,a,{'x' * 5000}\n1,b,te\u202ea\x07\n")
    assert log.items is not None
    long, plain = log.items["category"].to_list()
    assert (len(long), plain) == (200, "tea")
    assert "clipped to 200" in notes(log, "names")
