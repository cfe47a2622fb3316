"""Tables inside a page: small enough to be sent, whole, and read by the page itself (pages/tables.js)."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

import polars as pl

AFTER, SMALL = 2, 3  # digits after the point; of numbers below 1 significant ones
FEW = 0.5  # of the rows: so many different texts at most are stored once each


def packed(table: pl.DataFrame) -> str:
    """The table as base64 of gzip of JSON, the same for the same table: names, and for each column its values or, of
    texts that come again, the different ones (words) and the number of each row's (at).
    """
    columns = [_column(column) for column in table]
    text = json.dumps({"names": table.columns, "rows": table.height, "columns": columns}, ensure_ascii=False)
    return base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()


def flat(table: pl.DataFrame) -> pl.DataFrame:
    """The table with the texts of a list in one cell, as a spreadsheet has them."""
    return table.with_columns(
        pl.col(name).cast(pl.List(pl.String)).list.join("; ")
        for name, kind in table.schema.items()
        if isinstance(kind, pl.List)
    )


def _column(column: pl.Series) -> dict[str, Any]:
    if column.dtype.is_float():
        small = column.abs() < 1
        rounded = column.round_sig_figs(SMALL).zip_with(small.fill_null(True), column.round(AFTER)).fill_nan(None)
        return {"values": [int(one) if one is not None and one == int(one) else one for one in rounded]}
    if column.dtype.is_integer() or column.dtype == pl.Boolean:
        return {"values": column.to_list()}
    texts = column.cast(pl.String)
    words = texts.drop_nulls().unique().sort()
    if len(words) > FEW * len(texts):
        return {"values": texts.to_list()}
    at = texts.replace_strict(words, pl.int_range(len(words), eager=True), return_dtype=pl.Int64)
    return {"words": words.to_list(), "at": at.to_list()}
