"""Records that hold a list of items, as orders in JSON do: each item becomes a row."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from trajectory.data.ingest.columns.detect import LOG_NAMES, detect
from trajectory.data.ingest.findings import Findings
from trajectory.data.ingest.source.sources import Source


def with_lines(source: Source, said: Findings) -> Source:
    """The source with a row for each entry of its list of items, in records that name no item beside the list.

    A field "sku" of a list "order.lines" is that of the column "order.sku", one of a list "lines" that of "sku" where
    there is one, else a column "lines.sku". A source without such a list, or with several, comes back as it is.
    """
    table = source.table
    lists = {name: fields for name, kind in table.schema.items() if (fields := _fields(kind))}
    if len(lists) != 1:
        if lists:
            text = f"{' and '.join(lists)} hold lists of items, and are not read: write one row for each item"
            said.note("items", text, warning=True)
        return source
    ((name, fields),) = lists.items()
    within = name.rpartition(".")[0] + "." * ("." in name)
    item = detect([within + field for field in fields], {"item": tuple(within + word for word in LOG_NAMES["item"])})
    beside = item["item"] if item["item"] in table.columns else detect(table.columns, LOG_NAMES).get("item", "")
    alone = pl.col(beside).is_null() if beside else pl.lit(True)
    entries = pl.when(alone).then(pl.col(name)).otherwise(None)
    rows = (
        table.with_columns(entries.alias(name))
        .with_row_index("record")
        .explode(name, empty_as_null=True, keep_nulls=True)
    )
    filled = [_filled(table, name, within, field, kind) for field, kind in fields.items()]
    number = pl.int_range(pl.len()).over("record").alias(f"{name}.number")  # tells equal entries of a list apart
    record = rows["record"]
    rows = rows.with_columns(*filled, number).drop("record", name)
    said.note("items", f"{name} holds lists of items: each is a row, {rows.height:,} of {table.height:,} records")
    malformed, files = (
        None if column is None else column.gather(record) for column in (source.malformed, source.files)
    )
    lines = tuple(column.meta.output_name() for column in filled)
    return replace(source, table=rows, malformed=malformed, files=files, lines=lines)


def _filled(table: pl.DataFrame, name: str, within: str, field: str, kind: pl.DataType) -> pl.Expr:
    """A field of the entries, else the column of its name beside the list; as texts, where one of them is no number."""
    value, beside = pl.col(name).struct.field(field), within + field
    if beside not in table.columns:
        return value.alias(beside if within else f"{name}.{field}")
    numeric = kind.is_numeric() and table.schema[beside].is_numeric()
    both = [value, pl.col(beside)] if numeric else [value.cast(pl.String), pl.col(beside).cast(pl.String)]
    return pl.coalesce(both).alias(beside)


def _fields(kind: pl.DataType) -> dict[str, pl.DataType]:
    """The fields, with their types, of the entries of a list of records that name an item."""
    if not isinstance(kind, pl.List) or not isinstance(kind.inner, pl.Struct):
        return {}
    fields = {field.name: pl.Series(dtype=field.dtype).dtype for field in kind.inner.fields}
    return fields if "item" in detect(fields, {"item": LOG_NAMES["item"]}) else {}
