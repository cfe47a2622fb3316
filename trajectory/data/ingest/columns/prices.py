"""Whether the money of a row is the price of one piece or the sum of the row: what it does as quantities differ."""

from __future__ import annotations

import polars as pl
from ml_collections import ConfigDict

from trajectory.data.ingest.columns.detect import LOG_NAMES, is_unit_price, matching
from trajectory.data.ingest.columns.name_words import has_word
from trajectory.data.ingest.findings import Findings
from trajectory.schema import UserError

OF = ("auto", "unit", "row")
_PRICES = ("price", "unit", "each", "preis", "prix", "precio", "preço", "preco", "prezzo", "prijs", "cena", "цена",
           "fiyat", "가격", "価格", "単価", "价格", "单价")  # fmt: skip
_SUMS = ("total", "subtotal", "sum", "line", "row", "extended", "ext", "paid", "gesamt", "gesamtpreis")
_ROWS = 200_000  # looked at
_PAIRS = 20  # rows of items sold in several quantities, below which the name of the column decides
_CLEAR = 2.0  # times as steady as the other reading


def row_values(
    value: pl.Series, quantity: pl.Series, item: pl.Series, name: str, data: ConfigDict, said: Findings
) -> pl.Series:
    """The sum of each row: the value itself, or times the quantity (1 where unknown) if it is the price of one piece.

    `data.value_of` decides, else the rows of items that are sold in several quantities: a price stays the same, a sum
    grows. Where they do not tell, the column's name does. UserError for an unknown `data.value_of`.
    """
    if data.value_of not in OF:
        raise UserError(f"data.value_of={data.value_of!r} is unknown; expected one of {', '.join(OF)}")
    by_name = is_price(name)
    told, how = by_content(value, quantity, item), "as prices of items sold in several quantities tell"
    unit = data.value_of == "unit" if data.value_of != "auto" else by_name if told is None else told
    if data.value_of != "auto":
        how = "set by hand"
    elif told is None:
        how = "by its name"
    text = f"{name} is {'the price of one piece, times the quantity' if unit else 'the sum of the row'}, {how}"
    if data.value_of != "auto" and told not in (None, unit):
        other = "the price" if told else "the sum"
        text += f", though prices of items sold in several quantities tell that it is {other}"
    surprising = told is not None and told != (by_name if data.value_of == "auto" else unit)
    said.note("value", text, f"data.value_of={'row' if unit else 'unit'}", warning=surprising)
    return value * quantity.fill_null(1.0) if unit else value


def is_price(name: str) -> bool:
    """Whether a column is called so for the price of one piece: by a common name, else by its words."""
    if matching([name], LOG_NAMES["value"]):
        return is_unit_price(name)
    return has_word(name, _PRICES) and not has_word(name, _SUMS)


def by_content(value: pl.Series, quantity: pl.Series, item: pl.Series) -> bool | None:
    """True: prices of a piece; False: sums; None: the rows do not tell."""
    rows = pl.DataFrame({"item": item, "value": value.abs(), "pieces": quantity.abs()}).head(_ROWS)
    rows = rows.filter((pl.col("value") > 0) & pl.col("value").is_finite() & (pl.col("pieces") > 0))
    rows = rows.filter(pl.col("pieces").n_unique().over("item") > 1)
    if rows.height < _PAIRS:
        return None
    # How much each reading's price of a piece differs within an item: mean absolute difference of logarithms.
    price, divided = pl.col("value").log(), (pl.col("value") / pl.col("pieces")).log()
    spread = rows.select(
        unit=(price - price.median().over("item")).abs().mean(),
        row=(divided - divided.median().over("item")).abs().mean(),
    )
    unit, row = spread.row(0)
    if max(unit, row) == 0 or max(unit, row) < _CLEAR * min(unit, row):
        return None
    return bool(unit < row)
