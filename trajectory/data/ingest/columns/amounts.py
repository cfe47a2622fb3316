"""Columns of money, pieces and ratings that no common name tells, by the words of their names and what they hold."""

from __future__ import annotations

import polars as pl
from ml_collections import ConfigDict

from trajectory.data.ingest.cells.amounts import amounts
from trajectory.data.ingest.cells.parsing import is_text, texts
from trajectory.data.ingest.columns.amount_words import (
    AMOUNT,
    CENTS,
    MONEY,
    NO_AMOUNT,
    NO_PIECES,
    NO_RATING,
    OTHER,
    PIECES,
    RATING,
    TAXES,
    WITH_OR_WITHOUT,
)
from trajectory.data.ingest.columns.detect import LOG_NAMES, matching
from trajectory.data.ingest.columns.name_words import has_word, name_words
from trajectory.data.ingest.columns.order_totals import repeats
from trajectory.data.ingest.columns.overview import unused
from trajectory.data.ingest.columns.prices import by_content
from trajectory.data.ingest.findings import Findings
from trajectory.data.ingest.quality.doubts import CODES
from trajectory.data.ingest.sales.event_types import of_sales

_LOOKED_AT = 100_000  # rows
_MOSTLY, _HALF = 0.9, 0.5  # of the rows
_PROVEN = 20  # rows from which something is concluded
_CENT = 0.02  # by which a sum may differ from price times pieces, as both are rounded
_FEW_PIECES = 1000  # of a sale at most, where a name may mean money
_GRADES = 101  # different ratings at most
_SHOWN = 5
_EXACT = 1e-6  # by which a hundredfold may differ from a whole number


def find_amounts(
    table: pl.DataFrame,
    columns: dict[str, pl.Series],
    fields: dict[str, str],
    found_by: dict[str, str],
    data: ConfigDict,
    said: Findings,
) -> None:
    """Adds the columns of quantity, value and rating that no common name told to `fields`, and how to `found_by`, where
    one column can be it. Where several can, or one that does not look like it, somebody is asked.

    `columns` are the canonical ones that were found. A quantity and an order that few rows have are taken out where
    they would tell that all are sales.
    """
    told = "event_type" in columns
    if told and ((sale := of_sales(columns, data)) is None or not sale.any()):
        return
    table = table.head(_LOOKED_AT)
    if not told:
        _leave_out(table, fields, found_by, data, said)
    free = unused(table.columns, fields, data, data.features)
    if not data.columns.value and not data.columns.quantity and _are_pieces(table, free, fields, said):
        fields["quantity"], found_by["quantity"] = fields.pop("value"), "content"
        del found_by["value"]
    left = [field for field in ("quantity", "value", "rating") if field not in fields and not data.columns[field]]
    for field in left:
        free = unused(table.columns, fields, data, data.features)
        if field == "quantity":
            name = _pieces(table, free, fields, told, said)
        elif field == "value":
            name = _money(table, free, fields, said)
        else:
            alone = not told and not {"quantity", "value", "basket"} & fields.keys()
            name = _ratings(table, free, fields, said) if alone else ""
        if name:
            fields[field], found_by[field] = name, "word"
    if "value" in left and "value" not in fields and (told or {"quantity", "basket"} & fields.keys()):
        _miss_money(table, unused(table.columns, fields, data, data.features), fields, said)
    if (pieces := fields.get("quantity", "")) and "quantity" in left and not has_word(pieces, PIECES):
        found_by["quantity"] = "content"


def _are_pieces(table: pl.DataFrame, free: list[str], fields: dict[str, str], said: Findings) -> bool:
    """Whether what is called an amount, and was taken for money, are pieces: whole, beside prices that are not."""
    name = fields.get("value", "")
    if "quantity" in fields or not has_word(name, AMOUNT) or has_word(name, NO_AMOUNT):
        return False
    number = amounts(table[name], "auto", Findings())
    if not _whole(number) or _share(number > 0) < _MOSTLY or (number > _FEW_PIECES).any():
        return False
    prices = [price.name for price in _numbers(table, free, MONEY) if _share(price != price.round()) >= _HALF]
    if prices:
        text = f"{name} is taken for pieces, as it is whole and {', '.join(prices)} is not"
        said.note("amounts", text, f"data.columns.value={name} if it is money", warning=True)
    return bool(prices)


