"""A delimited text file -> blocks of a table, and the text of each row whose cells cannot be told apart."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from operator import or_

import polars as pl

from trajectory.data.files.columnar import wanted
from trajectory.data.files.dialect import Dialect
from trajectory.data.files.lines import Text
from trajectory.data.files.records import Records, Shape, split
from trajectory.data.files.stack import Keep
from trajectory.data.ingest.cells.parsing import blank

# First bytes that polars would take for packed data and unpack: an x before a separator, such as x^.
_PACKED = (b"x\x01", b"x^")
_BEYOND = "\x00beyond"  # cells after those that have a name


def blocks(text: Text, dialect: Dialect, keep: Keep | None = None) -> Iterator[tuple[pl.DataFrame, dict[int, str]]]:
    """Tables of String cells, null in malformed rows; and row of the block -> text, of the malformed ones."""
    names = list(dialect.names)
    shape = Shape(dialect.separator, len(names), dialect.width, dialect.header)
    chosen = wanted(names, keep)
    skip, rest = dialect.start, b""
    for block in text.blocks():
        records = split(rest + block[skip:] if rest or skip else block, shape, final=False)
        skip, rest = max(0, skip - len(block)), records.rest
        yield _table(records, names, chosen, dialect.width)
    if rest:
        yield _table(split(rest, shape), names, chosen, dialect.width)


def without_blank(table: pl.DataFrame, bad: dict[int, str]) -> tuple[pl.DataFrame, dict[int, str], int]:
    """A block and its malformed rows without rows none of whose cells says anything, and how many these are."""
    if not table.width or not (empty := blank(table.to_series(0))).any():
        return table, bad, 0
    for column in table.get_columns()[1:]:
        empty &= blank(column)
    empty = empty.scatter([*bad], False) if bad else empty
    if not (rows := int(empty.sum())):
        return table, bad, 0
    before = empty.cum_sum()
    return table.filter(~empty), {row - before[row]: text for row, text in bad.items()}, rows


def _table(records: Records, names: list[str], chosen: list[str], width: int) -> tuple[pl.DataFrame, dict[int, str]]:
    beyond = [f"{_BEYOND}{i}" for i in range(width - len(names))]
    columns = [*chosen, *beyond]
    numbered = {name: f"column_{i}" for i, name in enumerate([*names, *beyond], start=1)}  # as the parser wants them
    table, bad = pl.DataFrame(schema=dict.fromkeys(columns, pl.String)), records.bad
    if records.good:
        packed = records.good.startswith(_PACKED)
        table = pl.read_csv(
            b"\n" + records.good if packed else records.good,
            skip_lines=int(packed),
            has_header=False,
            separator=records.separator,
            schema=dict.fromkeys(numbered.values(), pl.String),
            columns=[numbered[name] for name in columns],
            quote_char='"' if b'"' in records.good else None,
        ).rename({numbered[name]: name for name in columns})
    if table.height != records.rows - len(bad):
        raise RuntimeError(f"{table.height} rows read + {len(bad)} malformed != {records.rows} in the text")
    if bad:
        row = pl.Series(range(records.rows))
        good = row.set(row.is_in(list(bad)), None).is_not_null()
        table = table.select(pl.all().gather((good.cum_sum() - 1).cast(pl.UInt32).set(~good, None)))
    if beyond:
        full = reduce(or_, (table[name].str.strip_chars().fill_null("") != "" for name in beyond))
        if full.any():
            cells = table.select(pl.concat_str(pl.all().fill_null(""), separator=records.separator)).to_series()
            bad = bad | {row: cells[row] for row in full.arg_true().to_list()}
            table = table.with_columns(pl.when(~full).then(pl.all()))
        table = table.select(chosen)
    return table, bad
