"""Which column groups the items into interests: said where there is one, proposed where there is none."""

from __future__ import annotations

import polars as pl

from trajectory.data.ingest.cells.parsing import is_text
from trajectory.data.ingest.columns.detect import ITEM_NAMES, detect, listing
from trajectory.data.ingest.findings import Findings
from trajectory.schema import UserError
from trajectory.settings import base

KEY = "item of the row"
_ROWS = 100_000  # looked at
_MOSTLY = 0.95


def say_interests(
    items: pl.DataFrame | None, columns: list[str], pairs: pl.DataFrame, wanted: str, said: Findings
) -> None:
    """Says what the interests are. UserError if a column is asked for by hand that nothing has.

    `columns` are those of the source, `pairs` its rows with the item's id as `KEY`.
    """
    named = items is not None and wanted in items.columns
    if items is not None and named:
        column = detect(columns, {wanted: ITEM_NAMES.get(wanted, ())}).get(wanted, wanted)
        kinds = items[wanted].drop_nulls().n_unique()
        if kinds != 1:
            said.note("interests", f"{kinds:,} values of {column}", "data.interest_column")
            return
        text = f"{column} is the same for all items, so interests tell nothing"
    elif wanted != base().data.interest_column:
        raise UserError(
            f"data.interest_column={wanted!r} is no column of the items; set it to one of {listing(columns)}"
        )
    else:
        text = f"none: no column is named like {wanted!r}"
    pairs = pairs.head(_ROWS)
    repeated = pairs[KEY].n_unique() <= _MOSTLY * pairs.height  # else every column has one value an item
    groups = _groups(pairs) if repeated else []
    text += f"; {' or '.join(groups)} could be them" if groups else ""
    setting = f"data.interest_column={groups[0] if groups else '...'}"
    said.note("interests", text, setting, warning=named or bool(groups))


def _groups(pairs: pl.DataFrame) -> list[str]:
    """Columns that could group the items: nearly each item has one value of it, and two at least are of several."""
    groups = []
    for column in pairs.drop(KEY):
        if is_text(column) or column.dtype.is_integer():
            distinct = pairs.select(KEY, column.name).drop_nulls().unique()
            values = distinct[column.name].value_counts(name="items")["items"]
            several = int((values > 1).sum()) > 1 and len(values) <= distinct.height / 2
            if several and distinct[KEY].n_unique() >= _MOSTLY * distinct.height:
                groups.append(column.name)
    return groups
