"""Columns that name a time zone."""

from pathlib import Path

import pytest

from tests.raw_logs import from_text, notes


@pytest.mark.parametrize("name", ["Time Zone", "timezone", "Zeitzone", "Fuso orario", "Часовой пояс", "タイムゾーン"])
def test_a_column_that_names_the_zone_is_asked_about_where_the_times_name_none(tmp_path: Path, name: str) -> None:
    rows = "1,a,2023-11-14 22:13{0},Eastern Time\n1,b,2023-11-14 22:14{0},Eastern Time\n"
    log = from_text(tmp_path, f"user,item,time,{name}\n" + rows.format(""))
    assert f"{name} is not read ('Eastern Time' 2x), and time is taken as UTC" in notes(log, "dates")
    assert not notes(from_text(tmp_path, f"user,item,time,{name}\n" + rows.format("-05:00")), "dates")