def _pieces(table: pl.DataFrame, free: list[str], fields: dict[str, str], told: bool, said: Findings) -> str:
    """The column of pieces: by its name, else a whole amount that what is paid grows with."""
    named = [number for number in _numbers(table, free, PIECES, NO_PIECES) if _whole(number)]
    named = [number for number in named if "basket" not in fields or not repeats(table, fields, number.name)]
    if len(named) > 1:
        _ask("quantity", named, "how many pieces were sold", said)
    if len(named) == 1 and (told or not _of_few(table, "quantity", named[0].name, said)):
        return named[0].name
    if named:
        return ""
    for number in _numbers(table, free, AMOUNT) if "value" in fields else ():
        if _whole(number) and _share(number > 0) >= _MOSTLY:
            paid = amounts(table[fields["value"]], "auto", Findings())
            if by_content(paid, number, table[fields["item"]]) is False:
                text = f"{number.name} is taken for pieces, as {fields['value']} grows with it"
                said.note("amounts", text, "data.columns.quantity=- if it is none", warning=True)
                return number.name
            _ask("quantity", [number], "how many pieces were sold", said)
    return ""


def _money(table: pl.DataFrame, free: list[str], fields: dict[str, str], said: Findings) -> str:
    """The column of money: the only one, or the one that is price times pieces; else the only one of a currency."""
    named = _numbers(table, free, MONEY) or _with_currency(table, free)
    of_orders = [number.name for number in named if "basket" in fields and repeats(table, fields, number.name)]
    lines = [number for number in named if number.name not in of_orders]
    of_orders = [name for name in of_orders if not matching([name], LOG_NAMES["value"])]  # these are said already
    if of_orders and not lines:
        text = f"{', '.join(of_orders)} may be of the whole order, as all its lines have the same, and is not read"
        said.note("value", text, f"data.columns.value={of_orders[0]} if it is of the line", warning=True)
        return ""
    pieces = amounts(table[fields["quantity"]], "auto", Findings()) if "quantity" in fields else None
    if len(lines) > 1 and pieces is not None:
        lines = _sums(lines, pieces) or lines
    if len(lines) > 1:
        _ask("value", lines, "what was paid for a row", said)
        return ""
    for number in lines:
        if (below := _share(number < 0)) >= _HALF:
            text = f"{number.name} is below 0 in {below:.0%} of the rows, and is not read: is it money?"
            said.note("value", text, f"data.columns.value={number.name}", warning=True)
            return ""
        if has_word(number.name, CENTS):
            said.note("value", f"{number.name} is in cents by its name, and so are all values", warning=True)
        return number.name
    return ""


def _with_currency(table: pl.DataFrame, free: list[str]) -> list[pl.Series]:
    """Columns of amounts that have the sign or the code of a currency in nearly every cell."""
    codes = "|".join(code for code in sorted(CODES) if code.isascii() and code.isalpha())
    signs = rf"\p{{Sc}}|zł|(?:^|[^A-Za-z])(?:{codes})(?:[^A-Za-z]|$)"
    texts_of = {name: texts(table[name]).drop_nulls() for name in free if is_text(table[name])}
    named = [name for name, cells in texts_of.items() if _share(cells.str.contains(signs)) >= _MOSTLY]
    return _numbers(table, named)


def _miss_money(table: pl.DataFrame, free: list[str], fields: dict[str, str], said: Findings) -> None:
    """Warns of sales without money where columns hold amounts with cents, or that grow with the pieces, unless it was
    asked about already.
    """
    if any("data.columns.value" in note.setting for note in said.notes):
        return
    amounts_of = [number for number in _numbers(table, free) if not has_word(number.name, RATING)]
    pieces = amounts(table[fields["quantity"]], "auto", Findings()) if "quantity" in fields else None
    likely = [
        number.name
        for number in amounts_of
        if _share(number >= 0) >= _MOSTLY
        and (
            (_share(number != number.round()) >= _HALF and _in_cents(number))
            or (pieces is not None and by_content(number, pieces, table[fields["item"]]) is False)
        )
    ]
    if likely:
        text = f"no column is known to state what was paid; {' or '.join(likely[:_SHOWN])} could be it"
        said.note("amounts", text, f"data.columns.value={likely[0]}, or =- if there is none", warning=True)


