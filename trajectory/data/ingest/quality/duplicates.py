"""Rows of a log that are equal in every cell: the same said twice, or several pieces."""

from __future__ import annotations

import difflib
from collections.abc import Collection

import numpy as np
import polars as pl
from ml_collections import ConfigDict

from trajectory.data.ingest.columns.detect import plain
from trajectory.data.ingest.frames import row_hashes
from trajectory.data.times import DAY
from trajectory.schema import EventLog, UserError

DUPLICATES = ("auto", "drop", "keep", "count")
_EVENT_IDS = ("insertid", "eventid", "eventuuid", "eventguid", "messageid", "uuid", "hitid")
_READ = ("user", "item", "time", "subsecond", "event_type", "value", "quantity", "rating", "basket")
_AT_ONCE = 1 << 23  # rows whose hashes are compared at once


def treatment(log: EventLog, data: ConfigDict) -> str:
    """What is done with equal rows: `data.duplicates`, "auto" as the log suggests.

    A quantity is stated once, so an equal row says the same again; lines of a basket, or of a day, are equal where
    several pieces were bought. Events with ids of their own are sent once.
    """
    if data.duplicates not in DUPLICATES:
        near = difflib.get_close_matches(data.duplicates, DUPLICATES, 1, 0.0)[0]
        raise UserError(f"data.duplicates={data.duplicates!r} is unknown; did you mean {near!r}? {DUPLICATES}")
    if data.duplicates != "auto":
        return str(data.duplicates)
    have = set(log.events.columns)
    if log.detected.get("event_id"):
        return "drop"
    if have & {"quantity", "rating"}:
        return "drop"
    times = log.events["time"] if "time" in have else pl.Series([1])
    # The first rows tell it of nearly all logs, without a second column of times.
    whole_days = "subsecond" not in have and all((part % DAY == 0).all() for part in (times.head(1000), times))
    return "count" if whole_days or "basket" in have else "drop"


def sent_again(table: pl.DataFrame, columns: dict[str, pl.Series], used: Collection[str]) -> tuple[str, pl.Series]:
    """The column of the ids of events, where some come again, and hashes that are equal where the id and all that is
    read of the event are; ("", the hashes of the log) without one.
    """
    for name in (name for name in table.columns if plain(name.rpartition(".")[2].lstrip("$")) in _EVENT_IDS):
        ids = table[name]
        distinct = ids.drop_nulls().n_unique()
        if name in used or ids.dtype.is_nested() or 2 * distinct < table.height or distinct == ids.count():
            continue
        read = {field: column for field, column in columns.items() if field in _READ}
        hashes = row_hashes(pl.DataFrame([ids.alias("id"), *(column.alias(field) for field, column in read.items())]))
        hashes = hashes.zip_with(ids.is_not_null(), columns["row_hash"])
        if hashes.n_unique() < columns["row_hash"].n_unique():
            return name, hashes
    return "", columns["row_hash"]


def repeated_rows(hashes: pl.Series, usable: np.ndarray) -> np.ndarray:
    """The usable rows whose hash an earlier one has, by number; some millions are compared at once."""
    value = hashes.to_numpy()
    parts = min(1 << (len(value) // _AT_ONCE).bit_length(), 256)
    byte, again = value.view(np.uint8)[::8], []
    for part in range(parts):
        rows = np.flatnonzero(usable & (byte & (parts - 1) == part))
        again.append(rows[~pl.Series(value[rows]).is_first_distinct().to_numpy()])
    return np.concatenate(again)


def add_repeats(events: pl.DataFrame, codes: np.ndarray, folded: int) -> tuple[pl.DataFrame, np.ndarray]:
    """Events and codes with the rows of code `folded` in the quantity and value of the row that they repeat.

    Those that repeat a row of another code than 0 (set aside) get its code.
    """
    again = events["row_hash"].filter(codes == folded).value_counts(name="again")
    rows = events.select("row_hash", code=pl.Series(codes))
    first = rows.filter(pl.col("code") != folded).join(again, on="row_hash").select("row_hash", "again", first="code")
    rows = rows.join(first, on="row_hash", how="left", maintain_order="left")
    went = (pl.col("code") == folded) & (pl.col("first") != 0)
    codes = rows.select(pl.when(went).then("first").otherwise("code")).to_series().to_numpy().copy()
    times = rows["again"].fill_null(0) + 1
    quantity = pl.col("quantity") if "quantity" in events.columns else pl.lit(None, pl.Float64)
    amounts = [pl.when(times > 1).then(quantity.fill_null(1.0) * times).otherwise(quantity).alias("quantity")]
    if "value" in events.columns:
        amounts.append(pl.col("value") * times)
    return events.with_columns(amounts), codes
