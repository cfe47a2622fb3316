"""Records that hold a list of items, as orders in JSON do: each item becomes a row."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import polars as pl

from trajectory.data.ingest.columns.detect import BEHAVIOUR_NAMES, CONTENT_NAMES, LOG_NAMES, detect
from trajectory.data.ingest.findings import Findings
from trajectory.data.ingest.source.sources import Source

RECORD = "record"  # a column of the records' numbers
_ITEMS = {  # of a log whose items need no list
    "item": LOG_NAMES["item"],
    "behaviour": BEHAVIOUR_NAMES,
    "title": CONTENT_NAMES["title"],
    "label": LOG_NAMES["label"],
}


def with_lines(source: Source, by_hand: str, said: Findings) -> Source:
    """The source with a row for each entry of its list of items, in records that name no item beside the list.

    A field "sku" of a list "order.lines" is that of the column "order.sku", one of a list "lines" that of "sku" where
    there is one, else a column "lines.sku". `by_hand`: the column of the items that was asked for, perhaps of a list. A
    source without such a list, or with several, comes back as it is. Where no user is known, `RECORD` numbers records.
    """
    table = source.table
    records = {name: fields for name, kind in table.schema.items() if (fields := _fields(kind))}
    asked = {name: fields for name, fields in records.items() if by_hand in [_called(name, field) for field in fields]}
    lists = asked or {name: fields for name, fields in records.items() if _item_of(name, fields)}
    if not (lists or by_hand or detect(table.columns, _ITEMS)) and len(records) == 1:
        lists = records  # whose fields then can be named
    if len(lists) != 1:
        if lists:
            text = f"{' and '.join(lists)} hold lists of items, and are not read: write one row for each item"
            said.note("items", text, warning=True)
        return source
    ((name, fields),) = lists.items()
    within = _within(name)
    item = by_hand if asked else _item_of(name, fields)
    named = "" if asked else detect(table.columns, LOG_NAMES).get("item", "")
    beside = item if item in table.columns else named
    alone = pl.col(beside).is_null() if beside else pl.lit(True)
    entries = pl.when(alone).then(pl.col(name)).otherwise(None)
    rows = (
        table.with_columns(entries.alias(name))
        .with_row_index("record")
        .explode(name, empty_as_null=True, keep_nulls=True)
    )
    filled = [_filled(table, name, within, field, kind) for field, kind in fields.items()]
    number = pl.int_range(pl.len()).over("record").alias(place := f"{name}.number")  # tells equal entries apart
    record = rows["record"]
    rows = rows.with_columns(*filled, number).drop("record", name)
    if "user" not in detect(rows.columns, {"user": LOG_NAMES["user"]}) and RECORD not in rows.columns:
        rows = rows.with_columns((record + 1).alias(RECORD))  # who it is of, perhaps
    said.note("items", f"{name} holds lists of items: each is a row, {rows.height:,} of {table.height:,} records")
    malformed, files = (
        None if column is None else column.gather(record) for column in (source.malformed, source.files)
    )
    lines = tuple(column.meta.output_name() for column in filled)
    return replace(source, table=rows, malformed=malformed, files=files, lines=lines, place=place)


def _within(name: str) -> str:
    """The record, with its dot, that a list lies in."""
    return name.rpartition(".")[0] + "." * ("." in name)


def _called(name: str, field: str) -> str:
    """The column of a field of the entries of a list."""
    return _within(name) + field if _within(name) else f"{name}.{field}"


def _item_of(name: str, fields: Iterable[str]) -> str:
    """The item of the entries of a list, as a column beside the list would be called; "" where none is named so."""
    within = _within(name)
    words = {"item": tuple(within + word for word in LOG_NAMES["item"])}
    return detect([within + field for field in fields], words).get("item", "")


def _filled(table: pl.DataFrame, name: str, within: str, field: str, kind: pl.DataType) -> pl.Expr:
    """A field of the entries, else the column of its name beside the list; as texts, where one of them is no number."""
    value, beside = pl.col(name).struct.field(field), within + field
    if beside not in table.columns:
        return value.alias(_called(name, field))
    numeric = kind.is_numeric() and table.schema[beside].is_numeric()
    both = [value, pl.col(beside)] if numeric else [value.cast(pl.String), pl.col(beside).cast(pl.String)]
    return pl.coalesce(both).alias(beside)


def _fields(kind: pl.DataType) -> dict[str, pl.DataType]:
    """The fields, with their types, of the entries of a list of records."""
    if not isinstance(kind, pl.List) or not isinstance(kind.inner, pl.Struct):
        return {}
    return {field.name: pl.Series(dtype=field.dtype).dtype for field in kind.inner.fields}
