"""Words that programs write where nothing is known: NA, NULL, nan ... are no users, items or amounts."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import polars as pl

from trajectory.data.ingest.cells.parsing import is_text, numbers, texts, whole_numbers
from trajectory.data.ingest.findings import Findings
from trajectory.data.ingest.word_lists import added_and_taken_off

# As written by R, SQL dumps, pandas, spreadsheets, Hive, SAS, JavaScript and Google Analytics; whole cells only.
# fmt: off
WORDS = (
    "NA", "na", "N/A", "n/a", "N.A.", "n.a.", "#N/A", "#NA", "#NULL!", "#VALUE!", "#REF!", "#DIV/0!", "NULL", "Null",
    "null", "(null)", "None", "none", "NONE", "NaN", "nan", "NAN", "-nan", "NaT", "<NA>", "\\N", "-", "--", "?", ".",
    "undefined", "(not set)", "00000000-0000-0000-0000-000000000000",
)
_NOBODY = (
    "guest", "anonymous", "anon", "unknown", "user", "test", "admin", "default", "other", "nobody", "guestuser",
    "guestcheckout", "anonymoususer", "unknownuser", "notloggedin", "loggedout", "unregistered", "visitor",
    "gast", "unbekannt", "anonym", "invité", "inconnu", "anonyme", "invitado", "desconocido", "anónimo",
    "访客", "游客", "匿名", "未知",
)
_NO_NUMBERS = ("0", "-1")  # of users with other ids; where ids are numbers, only if they have far more events
# fmt: on
_ABOVE = 10  # times the events of the middle user
_SHOWN = 10


def blank_missing(table: pl.DataFrame, more: Iterable[str], id_columns: Iterable[str], said: Findings) -> pl.DataFrame:
    """The table with null for cells that hold a word of `WORDS` or `more`; what was found is kept in `said`.

    A word of `more` that is a number ("-1") means missing in `id_columns` only: elsewhere it may be an amount.
    """
    added, kept = added_and_taken_off(str(word).strip() for word in more)
    words = {*WORDS, *added} - kept
    numeric = numbers(pl.Series(sorted(words))).is_not_nan()
    as_numbers = {word for word, number in zip(sorted(words), numeric, strict=True) if number}
    changed = []
    for column in table:
        of_ids = column.name in id_columns
        if is_text(column):
            missing = _holds(column, words if of_ids else words - as_numbers)
        elif column.dtype.is_integer() and of_ids and as_numbers:
            missing = column.cast(pl.String).is_in(sorted(as_numbers))
        else:
            continue
        if missing.any():
            counts = texts(column.filter(missing)).value_counts(sort=True, name="rows")
            said.missing += [{"column": column.name, "word": word, "rows": rows} for word, rows in counts.iter_rows()]
            left = pl.select(pl.when(~pl.lit(missing)).then(pl.lit(column))).to_series().alias(column.name)
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
    """Warns of users who are called by a word for nobody in particular, or by 0 or -1 and no others by such numbers."""
    counts = users.drop_nulls().value_counts(name="rows")
    counts = counts.with_columns(pl.col(users.name).cast(pl.String).alias("user"))
    number = pl.col("user").is_in(_NO_NUMBERS)
    named = counts.filter(number | pl.col("user").str.to_lowercase().str.replace_all(r"[\s_()-]", "").is_in(_NOBODY))
    if named.is_empty() or counts.height == 1:
        return
    usual = float(np.median(counts["rows"].to_numpy()))
    unlike = 2 * int(counts["user"].str.contains(r"^-?\d+$").sum()) < counts.height
    lone = (pl.col("user") == "-1") & (not counts["user"].str.contains(r"^-([02-9]|\d\d)").any())
    named = named.filter(~number | lone | pl.lit(unlike) | (pl.col("rows") > _ABOVE * usual))
    if named.height:
        named = named.sort("rows", "user", descending=[True, False]).head(_SHOWN)
        shown = ", ".join(f"{user!r} has {rows:,}" for user, rows in named.select("user", "rows").iter_rows())
        text = f"{shown} of {len(users):,} rows: is this everyone who is not known?"
        said.note("users", text, f"data.missing={','.join(named['user'])}", warning=True)
