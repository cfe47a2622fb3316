"""Several logs of a folder as one table: their names say what was done, as views.csv does, or their columns grew."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
from ml_collections import ConfigDict

from trajectory.data.files.files import Part
from trajectory.data.files.stack import Stack
from trajectory.data.files.table import FileHead, Layout, RawTable, file_numbers, read_parts
from trajectory.data.ingest.columns.detect import LOG_NAMES, SESSIONS, detect, matching
from trajectory.data.ingest.columns.name_words import name_words
from trajectory.data.ingest.sales.event_types import plain_word, vocabulary

EVENT_TYPE = "event_type"  # the column that is added
# In names of files: what tells the exports of one system apart.
# fmt: off
_MONTHS = {"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec", "january",
           "february", "march", "april", "june", "july", "august", "september", "october", "november", "december", "q",
           "kw", "week"}
# fmt: on
_SAME = ("user", "item", "time", "basket", "quantity", "value")  # one column, however a file calls it
# What names of files say beside the words of cells, whose English plurals are known.
# fmt: off
_MORE = {
    "view": ("sessions", "visits", "browsing", "browsed", "pageviews", "ansichten", "aufrufe", "seitenaufrufe", "vues",
             "visualizaciones", "visualizações", "visualizzazioni", "weergaven", "odsłony", "просмотры",
             "görüntülemeler"),
    "click": ("kliknięcia", "клики", "tıklamalar"),
    "cart": ("warenkörbe", "carrelli", "winkelwagens", "koszyki", "košíky", "корзины", "sepetler"),
    "favorite": ("wunschlisten", "merklisten", "favoritos", "preferiti"),
    "purchase": ("receipts", "sales lines", "order lines", "order items", "käufe", "verkäufe", "bestellungen",
                 "aufträge", "rechnungen", "commandes", "facturas", "acquisti", "vendite", "ordini", "fatture",
                 "aankopen", "bestellingen", "verkopen", "zakupy", "zamówienia", "nákupy", "objednávky", "покупки",
                 "заказы", "продажи", "satışlar", "siparişler"),
    "checkout": ("checkouts", "abandoned carts", "abandoned checkouts"),
    "remove_from_cart": ("removals", "cart removals", "basket removals", "removed carts"),
    "return": ("retouren", "rücksendungen", "gutschriften", "retours", "devoluciones", "devoluções", "resi",
               "retourzendingen", "zwroty", "возвраты", "iadeler"),
}
# fmt: on


def types_by_name(parts: Sequence[Part], data: ConfigDict) -> dict[Part, str]:
    """The type of event that the name of a file says, of the files whose names say one, if these are several."""
    if data.columns.event_type:
        return {}
    more = {plain_word(word): event_type for event_type, words in _MORE.items() for word in words}
    words = more | vocabulary(data)
    types = {part: event_type for part in parts if (event_type := _type(part.file.partition(".")[0], words))}
    return types if len({*types.values()}) > 1 else {}


def typed_logs(groups: Sequence[Sequence[FileHead]], types: dict[Part, str]) -> list[FileHead]:
    """The files of some groups of logs where the name of each says its type, no column does, and these are several; []
    elsewhere, and where the users of one are visits, and of another people.
    """
    heads = [head for group in groups for head in group]
    fields = [detect(group[0].names, LOG_NAMES) for group in groups]
    users = {bool(matching([has.get("user", "")], SESSIONS)) for has in fields}
    if len(users) != 1 or any(EVENT_TYPE in has or not {"user", "item"} <= has.keys() for has in fields):
        return []
    told = {types.get(head.part, "") for head in heads}
    return heads if len(told) > 1 and "" not in told else []


def grown_logs(groups: Sequence[Sequence[FileHead]]) -> list[FileHead]:
    """The files of some groups of logs that are called alike, but for numbers and months, and of which one group has no
    column that another one lacks, as exports to which columns were added; [] elsewhere.
    """
    heads = [head for group in groups for head in group]
    called = {tuple(word for word in name_words(head.part.file) if word not in _MONTHS) for head in heads}
    fewest = min((group[0].columns for group in groups), key=len, default=frozenset())
    alike = len(groups) > 1 and len(called) == 1 and all(fewest <= group[0].columns for group in groups)
    return heads if alike else []


def read_several(heads: Sequence[FileHead], types: dict[Part, str], layout: Layout, origin: str) -> RawTable:
    """All rows, where there are `types` with a column of them; what means the same in all files is called as in the
    first one.
    """
    stack, malformed, rows, notes = Stack(origin, parse_numbers=False), list[pl.Series](), list[int](), list[str]()
    first = detect(heads[0].names, {field: LOG_NAMES[field] for field in _SAME})
    for head in heads:
        raw = read_parts([head], layout, None, head.part.name)
        own = detect(raw.table.columns, {field: LOG_NAMES[field] for field in _SAME})
        same = {name: first[field] for field, name in own.items() if field in first and name != first[field]}
        same = {name: other for name, other in same.items() if other not in raw.table.columns}
        if same:
            notes.append(f"{head.part.file}: {', '.join(same)} taken for {', '.join(same.values())}")
        table = raw.table.rename(same)
        stack.add(table.with_columns(pl.lit(types[head.part]).alias(EVENT_TYPE)) if types else table)
        rows.append(raw.table.height)
        nothing = pl.Series([None], dtype=pl.String).new_from_index(0, raw.table.height)
        malformed.append(raw.malformed if raw.malformed is not None else nothing)
        notes += raw.notes
    told = [(head, f"{types.get(head.part, '')} ({count:,} rows)") for head, count in zip(heads, rows, strict=True)]
    shown = ", ".join(f"{head.part.file} {what.strip()}" for head, what in told)
    if types:
        notes.insert(0, f"names of files say what was done: {shown} [data.columns.event_type=- if they do not]")
    else:
        some = {name for head in heads for name in head.names if any(name not in other.names for other in heads)}
        notes.insert(0, f"read {len(heads)} files: {shown}; some lack {', '.join(sorted(some))}, which is blank there")
    texts = pl.concat(malformed)
    files = file_numbers([head.part.file for head in heads], rows)
    return RawTable(stack.table(), texts if texts.count() else None, files, tuple(dict.fromkeys(notes)), origin)


def _type(stem: str, words: dict[str, str]) -> str:
    """What the longest words of a name that are known say, of several as long the last; "" where none are."""
    parts = name_words(stem)
    for length in range(len(parts), 0, -1):
        for start in range(len(parts) - length, -1, -1):
            plain = plain_word("".join(parts[start : start + length]))
            if event_type := words.get(plain) or words.get(plain.removesuffix("s")):
                return event_type
    return ""
