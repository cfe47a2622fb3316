"""Money that was given back for a sale, in a column of its own beside its value: taken off it."""

from __future__ import annotations

import polars as pl
from ml_collections import ConfigDict

from trajectory.data.ingest.cells.amounts import amounts
from trajectory.data.ingest.cells.parsing import mostly_numeric, yes_or_no
from trajectory.data.ingest.columns.name_words import has_word, name_words
from trajectory.data.ingest.findings import Findings
from trajectory.data.ingest.sales.undone_dates import of_whole_orders, tells_of_return
from trajectory.data.ingest.word_lists import NOT

# fmt: off
MONEY = ("amount", "amt", "total", "value", "sum", "price", "money", "revenue", "betrag", "summe", "wert", "montant",
          "importe", "monto", "valor", "importo", "bedrag", "kwota", "wartość", "сумма", "tutar", "金额",
          "金額", "금액")
_OTHER = ("tax", "vat", "shipping", "delivery", "fee", "fees", "discount", "tip", "count", "number", "qty", "quantity",
          "units", "id", "date", "time", "policy", "max", "rate", "percent", "pct", "points", "currency", "reason")
# fmt: on
_ALONE = {"refund", "refunds", "refunded"}
_CENT = 0.005  # half of it: what amounts are rounded to
_SOME = 0.01  # of the refunds, above which more than a line's value is no accident


def of_refunds(table: pl.DataFrame, free: list[str]) -> list[str]:
    """The columns of money that was given back, by their names."""

    def is_one(name: str) -> bool:
        alone = bool(name_words(name)) and {*name_words(name)} <= _ALONE and yes_or_no(table[name]) is None
        money = tells_of_return(name) and has_word(name, MONEY) and not has_word(name, _OTHER)
        return (alone or money) and mostly_numeric(table[name])

    return [name for name in free if is_one(name)]


def without_refunds(
    column: pl.Series, sale: pl.Series, columns: dict[str, pl.Series], by_hand: bool, data: ConfigDict, said: Findings
) -> dict[str, pl.Series]:
    """`value` without the money of `column` that was given back, and `void`: sales of which nothing is left.

    `sale`: rows that sell and came to something. Nothing where none was given back, or not of single lines, unless the
    column is asked for `by_hand`.
    """
    name, value = column.name, columns["value"]
    refund = amounts(column, data.decimal, said).fill_null(0.0).abs()
    refunded = (sale & (refund > 0) & (value > 0)).fill_null(False)
    if not refunded.any():
        return {}
    above = int((refunded & (refund > value + _CENT)).sum())
    of_orders = "basket" in columns and _of_orders(refund, columns["basket"])
    if not by_hand and (of_orders or above > _SOME * int(refunded.sum())):
        text = f"{name} is above 0 in {int(refunded.sum()):,} rows of sales, and is not taken off their value, "
        text += "as it may be"
        said.note("no sales", f"{text} of the whole order: is it?", f"data.no_sale_flags={name} if not", warning=True)
        return {}
    nothing = refunded & (refund >= value - _CENT)
    whole, part = int(nothing.sum()), int((refunded & ~nothing).sum())
    text = f"{name}: {whole:,} sales were refunded whole, and are none; {part:,} in part, and count with the rest"
    said.note("no sales", text, f"data.no_sale_flags={NOT}{name}", warning=True)
    left = pl.select(pl.when(refunded & ~nothing).then(value - refund).otherwise(value)).to_series()
    return {"value": left, "void": nothing}


def in_part(column: pl.Series, value: pl.Series, data: ConfigDict) -> pl.Series:
    """Boolean: where some of the value was given back, as `column` tells, but not all of it."""
    refund = amounts(column, data.decimal, Findings()).fill_null(0.0).abs()
    return ((refund > 0) & (refund < value - _CENT)).fill_null(False)


def _of_orders(refund: pl.Series, basket: pl.Series) -> bool:
    """Whether refunds stand on the first lines of orders only, or on all their lines the same."""
    if of_whole_orders(refund > 0, basket) is not None:
        return True
    lines = pl.DataFrame({"basket": basket, "refund": refund}).drop_nulls()
    orders = lines.group_by("basket").agg(pl.col("refund").n_unique().alias("values"), pl.col("refund").max(), pl.len())
    orders = orders.filter((pl.col("len") > 1) & (pl.col("refund") > 0))
    return orders.height > 1 and bool((orders["values"] == 1).all())
