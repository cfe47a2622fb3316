"""Whether a column that is called item or order numbers the rows, where one of items or orders lies beside it."""

from __future__ import annotations

import polars as pl

from trajectory.data.ingest.columns.detect import LOG_NAMES, NONE, matching
from trajectory.data.ingest.findings import Findings

LINES, NEW = 50, 0.95  # rows from which, and share of them that are new ids above which, items look like lines
_LOOKED_AT = 100_000  # rows


def without_line_numbers(
    table: pl.DataFrame, fields: dict[str, str], by_hand: dict[str, str], said: Findings
) -> dict[str, str]:
    """The fields with other columns of orders and items, where those that were found number the rows of the log or the
    lines of an order, and these do not. `by_hand`: the columns that were asked for, which stay.
    """
    for field, what in (("basket", "order"), ("item", "item")):
        name = fields.get(field, "")
        if by_hand[field] or name in ("", NONE) or table[name].dtype.is_nested() or table[name].count() < LINES:
            continue
        lines = "the rows" if _all_new(table[name]) else ""
        if field == "item" and not lines and _of_orders(table, name, fields.get("basket", "")):
            lines = "the lines of an order"
        others = [other for other in matching(table.columns, LOG_NAMES[field]) if other not in fields.values()]
        better = next((other for other in others if lines and _repeats(table[other], table[name].count())), "")
        if better:
            other = f"{better} ({table[better].n_unique():,} values)"
            text = f"{other} is read as the {what}, not {name}, which numbers {lines}"
            said.note("items" if field == "item" else "basket", text, f"data.columns.{field}={name}", warning=True)
            fields = fields | {field: better}
        elif lines == "the lines of an order":
            text = f"{name} is read as the item, and looks like numbers of {lines}: 1, 2, 3 ..."
            said.note("items", text, "data.columns.item=COLUMN of the items", warning=True)
    return fields


def _all_new(column: pl.Series) -> bool:
    return column.n_unique() >= NEW * column.count()


def _repeats(column: pl.Series, rows: int) -> bool:
    filled = column.drop_nulls()
    return not column.dtype.is_nested() and 2 * len(filled) >= rows and 1 < filled.n_unique() < NEW * len(filled)


def _of_orders(table: pl.DataFrame, name: str, basket: str) -> bool:
    """Whether a column counts 1, 2, 3 ... within each order, as often as there are lines."""
    if basket in ("", NONE) or basket not in table.columns or table[basket].dtype.is_nested():
        return False
    head = table.head(_LOOKED_AT).select(order=basket, line=pl.col(name).cast(pl.String)).drop_nulls()
    count = pl.int_range(1, pl.len() + 1).over("order").cast(pl.String)
    as_counted = head.select((pl.col("line") == count).mean()).item()
    return bool(head.height and as_counted >= NEW and head["line"].n_unique() > 1)
