"""Large tables without a second copy of them in memory."""

from __future__ import annotations

import polars as pl


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
