"""What was paid, where the value that was found is a price before discounts or a total that holds postage."""

from __future__ import annotations

from itertools import product

import polars as pl

from trajectory.data.ingest.cells.amounts import amounts
from trajectory.data.ingest.cells.parsing import blank, is_text, texts, yes_or_no
from trajectory.data.ingest.columns import column_words
from trajectory.data.ingest.columns.detect import NONE, matching
from trajectory.data.ingest.columns.discounts import SHARES, percents
from trajectory.data.ingest.columns.name_words import has_word, name_words
from trajectory.data.ingest.columns.order_totals import repeats
from trajectory.data.ingest.columns.prices import is_price
from trajectory.data.ingest.findings import Findings

# fmt: off
DISCOUNTS = ("discount", "discounts", "promotion", "markdown", "rabatt", "nachlass", "remise", "rabais", "descuento",
             "desconto", "sconto", "korting", "rabat", "upust", "sleva", "alennus", "скидка", "скидки", "indirim",
             "i̇ndirim", "値引", "割引", "할인", "折扣", "优惠", "diskon", "potongan", "giảm")
_POSTAGE = ("shipping", "postage", "delivery", "freight", "versand", "versandkosten", "porto", "port", "livraison",
            "envío", "envio", "frete", "spedizione", "verzending", "verzendkosten", "frakt", "fragt", "toimitus",
            "dostawa", "dostawy", "wysyłka", "doprava", "dopravné", "доставка", "доставки", "kargo", "送料", "배송비",
            "运费", "ongkir", "vận")
_TAXES = ("tax", "taxes", "vat", "gst", "mwst", "ust", "iva", "tva", "btw", "moms", "alv", "dph", "ндс", "kdv", "税",
          "부가세", "ppn")
# What is a text, or a price that the discount is taken off already.
_NO_DISCOUNT = ("code", "id", "type", "name", "reason", "after", "before", "price", "points")
# Behind a discount, in one word.
_AMOUNTS = ("betrag", "summe", "wert", "satz", "prozent", "prozentsatz", "bedrag", "percentage", "spercentage",
            "sbedrag", "beløp", "beløb", "belopp", "procent", "prosent")
# fmt: on
_LOOKED_AT = 100_000  # rows
_CENT, _MOSTLY, _PROVEN = 0.02, 0.9, 20


def what_was_paid(
    table: pl.DataFrame, fields: dict[str, str], by_hand: str, decided: set[str], said: Findings
) -> dict[str, str]:
    """The fields with the value that states what was paid for the goods, where another one was found by its name.

    `by_hand`: the column that was asked for, which stays; `decided`: columns that mean something else. A price of a
    piece gives way to an amount called paid, billed or, beside discounts, net; a total that is the sum of another
    amount, postage and taxes to that amount. A discount beside a price and no such amount is asked about.
    """
    name, head = fields.get("value", ""), table.head(_LOOKED_AT)
    if by_hand or name in ("", NONE):
        return fields
    free = [column for column in table.columns if column not in {*fields.values(), *decided}]
    discounts = [column for column in free if _is_called_discount(column) and _is_taken_off(head, fields, column)]
    if is_price(name):
        net = column_words.names("net_amount") if discounts else ()
        for paid in matching(free, (*column_words.names("paid_amount"), *net)):
            flag = yes_or_no(head[paid]) is not None
            if _is_amount(head, paid) and not flag and not _of_order(head, fields, paid):
                said.note("value", f"{paid} is read as what was paid, not {name}", f"data.columns.value={name}")
                return fields | {"value": paid}
        if discounts:
            text = f"{discounts[0]} is not read, beside {name}: is it still to be taken off what a row is worth?"
            setting = f"data.columns.discount={discounts[0]} takes it off each row, =- if it is off already"
            said.note("value", text, setting, warning=True)
        return fields
    postage = [column for column in free if has_word(column, _POSTAGE) and _is_amount(head, column)]
    taxes, _ = _taxes(head, free)
    if postage and (goods := _held_beside(head, fields, free, postage, taxes)):
        text = f"{name} holds {', '.join(postage)} beside {goods}, which is read as what was paid for the goods"
        said.note("value", text, f"data.columns.value={name} reads it all", warning=True)
        return fields | {"value": goods}
    return fields


