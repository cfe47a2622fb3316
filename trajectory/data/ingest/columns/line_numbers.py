"""Whether a column that is called item numbers the rows, where a column of items lies beside it."""

from __future__ import annotations

import polars as pl

from trajectory.data.ingest.columns.detect import LOG_NAMES, matching
from trajectory.data.ingest.findings import Findings

LINES, NEW = 50, 0.95  # rows from which, and share of them that are new ids above which, items look like lines


def without_line_numbers(table: pl.DataFrame, fields: dict[str, str], by_hand: str, said: Findings) -> dict[str, str]:
    """The fields with another column of items, where the one that was found is new in nearly every row and that is not.
    `by_hand`: the column that was asked for, which stays.
    """
    name = fields.get("item", "")
    if by_hand or not name or table[name].dtype.is_nested():
        return fields
    rows, distinct = table[name].count(), table[name].n_unique()
    if rows < LINES or distinct < NEW * rows:
        return fields
    beside = [other for other in matching(table.columns, LOG_NAMES["item"]) if other not in fields.values()]
    plain = [table[other].drop_nulls() for other in beside if not table[other].dtype.is_nested()]
    items = [other for other in plain if 2 * len(other) >= rows and 1 < other.n_unique() < NEW * len(other)]
    if not items:
        return fields
    text = f"{items[0].name} ({items[0].n_unique():,} values) is read as the item, not {name}, which numbers the rows"
    said.note("items", text, f"data.columns.item={name}", warning=True)
    return fields | {"item": items[0].name}
