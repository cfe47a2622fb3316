"""Text files that are no plain tables: a record a line that holds lists, and lines in which quotes mean nothing."""

from __future__ import annotations

import ast
import itertools
import json
from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from trajectory.data.files import columnar
from trajectory.data.files.files import Part
from trajectory.data.files.lines import Text
from trajectory.data.files.table import Layout, read_head
from trajectory.data.ingest.cells.parsing import whole_numbers
from trajectory.schema import UserError


def records(part: Part, schema: Mapping[str, Any], explode: str = "", entry: str = "") -> pl.DataFrame:
    """The keys of `schema` of each record, texts in whatever type they are written.

    `explode`: a list of records, of which each entry becomes a row, and `entry`: as in `exploded`.
    A line that is no record becomes a row of nulls, with its text in the column `malformed`.
    """
    tables = _of_parquet(part, schema) if read_head(part, Layout()).kind == "parquet" else _of_lines(part, schema)
    if explode:
        tables = (exploded(table, explode, entry) for table in tables)
    return pl.concat(tables, how="diagonal")


def _of_lines(part: Part, schema: Mapping[str, Any]) -> Iterator[pl.DataFrame]:
    for block in _by_line(part):
        try:
            yield pl.read_ndjson(block, schema=dict(schema), ignore_errors=True)
        except pl.exceptions.ComputeError:  # a line is no JSON: one by one, ten times slower
            yield _one_by_one(block.decode(), schema)


def _of_parquet(part: Part, schema: Mapping[str, Any]) -> Iterator[pl.DataFrame]:
    """Columns and fields that a file lacks are null, others are brought to the types of the schema."""
    for table in columnar.blocks(part, False, lambda names: [name for name in names if name in schema]):
        yield table.select(
            _as(pl.col(name) if name in table.columns else pl.lit(None), table.schema.get(name), kind).alias(name)
            for name, kind in schema.items()
        )


def _as(value: pl.Expr, have: Any, want: Any) -> pl.Expr:
    if isinstance(have, pl.List) and isinstance(want, pl.List):
        return value.list.eval(_as(pl.element(), have.inner, want.inner))
    if isinstance(have, pl.Struct) and isinstance(want, pl.Struct):
        fields = {field.name: field.dtype for field in have.fields}
        return pl.struct(
            _as(
                value.struct.field(field.name) if field.name in fields else pl.lit(None),
                fields.get(field.name),
                field.dtype,
            ).alias(field.name)
            for field in want.fields
        )
    return value.cast(want, strict=False)


def exploded(table: pl.DataFrame, name: str, entry: str = "") -> pl.DataFrame:
    """A row for each entry of a list of records, with its fields; a row without any stays one row.

    `entry`: a column for the number of each in its list, which tells equal entries from a record that is there twice.
    """
    rows = table.with_row_index("record").explode(name, empty_as_null=True, keep_nulls=True).unnest(name)
    if entry:
        rows = rows.with_columns(pl.int_range(pl.len()).over("record").alias(entry))
    return rows.drop("record")


def unquoted(part: Part, header: tuple[str, ...], separator: str, encoding: str) -> pl.DataFrame:
    """The cells between separators, whatever quotes they hold; lines of another width are `malformed`."""
    tables = []
    for block in Text(part, encoding).blocks():
        lines = pl.Series("malformed", block.decode().split("\n")[:-1])
        cells = lines.filter(lines.str.strip_chars() != "").str.split(separator)
        whole = cells.list.len() == len(header)
        text = cells.list.join(separator)
        columns = [cells.list.get(i, null_on_oob=True).set(~whole, None).alias(name) for i, name in enumerate(header)]
        tables.append(pl.DataFrame([*columns, text.set(whole, None).alias("malformed")]))
    table = pl.concat(tables)
    if not table["malformed"].count():
        table = table.drop("malformed")
    return table.with_columns(whole_numbers(column) for column in table if column.name != "malformed")


def _by_line(part: Part) -> Iterator[bytes]:
    """Blocks of a record a line; one that is an array as a whole is taken apart."""
    blocks = Text(part).blocks()
    first = next(blocks)
    if first.lstrip().startswith(b"["):
        try:
            array = json.loads(b"".join([first, *blocks]))
        except (ValueError, RecursionError) as error:
            raise UserError(f"{part.name} is damaged JSON ({error}); write it again") from None
        first, blocks = "".join(json.dumps(record) + "\n" for record in array).encode(), iter(())
    yield from itertools.chain([first], blocks)


def _one_by_one(text: str, schema: Mapping[str, Any]) -> pl.DataFrame:
    columns: dict[str, list[Any]] = {key: [] for key in schema}
    malformed: list[str | None] = []
    for line in filter(str.strip, text.split("\n")):
        record = _record(line)
        malformed.append(line if record is None else None)
        for key, dtype in schema.items():
            value = (record or {}).get(key)
            columns[key].append(str(value) if dtype == pl.String and value is not None else value)
    table = pl.DataFrame(columns, schema=dict(schema), strict=False)
    return table.with_columns(malformed=pl.Series(malformed, dtype=pl.String)) if any(malformed) else table


def _record(line: str) -> dict[str, Any] | None:
    """Of a line in JSON, or in Python as {'user': 'a'} is; None if it is neither."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        try:
            record = ast.literal_eval(line)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return None
    return record if isinstance(record, dict) else None
