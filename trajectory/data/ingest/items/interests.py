"""Which column groups the items into interests: said where there is one, proposed where there is none."""

from __future__ import annotations

import polars as pl

from trajectory.data.ingest.cells.parsing import is_text, numbers
from trajectory.data.ingest.columns.detect import ITEM_NAMES, detect, listing
from trajectory.data.ingest.findings import Findings
from trajectory.schema import UserError
from trajectory.settings import base

KEY = "item of the row"
_ROWS = 100_000  # looked at
_MOSTLY = 0.95


def say_interests(
    items: pl.DataFrame | None, columns: list[str], pairs: pl.DataFrame, wanted: str, said: Findings, once: bool
) -> None:
    """Says what the interests are. UserError if a column is asked for by hand that nothing has.

    `columns` are those of the source, `pairs` its rows with the item's id as `KEY`; `once`: each item has one row.
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
    # Where no item of a log comes twice, every column has one value an item.
    telling = once or pairs[KEY].n_unique() <= _MOSTLY * pairs.height
    groups = _groups(pairs) if telling else []
    text += f"; {' or '.join(groups)} could be them" if groups else ""
    setting = f"data.interest_column={groups[0] if groups else '...'}"
    said.note("interests", text, setting, warning=named or bool(groups))


def _groups(pairs: pl.DataFrame) -> list[str]:
    """Columns that could group the items: nearly each item has one value of it, and two at least are of several."""
    groups = []
    for column in pairs.drop(KEY):
        if (is_text(column) and not _measures(column)) or column.dtype.is_integer():
            distinct = pairs.select(KEY, column.name).drop_nulls().unique()
            values = distinct[column.name].value_counts(name="items")["items"]
            several = int((values > 1).sum()) > 1 and len(values) <= distinct.height / 2
            if several and distinct[KEY].n_unique() >= _MOSTLY * distinct.height:
                groups.append(column.name)
    return groups


def _measures(column: pl.Series) -> bool:
    """Whether cells are numbers with parts of one, as weights and prices are, which group nothing."""
    number = numbers(column).drop_nulls()
    return bool(number.is_not_nan().all() and (number != number.round()).any())
