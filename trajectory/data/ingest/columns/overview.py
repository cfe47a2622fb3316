"""What the columns of a log hold, for people to look at: examples, columns left unread, columns that could hold ids."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl
from ml_collections import ConfigDict

from trajectory.data.ingest.cells.parsing import OBJECTS, is_text, texts
from trajectory.data.ingest.columns.amount_words import MONEY, PIECES
from trajectory.data.ingest.columns.customers import PEOPLE
from trajectory.data.ingest.columns.detect import CONTENT_NAMES, JOINED, LOG_NAMES, detect, matching, plain
from trajectory.data.ingest.columns.name_words import has_word
from trajectory.data.ingest.findings import clip

_LOOKED_AT, _SHOWN, _PROPOSED = 1000, 3, 5
_SHARE = 0.1  # of the values of the column that has most, below which a column holds no ids
_TIMES = frozenset(map(plain, LOG_NAMES["time"]))
_CALLED = {
    "user": PEOPLE,
    "item": ("sku", "product", "item", "article", "goods", "ean", "upc", "isbn", "label", "code"),
}
_ORDERS = ("order", "invoice", "receipt", "check", "transaction", "bestellung", "commande", "pedido", "ordine")
_COSTS = ("cost", "costs", "kosten", "coût", "coste", "costo", "custo", "成本", "原価", "원가")
_AMOUNT = r"^\D{0,4}-?\d[\d ,.]*[.,]\d{1,4}\D{0,4}$"
_DATED = r"\d[-/. ]\d+[-/. ]|(?:^|\D)\d{1,2}[-/. ]\p{L}{3,10}[-/., ]+(?:19|20)?\d\d(?:\D|$)|\d:\d\d"


def examples(table: pl.DataFrame, fields: dict[str, str]) -> dict[str, list[str]]:
    """The first different cells of each field's column."""
    heads = {field: table[name].head(_LOOKED_AT).drop_nulls() for field, name in fields.items()}
    return {
        field: [clip(text) for text in texts(head).drop_nulls().unique(maintain_order=True).head(_SHOWN)]
        for field, head in heads.items()
    }


def unused(columns: list[str], fields: dict[str, str], data: ConfigDict, features: Iterable[str]) -> list[str]:
    """The columns that nothing is read from: neither a field of the event, a feature, nor something of the item."""
    read = {part for name in fields.values() for part in (name, *name.split(JOINED))}
    read |= {*filter(None, (*features, data.interest_column, data.item_column))}
    left = [name for name in columns if name not in read]
    of_items = detect(left, CONTENT_NAMES).values()
    return [name for name in left if name not in of_items]


def may_be_ids(column: pl.Series) -> bool:
    """Integers, or texts that are neither numbers with a fraction, dates nor of money."""
    if column.dtype.is_integer():
        return plain(column.name) not in _TIMES
    if not is_text(column):
        return bool(column.dtype == pl.Binary)
    sample = texts(column.head(_LOOKED_AT)).drop_nulls()
    other = int(sample.str.contains(f"{_AMOUNT}|{_DATED}|{OBJECTS}").sum())
    return 2 * other <= len(sample)


def candidates(table: pl.DataFrame, fields: dict[str, str], field: str) -> str:
    """A clause for an error: columns that could hold ids of users or items by what they hold, values that come back;
    first those with a word for them in their names.
    """
    free = [column for column in table if column.name not in fields.values() and may_be_ids(column)]
    free = [column for column in free if not has_word(column.name, (*MONEY, *PIECES, *_COSTS))]
    distinct = {column.name: column.drop_nulls().n_unique() for column in free}
    several = sorted(distinct.items(), key=lambda pair: -pair[1])  # ids have many values
    several = [(name, count) for name, count in several if 1 < count < table.height]
    likely = [(name, count) for name, count in several if count >= _SHARE * several[0][1]]
    called = [name for name, _ in likely if has_word(name, _CALLED[field])]
    others = {*matching(distinct, LOG_NAMES["basket"]), *(name for name in distinct if has_word(name, _ORDERS))}
    others -= {*called}
    likely = [(name, count) for name, count in likely if name not in others]
    likely.sort(key=lambda pair: pair[0] not in called)
    names = [f"{name} ({count:,} values)" for name, count in likely]
    return f"by what they hold it could be {' or '.join(names[:_PROPOSED])}; " if names else ""
