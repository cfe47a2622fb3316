from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from ml_collections import ConfigDict

from trajectory.data.ingest.log import read_log
from trajectory.data.ingest.quality.cleaning import clean
from trajectory.data.ingest.quality.faults import REASONS
from trajectory.data.ingest.quality.summary import summary
from trajectory.schema import CleanLog, UserError
from trajectory.settings import base

T0 = 1_700_000_000


def settings(source: Path | str, **changes: Any) -> ConfigDict:
    data = base().data
    data.source = str(source)
    for name, value in changes.items():
        section = data.cleaning if name in data.cleaning else data
        section[name] = value
    return data


def cleaned(folder: Path, text: str, **changes: Any) -> CleanLog:
    (folder / "log.csv").write_text(text, encoding="utf-8")
    data = settings(folder / "log.csv", **changes)
    return clean(read_log(data), data)


def reasons(result: CleanLog) -> dict[int, str]:
    return dict(result.quarantine.select("source_line", "reason").rows())


GOOD = "u,x,1700000000,buy,1,0,5\n"
HEADER = "user,item,time,event_type,value,label,weight\n"


@pytest.mark.parametrize(
    ("row", "reason", "column", "raw"),
    [
        ("u,x", "malformed row", "malformed", "u,x"),
        ("u,x,1700000000,buy,1,0,5,9", "malformed row", "malformed", "u,x,1700000000,buy,1,0,5,9"),
        (" ,x,1700000000,buy,1,0,5", "missing user", "user", None),
        ("u,,1700000000,buy,1,0,5", "missing item", "item", None),
        ("u,x,,buy,1,0,5", "missing time", "time", None),
        ("u,x,soon,buy,1,0,5", "unparsable time", "time", "soon"),
        ("u,x,1e30,buy,1,0,5", "unparsable time", "time", "1e30"),
        ("u,x,-5,buy,1,0,5", "impossible time", "time", "1969-12-31T23:59:55"),
        ("u,x,5000000000,buy,1,0,5", "time in the future", "time", "2128-06-11T08:53:20"),
        ("u,x,1700000000,sell,1,0,5", "unknown event type", "event_type", "sell"),
        ("u,x,1700000000,,1,0,5", "unknown event type", "event_type", None),
        ("u,x,1700000000,buy,1,2,5", "invalid label", "user", "u"),
        ("u,x,1700000000,buy,1,yes,5", "invalid label", "user", "u"),
        ("u,x,1700000000,buy,1,0,nan", "invalid feature", "user", "u"),
        ("u,x,1700000000,buy,1,0,", "invalid feature", "user", "u"),
        ("u,x,1700000000,buy,1,0,5", "duplicate", "item", "x"),
        (",,,,0,,", "missing user", "item", None),  # the first reason that applies
    ],
)
def test_each_fault_has_its_reason_and_keeps_its_text(
    tmp_path: Path, row: str, reason: str, column: str, raw: str | None
) -> None:
    others = "v,y,1700000000,view,,1,5\nw,y,1700000000,view,,,6\n"
    result = cleaned(tmp_path, HEADER + GOOD + row + "\n" + others, features=("weight",))
    assert reasons(result) == {2: reason}
    assert result.quarantine[column].to_list() == [raw]
    assert result.counts == {reason: 1}
    assert result.events["source_line"].to_list() == [1, 3, 4]


def test_usable_rows_in_canonical_columns(tmp_path: Path) -> None:
    result = cleaned(tmp_path, HEADER + GOOD, features=("weight",))
    assert result.events.columns == ["user", "item", "time", "event_type", "value", "label", "weight", "source_line"]
    assert result.events.row(0) == ("u", "x", T0, "purchase", 1.0, 0, 5.0, 1)


def test_a_repeated_purchase_is_a_duplicate_only_if_all_of_it_repeats(tmp_path: Path) -> None:
    rows = [
        "u,x,1700000000,red",
        "u,x,1700000001,red",
        "u,x,1700000000,blue",
        "u,x,1700000000,red",
        "u,x,1700000000,red",
    ]
    result = cleaned(tmp_path, "user,item,time,colour\n" + "\n".join(rows))
    assert reasons(result) == {4: "duplicate", 5: "duplicate"}


def test_missing_time_is_filled_where_position_orders(tmp_path: Path) -> None:
    text = "user,item,time,position\nu,c,,2\nu,a,,0\nu,b,1700000000,1\nv,a,1700000009,0\nu,d,1700000005,3\n"
    result = cleaned(tmp_path, text, order="position")
    assert result.counts == {}
    assert result.events["time"].to_list() == [T0, T0, T0, T0 + 9, T0 + 5]
    assert reasons(cleaned(tmp_path, text)) == {1: "missing time", 2: "missing time"}


def test_missing_position_is_a_fault_where_position_orders(tmp_path: Path) -> None:
    assert reasons(cleaned(tmp_path, "user,item,position\nu,a,1\nu,b,\n")) == {2: "missing position"}


def test_dates_are_inclusive(tmp_path: Path) -> None:
    text = "user,item,time\n" + "".join(
        f"u,x,{t}\n" for t in ("2024-01-01", "2024-01-31 23:59:59", "2024-02-01", "2023-12-31")
    )
    result = cleaned(tmp_path, text, min_date="2024-01-01", max_date="2024-01-31")
    assert reasons(result) == {3: "time in the future", 4: "impossible time"}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"min_date": "yesterday"}, "min_date='yesterday': expected an ISO date"),
        ({"max_date": "31/12/2024"}, "max_date='31/12/2024'"),
        ({"min_date": "2025-01-01", "max_date": "2024-01-01"}, "lies after max_date"),
        ({"event_type_map": ConfigDict({"x": "sell"})}, "maps 'x' to 'sell'"),
    ],
)
def test_settings_that_do_not_fit(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError, match=words):
        cleaned(tmp_path, HEADER + GOOD, **changes)


