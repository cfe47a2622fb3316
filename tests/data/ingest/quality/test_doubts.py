"""What looks wrong in a log although every cell can be read."""

from pathlib import Path

import pytest

from tests.raw_logs import cleaned, from_text, notes
from trajectory.data.ingest.quality.doubts import doubt_events
from trajectory.schema import EventLog, UserError


def warnings(log: EventLog) -> dict[str, str]:
    return {note["text"]: note["setting"] for note in log.detected["notes"] if note["warning"]}


def test_ids_that_number_the_rows(tmp_path: Path) -> None:
    rows = "".join(f"u{i % 9},{i},sku{i % 7},2024-01-{1 + i % 28:02}\n" for i in range(60))
    log = from_text(tmp_path, "customer_id,item_id,sku,date\n" + rows)
    text = "sku (7 values) is read as the item, not item_id, which numbers the rows"
    assert warnings(log) == {text: "data.columns.item=item_id"}
    assert log.detected["columns"]["item"] == "sku"
    by_hand = from_text(tmp_path, "customer_id,item_id,sku,date\n" + rows, columns={"item": "item_id"})
    text = "item_id is new in nearly every row (60 in 60) and may number the rows; sku has 7 values"
    assert warnings(by_hand) == {text: "data.columns.item=sku"}
    assert not warnings(from_text(tmp_path, "customer_id,item_id,sku,date\n" + rows, columns={"item": "sku"}))


def test_a_column_of_known_words_is_that_of_the_types(tmp_path: Path) -> None:
    rows = "a,x,Product View,web\nb,y,Add to Cart,web\n" * 9 + "b,y,,app\n"
    log = from_text(tmp_path, "user_id,item_id,type,channel\n" + rows)
    assert (log.detected["columns"]["event_type"], log.detected["found_by"]["event_type"]) == ("type", "content")
    other = from_text(tmp_path, "user_id,item_id,type\n" + "a,x,shoe\nb,y,order\n" * 9)
    assert "event_type" not in other.detected["columns"]


def test_further_items_of_a_row(tmp_path: Path) -> None:
    text = "user_id,item_1,item_2,qty_2\na,x,y,1\nb,z,,\n"
    assert list(warnings(from_text(tmp_path, text, columns={"item": "item_1"}))) == [
        "only item_1 is read, not item_2: write one row for each item to have them all"
    ]


def test_lists_written_as_text_are_no_ids(tmp_path: Path) -> None:
    text = 'user_id,item\na,"[{""sku"": ""x""}]"\nb,"[{""sku"": ""y""}]"\n'
    with pytest.raises(UserError, match="holds lists or objects written as text"):
        from_text(tmp_path, text)


@pytest.mark.parametrize(("wrong", "told"), [(1700000000, "before 1990-01-01"), (1700000000000000, "after the year")])
def test_times_of_two_units(tmp_path: Path, wrong: int, told: str) -> None:
    good = "a,x,1700000000000\n" * 3
    (text,) = warnings(from_text(tmp_path, f"user_id,item_id,timestamp\n{good}a,x,{wrong}\n"))
    assert text.startswith(f"1 rows have times {told}")
    assert not warnings(from_text(tmp_path, "user_id,item_id,timestamp\n" + good))


@pytest.mark.parametrize(
    ("days", "told", "setting"),
    [
        (["2010-03-01"] + ["2020-03-01"] * 3, "1 rows are before", "min_date=2020-03-01 sets the earlier ones aside"),
        (["2010-03-01"] * 3 + ["2020-03-01"], "1 rows are after", "max_date=2010-03-01 sets the later ones aside"),
    ],
)
def test_years_without_an_event(tmp_path: Path, days: list[str], told: str, setting: str) -> None:
    text = "".join(f"a,x,{day}\n" for day in days)
    (note,) = warnings(from_text(tmp_path, "user_id,item_id,date\n" + text)).items()
    assert told in note[0]
    assert note[1] == f"data.cleaning.{setting}"


@pytest.mark.parametrize("far", ["2099-01-01", "1900-01-01", "9999-12-31"])
def test_days_that_are_set_aside_are_no_gap(tmp_path: Path, far: str) -> None:
    log = from_text(tmp_path, f"user_id,item_id,date\na,x,{far}\nb,x,2020-03-01\nc,x,2020-03-02\n")
    assert not warnings(log)
    assert log.detected["span"] == ["2020-03-01", "2020-03-02"]


@pytest.mark.parametrize(("name", "warned"), [("price", False), ("Einzelwert", True)])
def test_a_price_stays_the_same_where_quantities_differ(tmp_path: Path, name: str, warned: bool) -> None:
    rows = "".join(f"u{i},i{i % 4},{1 + i % 3},{2 + i % 4}.5\n" for i in range(40))
    log = from_text(tmp_path, f"user_id,item_id,qty,{name}\n" + rows, columns={"value": name})
    assert log.events["value"].to_list() == [(1 + i % 3) * (2.5 + i % 4) for i in range(40)]
    assert "as prices of items sold in several quantities tell" in notes(log, "value")
    assert bool(warnings(log)) == warned


