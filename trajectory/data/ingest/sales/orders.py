"""What stands on one line of an order only, as shops export it, holds for all its lines."""

from __future__ import annotations

import polars as pl

from trajectory.data.ingest.findings import Findings


def of_order(column: pl.Series, *order: pl.Series) -> pl.Series:
    """The column with its gaps filled by the only value of the order, where it has but one. Lines of an order are equal
    in each of `order`.
    """
    if not column.has_nulls():
        return column
    keys = [f"key_{number}" for number in range(len(order))]
    rows = pl.DataFrame({**dict(zip(keys, order, strict=True)), "cell": column})
    known = rows.drop_nulls().group_by(keys).agg(pl.col("cell").unique()).filter(pl.col("cell").list.len() == 1)
    only = rows.join(known.select(*keys, only=pl.col("cell").list.first()), keys, "left", maintain_order="left")
    return only.select(pl.coalesce("cell", "only").alias(column.name)).to_series()


def fill_lines(columns: dict[str, pl.Series], fields: dict[str, str], said: Findings) -> dict[str, pl.Series]:
    """The user and the time of lines that have none, where another line of the order has one."""
    if "basket" not in columns:
        return {}
    filled = dict[str, pl.Series]()
    for name in ("user", "time"):
        if name in columns and name in fields:
            # A return may bear the number of its order days later: its time is not that of the purchase.
            same = [columns["event_type"]] if name == "time" and "event_type" in columns else []
            column = of_order(columns[name], columns["basket"], *same)
            if name == "time" and "raw_time" in columns:  # a time that cannot be read is no gap
                column = column.set(columns["raw_time"].is_not_null(), None)
            if rows := columns[name].null_count() - column.null_count():
                said.note(
                    "orders", f"{rows:,} lines without {fields[name]} have that of their order {fields['basket']}"
                )
                filled[name] = column
    return filled