@pytest.mark.parametrize(
    ("word", "event_type"),
    [
        ("PV", "view"),
        (" Page_View ", "view"),
        ("浏览", "view"),
        ("click", "click"),
        ("点击", "click"),
        ("addtocart", "cart"),
        ("add-to-cart", "cart"),
        ("加购", "cart"),
        ("加入购物车", "cart"),
        ("fav", "favorite"),
        ("收藏", "favorite"),
        ("transaction", "purchase"),
        ("下单", "purchase"),
        ("4", "purchase"),
        ("Return", "return"),
        ("remove_from_cart", "remove_from_cart"),
        ("Gift", "gift"),
    ],
)
def test_event_type_words(tmp_path: Path, word: str, event_type: str) -> None:
    result = cleaned(
        tmp_path,
        f"user,item,kind\nu,x,{word}\n",
        event_type_map=ConfigDict({"4": "purchase"}),
        event_types=ConfigDict({"gift": ""}),
    )
    assert result.events["event_type"].to_list() == [event_type]


def test_a_log_without_event_types(tmp_path: Path) -> None:
    assert cleaned(tmp_path, "user,item\nu,x\n").events["event_type"].to_list() == ["event"]
    stated = cleaned(tmp_path, "user,item\nu,x\n", event_type_map=ConfigDict({"": "purchase"}))
    assert stated.events["event_type"].to_list() == ["purchase"]


def test_bots_lose_all_their_rows(tmp_path: Path) -> None:
    minute = T0 - T0 % 60
    times = (
        [("bot", minute + i) for i in range(4)] + [("bot", minute + 3600)] + [("u", minute + 40 * i) for i in range(4)]
    )
    text = "user,item,time\n" + "".join(f"{user},x,{time}\n" for user, time in times)
    assert reasons(cleaned(tmp_path, text, max_events_per_minute=3)) == dict.fromkeys(range(1, 6), "bot")
    assert reasons(cleaned(tmp_path, text, max_events_per_day=4)) == dict.fromkeys(range(1, 6), "bot")
    assert cleaned(tmp_path, text, max_events_per_minute=4).counts == {}
    assert cleaned(tmp_path, text, max_events_per_minute=1, baskets=True).counts == {}


def test_minimum_counts_hold_at_the_end(tmp_path: Path) -> None:
    # Item z has one event, so it goes; then user c has one event left, and goes; then item y has one, and so on to b.
    rows = ["a,x", "a,w", "a,v", "d,x", "d,w", "d,v", "b,y", "b,x", "c,y", "c,z"]
    text = "user,item,position\n" + "".join(f"{row},{number}\n" for number, row in enumerate(rows))
    result = cleaned(tmp_path, text, min_user_events=2, min_item_events=2)
    assert reasons(result) == dict.fromkeys(range(7, 11), "below minimum count")
    for name in ("user", "item"):
        assert result.events[name].value_counts()["count"].min() >= 2


def test_nothing_usable_gives_the_counts(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"3 rows.*1 missing item, 2 unknown event type.*'7', '8'.*data.event_type_map"):
        cleaned(tmp_path, "user,item,event_type\nu,x,7\nu,x,8\nu,,7\n")


def test_integers_stay_integers(tmp_path: Path) -> None:
    result = cleaned(tmp_path, "user,item\n1,10\n2,20\n")
    assert (result.events.schema["user"], result.events.schema["item"]) == (pl.Int64, pl.Int64)


def test_summary_says_what_was_detected_and_removed(tmp_path: Path) -> None:
    text = summary(cleaned(tmp_path, HEADER + GOOD + GOOD + "u,,1700000000,buy,1,0,5\n"))
    for words in (
        "user = user",
        "order",
        "rows read              3",
        "rows kept              1 (",
        "duplicate",
        "missing item",
    ):
        assert words in text


cells = st.sampled_from(
    ["", " ", "a", "b", "1", "2.0", "-1", "nan", "1700000000", "2023-11-14", "buy", "浏览", "x,y", '"q"', '"']
)
lines = st.lists(st.lists(cells, min_size=5, max_size=5).map(",".join), min_size=1, max_size=12)


@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines)
def test_rows_kept_and_removed_are_the_rows_read(tmp_path: Path, rows: list[str]) -> None:
    text = "user,item,time,event_type,value\nu,i,1700000000,buy,\nv,i,1700000000,view,\n" + "\n".join(rows) + "\n"
    result = cleaned(tmp_path, text, time_unit="s")
    kept, removed = result.events["source_line"], result.quarantine["source_line"]
    assert sorted([*kept, *removed]) == list(range(1, result.log.detected["rows"] + 1))
    assert sum(result.counts.values()) == len(removed)
    assert set(result.counts) <= set(REASONS)
    if not any('"' in row for row in rows):
        assert result.log.detected["rows"] == 2 + sum(bool(row.strip(" ,")) for row in rows)


def test_years_of_the_buddhist_calendar_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"the year 2566 is 2023 in the Buddhist calendar"):
        cleaned(tmp_path, "user,item,date\n1,7,05/11/2566\n2,7,25/11/2566\n")
