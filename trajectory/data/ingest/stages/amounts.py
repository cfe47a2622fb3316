"""Fourth stage: what it was worth, how many, which order, which rating or label; and what stands on one line of it."""

from __future__ import annotations

import polars as pl

from trajectory.data.ingest.cells.amounts import UNKNOWN, amounts, proven_mark
from trajectory.data.ingest.cells.distinct import apply_to_distinct
from trajectory.data.ingest.cells.parsing import ids, labels
from trajectory.data.ingest.columns.amounts import find_amounts
from trajectory.data.ingest.columns.decimal_marks import mark_of_names
from trajectory.data.ingest.columns.discounts import without_discount
from trajectory.data.ingest.columns.prices import row_values
from trajectory.data.ingest.columns.types import named_for_sales
from trajectory.data.ingest.quality.doubts import doubt_currencies, doubt_unread
from trajectory.data.ingest.sales.measures import in_pieces
from trajectory.data.ingest.sales.orders import fill_lines
from trajectory.data.ingest.sales.signs import with_signs
from trajectory.data.ingest.stages.reading import Reading

_UNREAD = {"quantity": "a sale there counts as one piece"}  # what is done where an amount cannot be read
_TELL_SALES = {"event_type", "rating", "quantity", "basket"}  # fields by which the type of all rows is known


def read_amounts(reading: Reading) -> None:
    """Adds value, quantity, rating, basket, label and `sold`, after looking for columns of them by what they hold."""
    columns, fields, data, said = reading.columns, reading.fields, reading.data, reading.said
    if not reading.known_layout and not reading.stepwise:
        find_amounts(reading.table, columns, fields, reading.found_by, data, said)
        if not reading.typed and not fields.keys() & _TELL_SALES and named_for_sales(reading.table, fields):
            columns["sold"] = reading.constant(True)
    columns |= _amounts(reading)
    if "basket" in fields:
        columns["basket"] = apply_to_distinct(ids, reading.table[fields["basket"]], said)
    if "label" in fields:
        columns["label"] = labels(reading.table[fields["label"]])
    columns |= fill_lines(columns, fields, said)


def _amounts(reading: Reading) -> dict[str, pl.Series]:
    """Value (of the whole row), quantity and rating."""
    table, fields, data, said = reading.table, reading.fields, reading.data, reading.said
    numbers = {field: table[fields[field]] for field in ("value", "quantity", "rating") if field in fields}
    likely = proven_mark([*numbers.values()]) or mark_of_names(table.columns)
    columns: dict[str, pl.Series] = {
        field: amounts(column, data.decimal, said, likely, _UNREAD.get(field, UNKNOWN))
        for field, column in numbers.items()
    }
    for field, column in numbers.items():
        doubt_unread(column, columns[field], field, data, said)
    if "value" in columns:
        doubt_currencies(table, {*fields.values()}, said)
    if not reading.known_layout or data.sign_of_sales != "auto":
        basket = {"basket": table[fields["basket"]]} if "basket" in fields else {}
        columns |= with_signs(reading.columns | columns | basket, fields, data, said)
    if "value" in columns and "quantity" in columns:
        value, quantity = columns["value"], columns["quantity"]
        columns["value"] = row_values(value, quantity, reading.columns["item"], fields["value"], data, said)
    if "value" in columns and "discount" in fields:
        discount, pieces, item = table[fields["discount"]], columns.get("quantity"), reading.columns["item"]
        columns["value"] = without_discount(columns["value"], discount, pieces, item, data, said)
    if "quantity" in columns:
        columns["quantity"] = in_pieces(
            columns["quantity"], reading.columns["item"], columns.get("value"), fields["quantity"], said
        )
    return columns