def doubt_taxes(table: pl.DataFrame, fields: dict[str, str], by_hand: str, decided: set[str], said: Findings) -> None:
    """Asks whether sales are to count with taxes, where the value is the sum of another amount and taxes, and says
    where it is that other amount. `by_hand`, `decided`: as above.
    """
    name, head = fields["value"], table.head(_LOOKED_AT)
    if by_hand:
        return
    free = [column for column in table.columns if column not in {*fields.values(), *decided}]
    for taxes, parts in zip(_taxes(head, free), (False, True), strict=True):
        if not taxes:
            continue
        what = ", ".join(taxes)
        if goods := _held_beside(head, fields, free, taxes, [], parts):
            text = f"{name} holds {what} beside {goods}: are sales to count with taxes?"
            said.note("value", text, f"data.columns.value={goods} reads them without", warning=True)
            return
        for total in [column for column in free if column not in taxes and _is_amount(head, column)]:
            if _held_beside(head, fields | {"value": total}, [name], taxes, [], parts):
                text = f"{name} is without {what}, which {total} holds"
                said.note("value", text, f"data.columns.value={total} reads them with taxes")
                return


def _taxes(table: pl.DataFrame, free: list[str]) -> tuple[list[str], list[str]]:
    """The columns of taxes: those of money, and those of shares."""
    taxes = [column for column in free if has_word(column, _TAXES) and _is_amount(table, column)]
    rates = [column for column in taxes if has_word(column, SHARES) or "%" in column]
    return [column for column in taxes if column not in rates], rates


def _held_beside(
    table: pl.DataFrame,
    fields: dict[str, str],
    free: list[str],
    postage: list[str],
    taxes: list[str],
    parts: bool = False,
) -> str:
    """The column of amounts, times the pieces where these are known, that makes the value together with postage, and
    with taxes or without; "" if there is none. `parts`: what is added are shares of the amount, of 1 or of 100.
    """
    value = _number(table, fields["value"])
    pieces = _number(table, fields["quantity"]) if "quantity" in fields else pl.Series([1.0])
    with_postage = pl.DataFrame([_number(table, column).fill_null(0) for column in postage]).sum_horizontal()
    lines = ~blank(table[fields["item"]]) if "item" in fields else value.is_not_null()  # not those of whole orders
    with_taxes = with_postage + sum((_number(table, column).fill_null(0) for column in taxes), start=0.0)
    for column in free:
        if column in (*postage, *taxes) or not _is_amount(table, column):
            continue
        price = _number(table, column)
        for goods, added in product((price, price * pieces), (with_postage, with_taxes)):
            for more in (added * goods, added / 100 * goods) if parts else (added,):
                rows = lines & value.is_not_null() & goods.is_not_null() & (goods > 0) & (more > 0)
                alike = ((goods + more - value).abs() <= _CENT).filter(rows)
                if len(alike) >= _PROVEN and alike.sum() >= _MOSTLY * len(alike):
                    return column
    return ""


def _is_called_discount(column: str) -> bool:
    """Whether a column is called a discount, also in a longer word ("Rabattbetrag"), of money or of per cent."""
    longer = any(
        part.startswith(word) and part.removeprefix(word) in _AMOUNTS
        for part in name_words(column)
        for word in DISCOUNTS
    )
    return (longer or has_word(column, DISCOUNTS)) and not has_word(column, _NO_DISCOUNT)


def _is_taken_off(table: pl.DataFrame, fields: dict[str, str], column: str) -> bool:
    """Whether a column called a discount holds amounts or per cents in most rows, some of them not 0, which are not of
    orders.
    """
    cells = table[column]
    if (shares := percents(cells, "auto", Findings())) is not None:
        return bool((shares.fill_null(0) != 0).any())
    if not _is_amount(table, column) or 2 * cells.null_count() > len(cells) or _of_order(table, fields, column):
        return False
    return bool((_number(table, column).fill_null(0) != 0).any())


def _is_amount(table: pl.DataFrame, column: str) -> bool:
    """Whether most cells that are filled are amounts, also with a currency, and there are some."""
    cells = table[column]
    if not (cells.dtype.is_numeric() or is_text(cells)):
        return False
    filled = texts(cells).count()  # blank cells are none
    return bool(filled) and 2 * _number(table, column).count() >= filled


def _of_order(table: pl.DataFrame, fields: dict[str, str], column: str) -> bool:
    return {"basket", "item"} <= fields.keys() and repeats(table, fields, column)


def _number(table: pl.DataFrame, column: str) -> pl.Series:
    return amounts(table[column], "auto", Findings())
