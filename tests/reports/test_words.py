"""How pages call what they count, and by whose clock."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.builders import make_histories
from trajectory.reports.words import clock


@pytest.mark.parametrize(
    ("zone", "said"),
    [
        ("America/New_York", "Days and hours are by the clock of America/New_York."),
        ("UTC>America/New_York", "Days and hours are by the clock of America/New_York."),
        ("UTC", "Days and hours are by the clock of UTC."),
        ("", "Days and hours are as the log states them; it names no time zone."),
    ],
)
def test_pages_say_by_whose_clock_they_are(zone: str, said: str) -> None:
    histories = replace(make_histories([[1, 2]]), zone=zone)
    assert clock(histories) == said
    assert not clock(replace(histories, has_time=False))
