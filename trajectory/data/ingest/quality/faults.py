"""The faults that a row shows on its own, and the reasons for which rows are set aside."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
from ml_collections import ConfigDict

from trajectory.schema import EventLog, UserError

UNKNOWN_TYPE = "unknown event type"
# A row gets the first that applies.
REASONS = (
    "malformed row",
    "missing user",
    "missing item",
    "missing time",
    "missing position",
    "unparsable time",
    "impossible time",
    "time in the future",
    UNKNOWN_TYPE,
    "invalid label",
    "invalid feature",
    "duplicate",
    "bot",
    "below minimum count",
)
CODES = {reason: code for code, reason in enumerate(REASONS, start=1)}  # 0 = usable
FOLDED = len(REASONS) + 1  # code of a row that is counted in the quantity of one that is equal
_EASTERNMOST = timedelta(hours=14)  # wall clocks run this far ahead of UTC; times that name no zone are taken as UTC


def faults_of(log: EventLog, data: ConfigDict) -> dict[str, pl.Expr]:
    """Reason -> where it applies, of the faults that a row shows on its own, in the order of REASONS."""
    have, order = set(log.events.columns), log.detected.get("order", data.order)
    faults = {"malformed row": pl.col("malformed").is_not_null()} if "malformed" in have else {}
    faults |= {f"missing {column}": pl.col(column).is_null() for column in ("user", "item")}
    if "time" in have:
        unread = pl.col("raw_time").is_not_null() if "raw_time" in have else pl.lit(False)
        if order == "time":
            faults["missing time"] = pl.col("time").is_null() & ~unread
    if order == "position":
        faults["missing position"] = pl.col("position").is_null()
    if "time" in have:
        first, last = time_limits(data.cleaning)
        faults["unparsable time"] = unread
        faults["impossible time"] = pl.col("time") < first
        faults["time in the future"] = pl.col("time") > last
    if "event_type" in have:
        faults[UNKNOWN_TYPE] = pl.col("meaning").is_null()
    if "label" in have:
        faults["invalid label"] = ~pl.col("label").is_in([0, 1])
    if log.features:
        # A model can be fed no gap: a feature that is absent is as unusable as one that is no number.
        faults["invalid feature"] = ~pl.all_horizontal(pl.col(log.features).is_finite().fill_null(False))
    return faults


def time_limits(cleaning: ConfigDict) -> tuple[int, int]:
    """First and last possible time, unix seconds. A bare date counts from its first to its last second."""
    first = _moment("min_date", cleaning.min_date)
    if cleaning.max_date == "now":
        last = datetime.now(UTC) + _EASTERNMOST
    else:
        last = _moment("max_date", cleaning.max_date)
        if len(cleaning.max_date.strip()) == len("2024-05-31"):
            last += timedelta(days=1) - timedelta(seconds=1)
    if first > last:
        raise UserError(
            f"data.cleaning.min_date={cleaning.min_date!r} lies after max_date={cleaning.max_date!r}; exchange them"
        )
    return int(first.timestamp()), int(last.timestamp())


def _moment(field: str, text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        now = ' or "now"' if field == "max_date" else ""
        raise UserError(f"data.cleaning.{field}={text!r}: expected an ISO date such as 2024-05-31{now}") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
