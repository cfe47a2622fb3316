"""A log as it is learned from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

import polars as pl
from ml_collections import ConfigDict

from trajectory.results.result import Result

if TYPE_CHECKING:
    import altair as alt


@dataclass(frozen=True, repr=False, eq=False)
class Prepared(Result):
    """A log as it is learned from, one row for each event that is kept.

    `config` trains on it; `tables["quarantine"]` has the rows that were set aside, each with its reason. `preset`: of a
    log of one's own the preset that `config` is of, with its arguments, for `sweep` and `search`.
    """

    config: ConfigDict = field(kw_only=True)
    preset: str = field(default="", kw_only=True)

    COLUMNS: ClassVar = {
        "user": "id of the source",
        "item": "id of the source",
        "time": "by the log's clock (data.time_zone); null where it is not known",
        "event_type": "standard type, such as view or purchase",
        "step": "number of the event's step in its history, from 0; events of one step have no order",
        "quantity": "pieces; null where the log has none",
        "value": "of the whole row; null where the log has none",
    }

    TABLES: ClassVar = {
        "quarantine": (
            "rows that were set aside: source_line (from 1), file where there are several, reason, and user, "
            "item, time, event_type and others there are as they stood, malformed (the whole line where it had "
            "no cells)"
        ),
    }

    def plot(self) -> alt.Chart:
        """Events of each type by week; of a log without times events of each type."""
        from trajectory.reports import charts

        if self.frame["time"].null_count() == self.frame.height:
            counts = self.frame.group_by("event_type").len("events").sort("events", descending=True)
            return charts.bars(counts, "event_type", "events", "Events of each type")
        week = pl.col("time").dt.truncate("1w").alias("week")
        return charts.lines(
            self.frame.group_by(week, "event_type").len("events").sort("week"),
            "week:T",
            "events",
            "event_type",
            "Events a week",
        )