def test_a_sum_grows_with_the_quantity_whatever_it_is_called(tmp_path: Path) -> None:
    rows = "".join(f"u{i},i{i % 4},{1 + i % 3},{(1 + i % 3) * (2 + i % 4)}\n" for i in range(40))
    log = from_text(tmp_path, "user_id,item_id,qty,price\n" + rows)
    assert log.events["value"].to_list() == [(1 + i % 3) * (2 + i % 4) for i in range(40)]
    assert list(warnings(log).values()) == ["data.value_of=unit"]
    by_hand = from_text(tmp_path, "user_id,item_id,qty,price\n" + rows, value_of="unit")
    assert by_hand.events["value"].to_list() == [(1 + i % 3) ** 2 * (2 + i % 4) for i in range(40)]
    with pytest.raises(UserError, match=r"data.value_of='total' is unknown"):
        from_text(tmp_path, "user_id,item_id,qty,price\n" + rows, value_of="total")


def test_several_items_in_a_cell(tmp_path: Path) -> None:
    rows = "".join(f"u{i % 9},s{i % 7}|s{i % 5}|s{i % 3}\n" for i in range(90))
    (text,) = warnings(from_text(tmp_path, "user_id,item_id\n" + rows))
    assert text.startswith("item_id holds several items in a cell, such as 's0|s0|s0'")
    names = "".join(f"u{i % 9},tea{i % 8}|{i % 5}\n" for i in range(400))
    assert not warnings(from_text(tmp_path, "user_id,item_id\n" + names))


def test_sales_of_no_pieces_or_of_less_than_nothing(tmp_path: Path) -> None:
    text = "user_id,item_id,qty,amount\na,x,0,0\nb,x,1,2.5\na,y,1,-2.5\nb,y,,2.5\n"
    clean = cleaned(from_text(tmp_path, text), tmp_path)
    assert [doubt for doubt, _ in doubt_events(clean.events, clean.types, clean.log.detected)] == [
        "1 sales are of 0 pieces: they count for nothing.",
        "1 sales have no quantity: each counts as one piece.",
    ]
    clean = cleaned(from_text(tmp_path, "user_id,item_id,event\na,x,impression\na,x,impression\n"), tmp_path)
    assert next(doubt_events(clean.events, clean.types, clean.log.detected))[0].startswith(
        "The model reads no type of event"
    )


def test_items_that_are_dates_are_asked_about_where_there_is_no_time(tmp_path: Path) -> None:
    rows = "".join(f"u{i % 3},199704{10 + i}{{}}\n" for i in range(9))
    log = from_text(tmp_path, "user_id,item_id\n" + rows.replace("{}", ""))
    assert "item_id has dates, such as 19970410, and no column is read as the time" in notes(log, "items")
    timed = from_text(tmp_path, "user_id,item_id,time\n" + rows.replace("{}", ",1700000000"))
    assert "has dates" not in notes(timed, "items")
    ids = from_text(tmp_path, "user_id,item_id\n" + rows.replace("{}", "").replace("199704", "199794"))
    assert "has dates" not in notes(ids, "items")


def test_times_that_a_spreadsheet_has_rounded(tmp_path: Path) -> None:
    (text,) = warnings(from_text(tmp_path, "user_id,item_id,timestamp\na,x,1.70476E+12\nb,x,1.70485E+12\n"))
    assert "a spreadsheet has rounded, such as 1.70476E+12" in text
    header, every = "user_id,item_id,timestamp\n", 10_000_000
    (text,) = warnings(from_text(tmp_path, header + "".join(f"a,x,{(170476 + i) * every}\n" for i in range(9))))
    assert "9 different ones, all multiples of 10,000 seconds: a spreadsheet may have rounded them" in text
    hours = "".join(f"a,x,{(472000 + i) * 3_600_000}\n" for i in range(9))
    assert not warnings(from_text(tmp_path, header + hours))


def test_days_and_months_that_a_spreadsheet_has_exchanged(tmp_path: Path) -> None:
    days = [(day, month) for month in (1, 2) for day in range(1, 29)]
    cells = [f"2024-{d:02}-{m:02} 10:00:00" if d <= 12 else f"{d:02}/{m:02}/2024 10:00" for d, m in days]
    header = "user_id,item_id,timestamp\n"
    log = from_text(tmp_path, header + "".join(f"a,x,{cell}\n" for cell in cells))
    assert any("may have exchanged days and months" in text for text in warnings(log))
    right = [f"2024-{m:02}-{d:02} 10:00:00" if d % 2 else f"{d:02}/{m:02}/2024 10:00" for d, m in days]
    assert not warnings(from_text(tmp_path, header + "".join(f"a,x,{cell}\n" for cell in right)))


