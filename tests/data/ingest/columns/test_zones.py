"""Columns that name a time zone, and times of several zones as those of one."""

from pathlib import Path

import pytest

from tests.raw_logs import from_text, notes, times
from trajectory.schema import UserError


@pytest.mark.parametrize("name", ["Time Zone", "timezone", "Zeitzone", "Fuso orario", "Часовой пояс", "タイムゾーン"])
def test_a_column_that_names_the_zone_is_asked_about_where_the_times_name_none(tmp_path: Path, name: str) -> None:
    rows = "1,a,2023-11-14 22:13{0},Eastern Time\n1,b,2023-11-14 22:14{0},Eastern Time\n"
    log = from_text(tmp_path, f"user,item,time,{name}\n" + rows.format(""))
    assert f"{name} is not read ('Eastern Time' 2x), and time is taken as UTC" in notes(log, "dates")
    assert f"data.columns.zone={name} converts it to UTC" in [note["setting"] for note in log.detected["notes"]]
    assert not notes(from_text(tmp_path, f"user,item,time,{name}\n" + rows.format("-05:00")), "dates")


def hours(folder: Path, clock: str, *zones: str, **changes: object) -> list[float | None]:
    """Hours, on 2023-07-14 of UTC, of a time of that day in some zones."""
    rows = "".join(f"{i},a,2023-07-14 {clock},{zone}\n" for i, zone in enumerate(zones))
    log = from_text(folder, f"user,item,time,tz\n{rows}", **({"columns": {"zone": "tz"}} | changes))
    return [None if time is None else (time - 1_689_292_800) / 3600 for time in times(log)]


@pytest.mark.parametrize(
    ("zones", "right"),
    [
        (("America/New_York", "Europe/Berlin", "Asia/Kolkata"), [16, 10, 6.5]),
        (("+02:00", "UTC-5", "GMT+0530", "(UTC+01:00)", "Z"), [10, 17, 6.5, 11, 12]),
        (("EST", "EDT", "CEST", "JST", "utc"), [17, 16, 10, 3, 12]),
        (("Eastern Time", "Pacific Standard Time", "europe/berlin"), [16, 19, 10]),
        (("2", "-5", "5.5", ""), [10, 17, 6.5, 12]),
        (("120", "-300", "0"), [10, 17, 12]),
        (("7200", "-18000"), [10, 17]),
    ],
)
def test_times_of_several_zones_are_converted_to_utc(
    tmp_path: Path, zones: tuple[str, ...], right: list[float]
) -> None:
    assert hours(tmp_path, "12:00", *zones) == right


def test_summer_time_and_hours_that_a_clock_skips(tmp_path: Path) -> None:
    rows = [f"1,a,2023-{day} {clock},Europe/Berlin" for day, clock in (("01-01", "12:00"), ("03-26", "02:30"))]
    log = from_text(tmp_path, "\n".join(["user,item,time,tz", *rows]) + "\n", columns={"zone": "tz"})
    assert times(log) == [1_672_570_800, 1_679_794_200]
    assert "time is converted from the zones of tz to UTC" in notes(log, "dates")
    assert log.detected["zone"] == "that of tz, read as UTC"


def test_times_are_read_by_the_clock_that_is_asked_for(tmp_path: Path) -> None:
    assert hours(tmp_path, "12:00", "America/New_York", "UTC", time_zone="Europe/Berlin") == [18, 14]
    log = from_text(tmp_path, "user,item,time\n1,a,2023-07-14T12:00Z\n", time_zone="Asia/Tokyo")
    assert times(log) == [1_689_292_800 + 21 * 3600]
    assert "time is read by the clock of Asia/Tokyo" in notes(log, "dates")
    unzoned = from_text(tmp_path, "user,item,time\n1,a,2023-07-14 12:00\n", time_zone="Asia/Tokyo")
    assert times(unzoned) == [1_689_292_800 + 12 * 3600]
    assert "names no zone, so that it is taken as of Asia/Tokyo already" in notes(unzoned, "dates")


def test_zones_that_are_not_known_or_not_needed(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"the zones 'CST', 'Moonbase' are not known; expected offsets from UTC"):
        hours(tmp_path, "12:00", "CST", "UTC", "Moonbase")
    with pytest.raises(UserError, match=r"data.time_zone='Berlin' is unknown; expected the name of a zone"):
        hours(tmp_path, "12:00", "UTC", time_zone="Berlin")
    assert hours(tmp_path, "12:00Z", "UTC-5", "UTC-6") == [12, 12]
    log = from_text(tmp_path, "user,item,time,tz\n1,a,2023-07-14 12:00Z,UTC-5\n", columns={"zone": "tz"})
    assert "time names its zone itself (named), so tz is not needed" in notes(log, "dates")
