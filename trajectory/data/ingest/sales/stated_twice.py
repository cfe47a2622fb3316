"""Sales that a log states twice, in rows of two words: the order, and its invoice some days later."""

from __future__ import annotations

from itertools import permutations

import polars as pl
from ml_collections import ConfigDict

from trajectory.data.ingest.findings import Findings
from trajectory.data.ingest.sales.event_types import canonical, roles, selling_types

_LOOKED_AT = 1_000_000  # rows from the first on: a log of a hundred millions must fit in memory
_LEAST = 20  # rows of a word, below which nothing is concluded
_MOSTLY = 0.9  # of the rows of one word that have a row of the other one
_OWN = 0.8  # of the rows of a word that must differ from each other: views of one item at one price are no documents
_WORDS = 10  # of sales at most


def doubt_stated_twice(columns: dict[str, pl.Series], data: ConfigDict, said: Findings) -> None:
    """Warns of words of sales nearly all of whose rows say the same as a row of another one: the same user and
    item, pieces and money. `columns` are the canonical ones of the log.
    """
    amounts = [name for name in ("quantity", "value") if name in columns]
    if "event_type" not in columns:
        return
    columns = {name: column.head(_LOOKED_AT) for name, column in columns.items()}
    sells = canonical(columns["event_type"], data).is_in(selling_types(roles(data))).fill_null(False)
    keys = ["user", "item", *amounts]
    said_of = "user, item and amounts" if amounts else "user and item"
    rows = pl.DataFrame({name: columns[name] for name in keys} | {"word": columns["event_type"]}).filter(sells)
    rows = rows.with_columns(pl.col(amounts).abs().round(2).fill_null(0)).drop_nulls()
    counts = rows["word"].value_counts(name="rows").filter(pl.col("rows") >= _LEAST).sort("rows", "word").rows()
    if not 1 < len(counts) <= _WORDS:
        return
    stated = {word: rows.filter(pl.col("word") == word).group_by(keys).len() for word, _ in counts}
    for (fewer, number), (more, others) in permutations(counts, 2):
        if number > others or stated[fewer].height < _OWN * number:
            continue
        both = stated[fewer].join(stated[more], keys).select(pl.min_horizontal("len", "len_right").sum()).item()
        if both >= _MOSTLY * number:
            text = f"{both:,} of {number:,} rows of {fewer!r} have the {said_of} of a row of {more!r}"
            setting = f"data.event_type_map={{{more!r}: 'checkout'}} if {fewer!r} alone is the sale"
            said.note("types", f"{text}, and both count: is a sale stated twice?", setting, warning=True)
            return
