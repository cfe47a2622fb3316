"""Whether the money of a line is that of its whole order, which each line of the order repeats."""

from __future__ import annotations

import polars as pl

from trajectory.data.ingest.columns.detect import LOG_NAMES, NONE, detect
from trajectory.data.ingest.findings import Findings

_ORDERS = 10  # of several items, below which nothing is concluded
_AMOUNTS = 5  # different ones among them at least: a shop may have one price
_ROWS = 200_000  # looked at


def without_totals(
    table: pl.DataFrame, fields: dict[str, str], by_hand: str, decided: set[str], said: Findings
) -> dict[str, str]:
    """The fields with a value that is the line's own, or with none, where the one that was found is the whole order's.

    `by_hand`: the column that was asked for, which stays; `decided`: columns that mean something else. It is an order's
    where all lines of all orders of several different items state the same.
    """
    name = fields.get("value", "")
    if not name or name == NONE or "basket" not in fields or "item" not in fields:
        return fields
    if by_hand:
        if repeats(table, fields, name):
            text = f"{name} is the same on all lines of an order, and counts for each: is it of the whole order?"
            said.note("value", text, "data.columns.value=-", warning=True)
        return fields
    free, own = [column for column in table.columns if column not in {*fields.values(), *decided}], name
    while own and repeats(table, fields, own):
        free = [column for column in free if column != own]
        own = detect(free, {"value": LOG_NAMES["value"]}).get("value", "")
    if own == name:
        return fields
    text = f"{name} is the same on all lines of an order, so it is the whole order's and not read"
    if own:
        said.note("value", f"{text}; {own} is", f"data.columns.value={name} reads it", warning=True)
        return fields | {"value": own}
    said.note(
        "value", f"{text}: sales have no value", f"data.columns.value={name} reads it for each line", warning=True
    )
    return {field: column for field, column in fields.items() if field != "value"}


def repeats(table: pl.DataFrame, fields: dict[str, str], column: str) -> bool:
    """Whether all lines of all orders of several different items state the same in a column."""
    rows = table.head(_ROWS).select(basket=fields["basket"], item=fields["item"], value=column).drop_nulls()
    orders = rows.group_by("basket").agg(
        pl.col("value").first(), items=pl.col("item").n_unique(), values=pl.col("value").n_unique()
    )
    orders = orders.filter(pl.col("items") > 1)
    enough = orders.height >= _ORDERS and orders["value"].n_unique() >= _AMOUNTS
    return enough and bool((orders["values"] == 1).all())
