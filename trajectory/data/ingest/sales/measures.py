"""What is sold by weight, volume or length: its quantity is no number of pieces, so that a sale of it is one piece."""

from __future__ import annotations

import polars as pl

from trajectory.data.ingest.findings import Findings

MANY = 100  # pieces of one line that are rarely bought at once
ROUND = 10  # of which large orders of pieces are mostly multiples
TIMES = 100  # the usual quantity of an item: a line of so much more that is no round number is of another unit
COIN = 0.005  # of money: a piece costs more
MOST = 0.5  # of an item's lines


def in_pieces(quantity: pl.Series, item: pl.Series, value: pl.Series | None, name: str, said: Findings) -> pl.Series:
    """Quantities [rows] in which a sale of what is sold by measure is one piece (a return one less); says of what.

    By measure are items whose quantities are mostly fractions (0.755 kg), or mostly at least MANY and no round numbers
    (10,846 thousandths of a gallon), and single lines of at least MANY that are TIMES as much as is usual of the
    item and no round number, or cost less than a COIN each by the `value` of the row.
    """
    rows = pl.DataFrame({"item": item, "quantity": quantity.cast(pl.Float64)}).with_row_index("row")
    size, known = pl.col("quantity").abs(), pl.col("quantity").is_not_null()
    odd = known & (size >= MANY) & (size % ROUND != 0)
    usual = size.filter(known).median().over("item")
    mostly = ((known & (size != size.round())) | odd).sum().over("item") > MOST * known.sum().over("item")
    cheap = pl.lit(False)
    if value is not None:
        rows = rows.with_columns(value=value.cast(pl.Float64).abs())
        cheap = (size >= MANY) & (pl.col("value") > 0) & (pl.col("value") < COIN * size)
    by_measure = known & (size > 0) & (mostly | (odd & (size >= TIMES * usual)) | cheap.fill_null(False))
    of = rows.filter(pl.col("item").is_not_null()).filter(by_measure)
    if of.is_empty():
        return quantity
    first = of.group_by("item").agg(pl.len(), pl.col("quantity").first()).sort("len", "item", descending=[True, False])
    shown = ", ".join(f"{one} {amount:,.6g}" for one, _, amount in first.head(3).iter_rows())
    items = "1 item is" if first.height == 1 else f"{first.height:,} items are"
    said.note(
        "sales",
        f"{items} sold by measure in {of.height:,} rows ({name} of {shown}): a sale of it counts as one piece",
        "data.columns.quantity=- counts each row as one piece",
    )
    joined = rows.join(of.select("row", one=pl.col("quantity").sign()), on="row", how="left", maintain_order="left")
    return joined.select(pl.coalesce("one", "quantity").alias(quantity.name)).to_series()
