"""What a column of discounts takes off the value of a row: money of the row or of each piece, or a share of it."""

from __future__ import annotations

import polars as pl
from ml_collections import ConfigDict

from trajectory.data.ingest.cells.amounts import amounts
from trajectory.data.ingest.cells.parsing import is_text, texts
from trajectory.data.ingest.columns.name_words import has_word
from trajectory.data.ingest.columns.prices import by_content
from trajectory.data.ingest.findings import Findings
from trajectory.schema import UserError

OF = ("auto", "unit", "row", "share")
# fmt: off
SHARES = ("percent", "percentage", "pct", "rate", "prozent", "prozentsatz", "pourcentage", "taux", "porcentaje",
          "porcentagem", "percentuale", "procent", "procento", "процент", "yüzde", "oranı", "率", "パーセント",
          "퍼센트", "할인율", "比例", "persen", "phần trăm")
_PIECES = ("unit", "piece", "each", "per", "pc", "stück", "einzel", "unitaire", "pièce", "unitario", "unidad",
           "unitário", "unidade", "pezzo", "stuk", "jednostkowy", "sztukę", "kus", "штуку", "единицу", "birim", "adet",
           "単位", "個", "개당", "每件", "单件", "satuan")
# fmt: on
_PERCENT = 100.0


def without_discount(
    value: pl.Series, column: pl.Series, quantity: pl.Series | None, item: pl.Series, data: ConfigDict, said: Findings
) -> pl.Series:
    """The values of rows, of sales or returns, nearer to 0 by what the column says, whatever its sign.

    `data.discount_of` says what it is of, else its name and cells; then whether it is of a row or of each piece is told
    by the rows of items sold in several quantities, as with prices, else by the name. Asked where neither tells.
    """
    if data.discount_of not in OF:
        raise UserError(f"data.discount_of={data.discount_of!r} is unknown; expected one of {', '.join(OF)}")
    signed = percents(column, data.decimal, said)
    discount = (amounts(column, data.decimal, said) if signed is None else signed).fill_null(0.0).abs()
    of, how, sure = _told(discount, value, quantity, item) if signed is None else ("share", "as its cells say %", True)
    if data.discount_of != "auto":
        of, how, sure = data.discount_of, "set by hand", True
    name, off = column.name, "is taken off the value of"
    if of == "share":
        parts = signed is None and bool((discount <= 1).all())
        said.note("value", f"{name} is a share{'' if parts else ' of 100'} that {off} each row, {how}", _setting("row"))
        return value * (1 - (discount if parts else discount / _PERCENT))
    whole = f"{name} is an amount that {off} each {'row' if of == 'row' else 'piece'}, {how}"
    other = "unit" if of == "row" else "row"
    said.note("value", whole + ("" if sure else f": or of each {'piece' if of == 'row' else 'row'}?"), _setting(other),
              warning=not sure)  # fmt: skip
    pieces = quantity.fill_null(1.0).abs() if of == "unit" and quantity is not None else 1.0
    return value - value.sign() * discount * pieces


def percents(column: pl.Series, decimal: str, said: Findings) -> pl.Series | None:
    """The numbers of a column whose cells, where filled, mostly end in a sign of per cent; None of another column."""
    text = texts(column) if is_text(column) else column.head(0).cast(pl.String)
    signed = text.str.contains(r"[%％٪]\s*$")
    if 2 * int(signed.sum()) <= text.count() or not signed.any():
        return None
    return amounts(text.str.replace(r"\s*[%％٪]\s*$", "").alias(column.name), decimal, said)


def _told(discount: pl.Series, value: pl.Series, quantity: pl.Series | None, item: pl.Series) -> tuple[str, str, bool]:
    """What the discounts are of, how that is told, and whether it is sure."""
    name = discount.name
    if (discount <= 1).all() and (discount != discount.round()).any():
        return "share", "as all are at most 1", True
    if has_word(name, SHARES) or "%" in name:
        return "share", "by its name", True
    if quantity is None or not ((quantity.abs() > 1) & (discount > 0)).any():
        return "row", "as no row has several pieces", True
    shares = discount / (value / quantity).abs()
    alike = pl.repeat(0, len(value), eager=True)
    for amount, group in ((discount, item), (shares, alike)):
        told = by_content(amount, quantity, group)
        if told is not None:
            return ("unit" if told else "row"), "as rows of several quantities tell", True
    return ("unit", "by its name", True) if has_word(name, _PIECES) else ("row", "by its name", False)


def _setting(other: str) -> str:
    return f"data.discount_of={other}, data.columns.discount=- for none"
