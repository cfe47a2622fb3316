"""Dates and times as people and programs write them."""

from pathlib import Path

import polars as pl
import pytest

from tests.raw_logs import MINUTE, T0, cleaned, from_frame, from_text, notes, times
from trajectory.data.times import DAY
from trajectory.schema import UserError


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


@pytest.mark.parametrize(
    ("cell", "moment"),
    [
        ("3 de enero de 2024 18:08 hs.", "2024-01-03 18:08"),
        ("Jan-03-24", "2024-01-03 00:00"),
        ("۲۰۲۴-۰۱-۰۵ ۲۰:۱۲", "2024-01-05 20:12"),
        ("٢٠٢٤/٠١/٢٥", "2024-01-25 00:00"),
        ("2024/1/3 下午 3:22:00", "2024-01-03 15:22"),
        ("2024年01月04日 09時22分", "2024-01-04 09:22"),
        ("2024년 1월 3일 오후 3:22", "2024-01-03 15:22"),
        ("3. März 2024 um 14:05 Uhr", "2024-03-03 14:05"),
        ("Montag, 4. Dez. 2023 14:05", "2023-12-04 14:05"),
        ("12 août 2023 à 14:05", "2023-08-12 14:05"),
        ("3 févr. 2024", "2024-02-03 00:00"),
        ("12 października 2023", "2023-10-12 00:00"),
        ("3 января 2024 г. 14:05", "2024-01-03 14:05"),
        ("03 Oca 2024 10:11", "2024-01-03 10:11"),
        ("1 out 2024 09:10", "2024-10-01 09:10"),
        ("5 maja 2024", "2024-05-05 00:00"),
        ("2024. 01. 05. 10:11", "2024-01-05 10:11"),
        ("Jan 3, 2024 3:46 p. m.", "2024-01-03 15:46"),
    ],
)
def test_dates_in_other_languages(tmp_path: Path, cell: str, moment: str) -> None:
    log = from_text(tmp_path, f"user;item;time\n1;a;{cell}\n1;b;{cell}\n")
    assert pl.from_epoch(log.events["time"]).dt.strftime("%Y-%m-%d %H:%M").to_list() == [moment] * 2


def test_days_since_1970_of_a_column_called_a_date(tmp_path: Path) -> None:
    log = from_text(tmp_path, "user,item,date\n1,a,19725\n1,b,19730\n")
    assert (log.detected["time"], log.detected["span"]) == ("days", ["2024-01-03", "2024-01-08"])
    steps = from_text(tmp_path, "user,item,date\n1,a,1\n1,b,6\n")
    assert "counts steps" in steps.detected["time"]
    by_hand = from_text(tmp_path, "user,item,time\n1,a,10\n", time_unit="days")
    assert by_hand.detected["span"] == ["1970-01-11"] * 2


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
        "２０２３年11月14日 22:13:20",
    ],
)
def test_times_as_people_and_programs_write_them(tmp_path: Path, cell: str) -> None:
    assert times(from_text(tmp_path, f'user,item,time\n1,2,"{cell}"\n')) == [T0]


def test_digits_of_the_calendar_and_decimals_are_times(tmp_path: Path) -> None:
    assert times(from_text(tmp_path, "user,item,time\n1,2,202311142213\n1,3,202311142214\n")) == [MINUTE, MINUTE + 60]
    for digits in ("2311142213", "23111422", "231114221300"):
        log = from_text(tmp_path, f"user,item,time\n1,2,{digits}\n1,3,{int(digits) + 100}\n")
        assert times(log)[0] in (MINUTE, MINUTE - 13 * 60)
    assert times(from_text(tmp_path, "user,item,time\n1,2,231114\n1,3,231115\n")) == [MINUTE - 79_980, MINUTE + 6420]
    decimal = pl.Series([str(T0)]).cast(pl.Decimal(20, 3))
    assert times(from_frame(tmp_path, pl.DataFrame({"user": [1], "item": [2], "time": decimal}))) == [T0]


def test_offsets_that_no_place_has_and_times_beyond_the_calendar_are_set_aside(tmp_path: Path) -> None:
    log = from_text(tmp_path, "user,item,time\n1,2,2023-11-14 22:13:20+99:99\n1,3,2023-11-14 22:13:20Z\n")
    assert cleaned(log, tmp_path).counts == {"unparsable time": 1}
    log = from_text(tmp_path, "user,item,time\n1,2,2023-11-14 ٢٠:13:20\n1,3,2023-11-14 22:13:20Z\n")
    assert times(log) == [T0 - 2 * 3600, T0]
    far = pl.Series([2**62, T0 * 10**6]).cast(pl.Datetime("us"))
    result = cleaned(from_frame(tmp_path, pl.DataFrame({"user": [1, 1], "item": [2, 3], "time": far})), tmp_path)
    assert result.counts == {"time in the future": 1}
    assert result.quarantine["time"].to_list() == [str(2**62 // 10**6)]


def test_days_that_a_spreadsheet_counts_are_dates_in_a_column_called_so(tmp_path: Path) -> None:
    text = "user,item,{}\n1,a,46027.339\n1,b,46028\n"
    log = from_text(tmp_path, text.format("Order Date"))
    assert log.events["time"].to_list() == [1_767_571_200 + 29_290, 1_767_571_200 + DAY]  # 2026-01-05, 08:08:10
    assert log.detected["time"] == "excel"
    assert "time" not in from_text(tmp_path, text.format("time").replace(".339", "")).events.columns, "they may count"
    hand = from_text(tmp_path, text.format("time"), time_unit="excel")
    assert hand.events["time"].to_list() == log.events["time"].to_list()


def test_names_of_zones_that_mean_one_only(tmp_path: Path) -> None:
    clocks = ["2025-10-26 02:30 CEST", "2025-10-26 02:30 CET", "2025-10-25 20:30 EDT", "2025-10-26 02:30 IST"]
    log = from_text(tmp_path, "user,item,time\n" + "".join(f"1,a,{clock}\n" for clock in clocks))
    summer, winter, york, several = log.events["time"].to_list()
    assert (winter - summer, york - summer, several) == (3600, 0, None)


@pytest.mark.parametrize(("cells", "first"), [("2024-02 2024-03", "2024-02-01"), ("2024-W05 2024-W06", "2024-01-29")])
def test_months_and_weeks_are_their_first_day(tmp_path: Path, cells: str, first: str) -> None:
    log = from_text(tmp_path, "user,item,when\n" + "".join(f"1,{i},{cell}\n" for i, cell in enumerate(cells.split())))
    assert log.detected["columns"]["time"] == "when"
    assert log.detected["span"][0] == first


def test_times_of_two_units_are_said_with_what_they_are(tmp_path: Path) -> None:
    log = from_text(tmp_path, f"user,item,time\n1,a,{T0}\n1,b,{T0 * 1000}\n", time_unit="s")
    assert f"1 rows have times after the year 3000, such as {T0 * 1000}" in notes(log, "time")