def test_a_log_of_one_item_and_a_column_that_is_named_twice(tmp_path: Path) -> None:
    log = from_text(tmp_path, "user,item,time\n1,7,1700000000\n1,7,1700000100\n2,7,1700000200\n")
    result = cleaned(log, tmp_path)
    assert any(
        "Every event is of the same item" in text for text, _ in doubt_events(result.events, result.types, log.detected)
    )
    with pytest.raises(UserError, match=r"data.columns.user and data.columns.item are both 'item'"):
        from_text(tmp_path, "user,item\n1,7\n", columns={"user": "item", "item": "item"})


def test_a_quantity_that_cannot_be_read_is_no_piece_unsaid(tmp_path: Path) -> None:
    log = from_text(tmp_path, "user_id,item_id,qty\na,x,2\na,y,two\nb,x,\n")
    clean = cleaned(log, tmp_path)
    assert (
        "2 sales have a quantity that cannot be read, such as 'two', or none: each counts as one piece.",
        "write qty as numbers in the file",
    ) in [*doubt_events(clean.events, clean.types, log.detected)]
    assert log.detected["unread"][0]["setting"] == "a sale there counts as one piece"


def test_a_value_below_nothing_is_a_return_with_and_without_a_quantity(tmp_path: Path) -> None:
    for header, rows in (("", "a,x,purchase,-2\na,y,purchase,3\n"), (",qty", "a,x,purchase,-2,1\na,y,purchase,3,1\n")):
        log = from_text(tmp_path, f"user_id,item_id,event,price{header}\n" + rows)
        assert cleaned(log, tmp_path).types["type"].to_list() == ["purchase", "return"]
        assert "1 sales have a value below 0, and are taken as returns" in notes(log, "value")
    log = from_text(tmp_path, "user_id,item_id,qty,line_total\na,x,-1,-2\na,y,1,3\n")
    assert "below 0" not in notes(log, "value")


def test_sales_without_money_where_another_column_has_some(tmp_path: Path) -> None:
    text = "user_id,item_id,Debit,Credit\na,x,2.5,\na,y,,3.5\nb,x,1.5,\n"
    changes = {"columns": {"value": "Debit"}, "event_type_map": {"": "purchase"}}
    log = from_text(tmp_path, text, **changes)
    assert "Credit has 1 amounts, just where Debit has none" in notes(log, "value")
    clean = cleaned(log, tmp_path, **changes)
    doubts = [doubt for doubt, _ in doubt_events(clean.events, clean.types, clean.log.detected)]
    assert "1 of 3 sales have no Debit: they count as pieces, not as money. Are they sales?" in doubts


def test_labels_of_nothing_done_are_asked_about(tmp_path: Path) -> None:
    text = "user_id,item_id,label\na,x,1\na,y,0\nb,x,0\n"
    log = from_text(tmp_path, text)
    assert "label is 0 in 2 of 3 rows, which are events like the others" in notes(log, "types")
    changes = {"columns": {"event_type": "label"}, "event_type_map": {"1": "click", "0": "impression"}}
    clean = cleaned(from_text(tmp_path, text, **changes), tmp_path, **changes)
    assert dict(clean.types.select("type", "rows").iter_rows()) == {"click": 1, "impression": 2}


@pytest.mark.parametrize(("users", "told"), [(60, True), (59, False)])
def test_users_who_are_new_with_each_order(tmp_path: Path, users: int, told: bool) -> None:
    rows = "".join(f"u{i // 2 % users},i{i % 9},o{i // 2},{1_700_000_000 + i // 2}\n" for i in range(120))
    clean = cleaned(from_text(tmp_path, "user_id,item_id,order_id,timestamp\n" + rows), tmp_path)
    doubts = dict(doubt_events(clean.events, clean.types, clean.log.detected))
    text = "Every user has one order (60 users, as many orders): is the user's column new with each order?"
    assert (text in doubts) == told


def test_few_users_of_very_many_events(tmp_path: Path) -> None:
    rows = "".join(f"{'ab'[i % 2]},i{i % 9},{1_700_000_000 + i}\n" for i in range(400))
    clean = cleaned(from_text(tmp_path, "user_id,item_id,timestamp\n" + rows), tmp_path)
    doubts = dict(doubt_events(clean.events, clean.types, clean.log.detected))
    text = "The log has 2 users of 200 events each: is this who buys, or staff, a shop, a device?"
    assert doubts[text] == "data.columns.user=... instead of user_id"
    alone = cleaned(
        from_text(tmp_path, "item_id,timestamp\n" + rows.replace("a,", "").replace("b,", ""), single_user="me"),
        tmp_path,
    )
    assert not any("staff" in text for text, _ in doubt_events(alone.events, alone.types, alone.log.detected))


def test_returns_by_their_word_are_no_sales_below_nothing(tmp_path: Path) -> None:
    text = "user_id,item_id,event,amount\na,x,purchase,2\na,y,return,-2\n"
    assert "below 0" not in notes(from_text(tmp_path, text), "value")
    assert "1 sales have a value below 0" in notes(from_text(tmp_path, text.replace("return", "sale")), "value")
