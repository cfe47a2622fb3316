"""Words that programs write where nothing is known: NA, NULL, nan ... are no users, items or amounts."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import polars as pl

from trajectory.data.findings import Findings
from trajectory.data.values import is_text, numbers, texts, whole_numbers

# As written by R, SQL dumps, pandas, spreadsheets, Hive, SAS, JavaScript and Google Analytics; whole cells only.
WORDS = (
    *(
        "NA",
        "na",
        "N/A",
        "n/a",
        "N.A.",
        "n.a.",
        "#N/A",
        "#NA",
        "#NULL!",
        "#VALUE!",
        "#REF!",
        "#DIV/0!",
        "NULL",
        "Null",
        "null",
        "(null)",
        "None",
        "none",
        "NONE",
    ),
    *("NaN", "nan", "NAN", "-nan", "NaT", "<NA>", "\\N", "-", "--", "?", ".", "undefined", "(not set)"),
    "00000000-0000-0000-0000-000000000000",
)
_NOBODY = (
    "guest",
    "anonymous",
    "anon",
    "unknown",
    "user",
    "test",
    "admin",
    "default",
    "other",
    "0",
    "-1",
    "访客",
    "游客",
)
_ABOVE = 10  # times the events of the middle user
NOT = "!"  # data.missing=("!NA",): NA is a word like any other


def blank_missing(table: pl.DataFrame, more: Iterable[str], id_columns: Iterable[str], said: Findings) -> pl.DataFrame:
    """The table with null for cells that hold a word of `WORDS` or `more`; what was found is kept in `said`.

    A word of `more` that is a number ("-1") means missing in `id_columns` only: elsewhere it may be an amount.
    """
    asked = [str(word).strip() for word in more]
    kept = {word.removeprefix(NOT) for word in asked if word.startswith(NOT)}
    words = {*WORDS, *(word for word in asked if not word.startswith(NOT))} - kept
    numeric = numbers(pl.Series(sorted(words))).is_not_nan()
    as_numbers = {word for word, number in zip(sorted(words), numeric, strict=True) if number}
    changed = []
    for column in table:
        of_ids = column.name in id_columns
        if is_text(column):
            found = _holds(column, words if of_ids else words - as_numbers)
        elif column.dtype.is_integer() and of_ids and as_numbers:
            found = column.cast(pl.String).is_in(sorted(as_numbers))
        else:
            continue
        if found.any():
            counts = texts(column.filter(found)).value_counts(sort=True, name="rows")
            said.missing += [{"column": column.name, "word": word, "rows": rows} for word, rows in counts.iter_rows()]
            left = pl.select(pl.when(~pl.lit(found)).then(pl.lit(column))).to_series().alias(column.name)
            changed.append(whole_numbers(left) if is_text(left) else left)
    return table.with_columns(changed)


def _holds(column: pl.Series, words: set[str]) -> pl.Series:
    """Where a cell is one of the words, but for white space around it."""
    if column.dtype == pl.String:
        return column.str.strip_chars().is_in(sorted(words))
    distinct = column.unique().drop_nulls().cast(pl.String)
    hits = distinct.filter(distinct.str.strip_chars().is_in(sorted(words)))
    return column.is_in(hits.implode()) if len(hits) else column.is_null() & False


def say_nobodies(users: pl.Series, said: Findings) -> None:
    """Warns of users who are called by a word for nobody in particular and have far more events than others."""
    counts = users.drop_nulls().value_counts(name="rows")
    counts = counts.with_columns(pl.col(users.name).cast(pl.String).alias("user"))
    named = counts.filter(pl.col("user").str.to_lowercase().is_in(_NOBODY))
    if named.is_empty():
        return
    usual = float(np.median(counts["rows"].to_numpy()))
    far = named.filter(pl.col("rows") > _ABOVE * usual).sort("rows", descending=True)
    for user, rows in far.select("user", "rows").iter_rows():
        text = f"{user!r} has {rows:,} of {len(users):,} rows: is this everyone who is not known?"
        said.note("users", text, f"data.missing={user}", warning=True)
