"""Columns of categories, as large tables have texts, worked out once for each distinct text."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl

from trajectory.data.ingest.findings import Findings


def distinct_texts(column: pl.Series) -> tuple[pl.Series, pl.Series]:
    """The distinct texts of a column of categories, as String in their first order, and each row's place there."""
    distinct = column.unique(maintain_order=True)
    code = distinct.to_physical()
    size = int(code.drop_nulls().to_numpy().max(initial=0)) + 1
    place = np.zeros(size + 1, np.uint32)
    place[code.fill_null(size).to_numpy()] = np.arange(len(code), dtype=np.uint32)
    rows = column.to_physical().fill_null(size)
    return distinct.cast(pl.String), pl.Series(place[rows.to_numpy()])


def apply_to_distinct(
    function: Callable[[pl.Series, Findings], pl.Series], column: pl.Series, said: Findings
) -> pl.Series:
    """`function` of the column and `said`, by distinct text where the column holds categories; texts stay categories.

    What is said counts rows: where there is something to say, the function is asked for all of them.
    """
    if not isinstance(column.dtype, pl.Categorical):
        return function(column, said)
    trial = Findings()
    distinct, rows = distinct_texts(column)
    result = function(distinct, trial)
    silent = trial == Findings()
    if not silent:
        result = function(column.cast(pl.String), said)
    if result.dtype == pl.String:
        result = result.cast(pl.Categorical(pl.Categories.random()))
    return result.gather(rows) if silent else result
