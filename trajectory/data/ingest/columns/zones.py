"""Columns that name the time zone of times that name none themselves."""

from __future__ import annotations

import polars as pl

from trajectory.data.ingest.cells.parsing import texts
from trajectory.data.ingest.columns.detect import matching_within
from trajectory.data.ingest.findings import Findings, counted

_ZONES = (
    *(
        "time zone",
        "timezone",
        "tz",
        "time zone name",
        "timezone name",
        "zone info",
        "zeitzone",
        "fuseau horaire",
        "fuseau",
    ),
    *("zona horaria", "huso horario", "fuso horário", "fuso orario", "tijdzone", "tidszon", "tidszone", "tidssone"),
    *("aikavyöhyke", "strefa czasowa", "časové pásmo", "часовой пояс", "saat dilimi", "タイムゾーン", "시간대", "时区"),
    *("時區", "zona waktu", "múi giờ"),
)
_SHOWN = 3


def doubt_zone(table: pl.DataFrame, time: str, said: Findings) -> None:
    """Asks about a column that names the time zone, where the times themselves name none."""
    for name in matching_within(table.columns, _ZONES):
        zones = texts(table[name]).drop_nulls().value_counts(sort=True, name="rows").head(_SHOWN)
        if len(zones) and name != time:
            text = (
                f"{name} is not read ({counted([*zones.iter_rows()])}), and {time} is taken as UTC: is it of that zone?"
            )
            setting = (
                "write the offset behind each time, as 2024-01-13 10:00-05:00, if its hours are to be those of UTC"
            )
            said.note("dates", text, setting, warning=True)
