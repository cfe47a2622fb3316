"""Large tables without a second copy of them in memory."""

from __future__ import annotations

import polars as pl

_ROWS = 1 << 22  # hashed at once: the table library copies what it hashes


def row_hashes(table: pl.DataFrame) -> pl.Series:
    """UInt64 over all cells of each row: among 10 million different rows, two agree with a chance of 3 in a million."""
    return pl.concat([table.slice(start, _ROWS).hash_rows() for start in range(0, table.height, _ROWS)])


def filtered(held: list[pl.DataFrame], mask: pl.Series) -> pl.DataFrame:
    """The marked rows of the one table in `held`, which is taken out: if nothing else holds it, each of its columns is
    given back to memory as soon as its rows are taken.
    """
    columns = held.pop().get_columns()[::-1]
    if mask.all():
        return pl.DataFrame(columns[::-1])
    kept = []
    while columns:
        kept.append(columns.pop().filter(mask))
    return pl.DataFrame(kept)