def _in_cents(number: pl.Series) -> bool:
    return _share((number * 100 - (number * 100).round()).abs() < _EXACT) >= _MOSTLY


def _ratings(table: pl.DataFrame, free: list[str], fields: dict[str, str], said: Findings) -> str:
    """The column of ratings, unless it says the same in all rows of an item: that is what others gave on average."""
    named = [number for number in _numbers(table, free, RATING, NO_RATING) if number.n_unique() <= _GRADES]
    several = pl.DataFrame({"item": table[fields["item"]], **{number.name: number for number in named}})
    several = several.filter(pl.len().over("item") > 1)
    by_user = [number for number in named if not several.select(_one_each(number.name, "item")).item()]
    if len(by_user) > 1:
        _ask("rating", by_user, "how the user rated the item", said)
        return ""
    return by_user[0].name if by_user else ""


def _numbers(
    table: pl.DataFrame, free: list[str], words: tuple[str, ...] = (), other: tuple[str, ...] = OTHER
) -> list[pl.Series]:
    """The columns with one of the words in their name, if any are given, and none of the others, as numbers, if most
    cells are some.
    """
    numbers = []
    for name in free:
        column = table[name]
        if (words and not has_word(name, words)) or has_word(_without_taxes(name), other):
            continue
        if not (column.dtype.is_numeric() or is_text(column)):
            continue
        number = amounts(column, "auto", Findings()).alias(name)
        if number.count() and number.count() >= _MOSTLY * column.count() and number.n_unique() > 1:
            numbers.append(number)
    return numbers


def _without_taxes(name: str) -> str:
    """A name without what it says of taxes, where it says whether they are in: "price incl. VAT" is a price."""
    words = name_words(name)
    if not ({*words} & {*TAXES} and {*words} & {*WITH_OR_WITHOUT}):
        return name
    return " ".join(word for word in words if word not in (*TAXES, *WITH_OR_WITHOUT))


def _leave_out(
    table: pl.DataFrame, fields: dict[str, str], found_by: dict[str, str], data: ConfigDict, said: Findings
) -> None:
    """Takes out quantity and basket, where neither is stated in most rows nor asked for."""
    tell = [field for field in ("quantity", "basket") if field in fields]
    if any(data.columns[field] or 2 * table[fields[field]].count() >= table.height for field in tell):
        return
    for field in tell:
        _of_few(table, field, fields.pop(field), said)
        del found_by[field]


def _of_few(table: pl.DataFrame, field: str, name: str, said: Findings) -> bool:
    """Whether a column of pieces is blank in most rows of a log without types, which is said: it tells of some only."""
    if not name or 2 * table[name].count() >= table.height:
        return False
    share = table[name].count() / table.height
    text = f"{name} is stated in {share:.0%} of the rows only, so it does not say that all are sales, and is not read"
    setting = (
        f"data.columns.{field}={name} if all are sales, data.columns.event_type=... if a column says what was done"
    )
    said.note("types", text, setting, warning=True)
    return True


def _share(flags: pl.Series) -> float:
    return int(flags.sum()) / max(flags.count(), 1)


def _whole(number: pl.Series) -> bool:
    return bool((number == number.round()).all())


def _one_each(name: str, group: str) -> pl.Expr:
    return (pl.col(name).drop_nulls().n_unique().over(group) <= 1).all()


def _sums(named: list[pl.Series], pieces: pl.Series) -> list[pl.Series]:
    """The one that is another one times the pieces, in nearly all rows of several pieces; none if there is not one."""
    several = pieces > 1
    sums = []
    for number in named:
        for price in named:
            rows = several & number.is_not_null() & price.is_not_null()
            alike = ((price * pieces - number).abs() <= _CENT).filter(rows)
            if price.name != number.name and len(alike) >= _PROVEN and _share(alike) >= _MOSTLY:
                sums.append(number)
                break
    return sums if len(sums) == 1 else []


def _ask(field: str, named: list[pl.Series], what: str, said: Findings) -> None:
    names = [number.name for number in named[:_SHOWN]]
    text = f"{', '.join(names)} {'are' if len(names) > 1 else 'is'} not read: does {'one' if len(names) > 1 else 'it'}"
    said.note(
        "amounts", f"{text} say {what}?", " or ".join(f"data.columns.{field}={name}" for name in names), warning=True
    )
