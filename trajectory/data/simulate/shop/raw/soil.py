"""What goes wrong between a shop and the file that is read of it, and the account of what did."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from trajectory.data.simulate.shop.parameters import Dirt

WORDS = pl.Series(["NA", "NULL", "null", "None", "nan", "\\N", "N/A", "-", ""])  # that stand for "missing"
BAD_TIMES = pl.Series(["0000-00-00 00:00:00", "yesterday", "", "2023-02-30 12:00:00"])
RESENT = ("view", "cart")  # what is sent again
MALFORMED = ("ragged", "separator")
GAPS = {
    "user": "missing_user",
    "time": "bad_time",
}  # what another line of the order may say, and the defect of this one
USABLE = ("", "missing_price")  # defects of a row that still says what happened, and says it for the first time


def soiled(records: pl.DataFrame, dirt: Dirt, rng: np.random.Generator) -> pl.DataFrame:
    """The records [`time` microseconds, `event_type`, any] by time, with a column `wrong`: a defect of `Dirt` or "".

    Those sent twice follow the first; `foreign` ones are copies that the dialect writes as something else; other
    defects are left for the dialect to write.
    """
    names, shares = zip(*vars(dirt).items(), strict=True)
    cut = np.cumsum(shares)
    drawn = pl.Series(["", *names]).gather(
        (np.searchsorted(cut, rng.random(records.height), side="right") + 1) % (len(names) + 1)
    )
    again = drawn.is_in(["duplicate", "foreign"]) | ((drawn == "retry") & records["event_type"].is_in(RESENT))
    extra = records.filter(again).with_columns(wrong=drawn.filter(again))
    late = pl.Series(rng.integers(1_000, 900_000, extra.height))
    extra = extra.with_columns(time=pl.when(pl.col("wrong") == "retry").then(pl.col("time") + late).otherwise("time"))
    added = ["duplicate", "foreign", "retry"]
    first = records.with_columns(wrong=pl.when(drawn.is_in(added)).then(pl.lit("")).otherwise(drawn))
    return pl.concat([first, extra]).sort("time", maintain_order=True)


def missing(wrong: str, column: str, rng: np.random.Generator, height: int) -> pl.Expr:
    """The column as text, in rows with that defect a word for "missing"."""
    word = WORDS.gather(rng.integers(0, len(WORDS), height))
    return pl.when(pl.col("wrong") == wrong).then(word).otherwise(pl.col(column)).alias(column)


def unreadable(column: str, rng: np.random.Generator, height: int) -> pl.Expr:
    """The column of times, in rows of a bad one what is no time."""
    word = BAD_TIMES.gather(rng.integers(0, len(BAD_TIMES), height))
    return pl.when(pl.col("wrong") == "bad_time").then(word).otherwise(pl.col(column)).alias(column)


def money(price: pl.Expr) -> pl.Expr:
    """Text with two digits behind the point."""
    cents = (price * 100).round().cast(pl.Int64)
    return pl.format("{}.{}", cents // 100, (cents % 100).cast(pl.String).str.zfill(2))


def csv_lines(table: pl.DataFrame, separator: str, wrong: Sequence[str]) -> list[str]:
    """The header and a line for each row, in which those with that defect have too few or too many cells."""
    lines = table.write_csv(separator=separator, null_value="").splitlines()
    for number, defect in enumerate(wrong, start=1):
        if defect == "ragged":
            cells = lines[number]
            lines[number] = cells + separator * 2 + "?" if number % 2 else cells[: cells.rindex(separator, 0, -1)]
    return lines


def account(rows: pl.DataFrame, path: Path) -> None:
    """Writes what is true of each row: line (1 = the first after a header), event (row of truth/events from 0; null of
    a line that is none's), wrong (a defect of `Dirt`, "separator", or ""), usable. A row for each event of a line.

    Where the export numbers its orders (`order`), a line whose user or time is blank (`gap`: "user", "time" or null) is
    usable if another line of its order has it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    usable = pl.col("wrong").is_in(USABLE)
    if "order" in rows.columns:
        whole = ~pl.col("wrong").is_in(MALFORMED) & pl.col("order").is_not_null()
        for gap, defect in GAPS.items():
            usable |= (pl.col("gap") == gap).fill_null(False) & (whole & (pl.col("wrong") != defect)).any().over(
                "order"
            )
    rows.select("line", "event", "wrong", usable=usable).write_parquet(path)
