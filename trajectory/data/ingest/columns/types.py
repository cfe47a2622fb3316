"""Which column states the type of an event by what it holds, and which unread columns may say what is a sale."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator

import polars as pl
from ml_collections import ConfigDict

from trajectory.data.ingest.cells.amounts import amounts
from trajectory.data.ingest.cells.parsing import is_text, texts, yes_or_no
from trajectory.data.ingest.columns import column_words
from trajectory.data.ingest.columns.detect import (
    CONTENT_NAMES,
    JOINED,
    LOG_NAMES,
    detect,
    joined_parts,
    matching,
    own_name,
    plain,
)
from trajectory.data.ingest.columns.name_words import has_word
from trajectory.data.ingest.findings import Findings, clip, quoted
from trajectory.data.ingest.sales.event_types import canonical, plain_word, roles, selling_types
from trajectory.data.ingest.sales.order_status import are_states
from trajectory.schema import UserError

# Names of columns that may state what a row is, and may state something else.
# fmt: off
NAMES = ("type", "transaction_type", "trans_type", "tran_type", "txn_type", "transaction", "doc_type",
         "document_type", "move_type", "movement_type", "line_type", "row_type", "record_type", "entry_type",
         "operation_type", "operation", "activity_type", "activity", "interaction", "sale_type", "sales_type",
         "order_type", "invoice_type", "bill_type", "voucher_type", "receipt_type", "belegart", "vorgang",
         "vorgangsart", "buchungsart", "typ", "art", "tipo", "tipo_operacion", "tipo_riga",
         "类型", "交易类型",
         "種別", *column_words.names("document_type"))
# Words in the names of times and amounts that are those of sales. A price may be that of goods that are looked at.
_SALES = ("purchase", "purchased", "bought", "sale", "sales", "sold", "order", "ordered", "invoice", "transaction",
          "trans", "paid", "payment", "spend", "spent", "revenue", "checkout")
# fmt: on
# Words within a cell that say that it may be no sale; what else a row may be is a type of event or a status.
_DOUBTFUL = (
    r"(?i)(?:^|[\W_])(?:credit[\W_]*(?:note|memo)s?|cn|refund(?:ed)?|storno|pro[\W_]*forma|void(?:ed)?|return(?:s|ed)?|"
    r"cancel(?:l?ed|lation)?|chargeback|reversal|gutschrift|retoure)(?:$|[\W_])"
)
_SAMPLE, _WORDS, _STRANGE = 10_000, 40, 0.05  # cells looked at, different words at most, share of unknown ones at most
_SHOWN = 10


def by_words(table: pl.DataFrame, used: Collection[str], data: ConfigDict) -> str:
    """The column whose cells are words of the types of event; "" if there is none.

    Nearly all are known and of at least two types; where its name is one of `NAMES`, some may be unknown as long as
    there are words of sales and of another type, or of sales alone in most cells.
    """
    known = roles(data)
    for column, sample in _of_few_words(table, used):
        types_of = canonical(sample, data)
        types, unknown = types_of.drop_nulls().unique().to_list(), types_of.null_count() / len(sample)
        if len(types) > 1 and unknown <= _STRANGE:
            return column.name
        sells = any("sale" in known[event_type] for event_type in types)
        if sells and is_named_for_types(column.name) and (len(types) > 1 or unknown < 1 / 2):
            return column.name
    return ""


def better_known(
    table: pl.DataFrame, fields: dict[str, str], statuses: Collection[str], data: ConfigDict, said: Findings
) -> dict[str, str]:
    """The fields with another column of types, where most words of the one that was found by its name are not known in
    the rows of items, and those of the other are; or where some are not and none is a sale, and one of the other's is.
    """
    name = fields["event_type"]
    rows = table.filter(table[fields["item"]].is_not_null()) if "item" in fields else table
    sample = texts(rows[name].drop_nulls().head(_SAMPLE)).drop_nulls()
    types = canonical(sample, data)
    few, some = 2 * types.count() <= len(sample), types.null_count() > _STRANGE * len(sample)
    if not few and (not some or _sells(types, data)):
        return fields
    other = by_words(rows if some else table, {*fields.values(), *statuses}, data)
    if not other or (not few and not _sells(canonical(texts(rows[other].drop_nulls().head(_SAMPLE)), data), data)):
        return fields
    text = f"{other} is read as the type, not {name}, {'most' if few else 'some'} of whose words are not known"
    said.note("types", text, f"data.columns.event_type={name}", warning=True)
    return fields | {"event_type": other}


def _sells(types: pl.Series, data: ConfigDict) -> bool:
    """Whether some of the types are sales."""
    return bool(types.is_in(selling_types(roles(data))).any())


def is_named_for_types(name: str) -> bool:
    """Whether a column's name is one of `NAMES` or of a type of event, or ends in one of two words."""
    name, names = own_name(name), (*NAMES, *LOG_NAMES["event_type"])
    ends = tuple(plain(word) for word in names if "_" in word)
    return bool(matching([name], names)) or plain(name).endswith(ends)


def named_for_sales(table: pl.DataFrame, fields: dict[str, str]) -> bool:
    """Whether the time or the money of a log without types is called by a word for sales, and most rows have money if
    it is that: views have a revenue of 0.
    """
    time, value = (fields.get(field, "") for field in ("time", "value"))
    if has_word(time, _SALES):
        return True
    if not has_word(value, _SALES) or has_word(value, ("price",)):
        return False
    paid = amounts(table[value].head(_SAMPLE), "auto", Findings())
    return 2 * int((paid != 0).sum()) >= len(paid)


def doubt_unread(table: pl.DataFrame, used: Collection[str], untold: bool, data: ConfigDict, said: Findings) -> None:
    """Warns of columns that are not read and may say what is a sale: some of few words, by their words, and where the
    log was told no types (`untold`), several of yes or no, by their names.
    """
    if untold:
        _doubt_marks(table, used, data, said)
    content = detect([name for name in table.columns if name not in used], CONTENT_NAMES).values()
    for column, sample in _of_few_words(table, {*used, *content}):
        known, named = roles(data), is_named_for_types(column.name)
        words = sample.value_counts(sort=True, name="rows")[sample.name]
        if len(words) == 1 and not named:
            continue
        types = canonical(words, data).cast(pl.String).to_list()
        telling = [
            word for word, event_type in zip(words, types, strict=True) if event_type or re.search(_DOUBTFUL, word)
        ]
        own = {role for event_type in types if event_type for role in known[event_type]}
        if (
            "negative" in own
            or (telling and named and (untold or "sale" in own))
            or any(re.search(_DOUBTFUL, word) for word in telling)
        ):
            text = f"{column.name} is not read, and has the words {_quoted(telling)}: does it say which rows are sales?"
            meaning = "data.event_type_map={WORD: TYPE} for words that are not known"
            setting = f"data.columns.event_type={column.name} with {meaning}"
            others = [word for word, event_type in zip(words, types, strict=True) if not event_type]
            if are_states(words, others):
                text, setting = f"{text[:-1]}, by what became of orders?", f"data.columns.status={column.name}"
            said.note("types", text, setting, warning=True)


def doubt_unknown(
    table: pl.DataFrame, columns: dict[str, pl.Series], used: Collection[str], data: ConfigDict, said: Findings
) -> None:
    """Warns of columns that are called a type, in a log that was told none, of whose few words or codes none is known.

    `columns` are the canonical ones that were found. A type that each item or each user has but one of is theirs.
    """
    for name in [name for name in table.columns if name not in used and is_named_for_types(name)]:
        if not (is_text(table[name]) or table[name].dtype.is_integer()):
            continue
        cells = texts(table[name])
        counts = cells.drop_nulls().value_counts(sort=True, name="rows")
        if not 1 < counts.height <= _WORDS or canonical(counts[name], data).count():
            continue
        if not any(of_one(cells, columns[owner]) for owner in ("item", "user")):
            shown = ", ".join(f"{clip(word)!r} {rows:,}x" for word, rows in counts.head(_SHOWN).iter_rows())
            text = f"{name} is not read, as none of its words is known ({shown}): does it say which rows are sales?"
            setting = (
                f"data.columns.event_type={name} with data.event_type_map={{{clip(counts[name][0])!r}: 'purchase'}}"
            )
            said.note(
                "types",
                text,
                f"{setting}, if that is a sale; so for each, 'return' if it takes back; the others are set aside",
                warning=True,
            )


def of_one(cells: pl.Series, owner: pl.Series) -> bool:
    """Whether the cells of each owner with several rows are the same, and some owners have several."""
    rows = pl.DataFrame({"owner": owner, "cell": cells}).drop_nulls().filter(pl.len().over("owner") > 1)
    return rows.height > 0 and bool(rows.select((pl.col("cell").n_unique().over("owner") == 1).all()).item())


def with_marks(table: pl.DataFrame, name: str) -> pl.DataFrame:
    """With a column of types where "is_click+is_buy" is asked for and is no column: the last one with a yes."""
    parts = joined_parts(table.columns, name)
    if not parts:
        return table
    word = pl.lit(None, pl.String)
    for part in parts:
        yes = yes_or_no(table[part])
        if yes is None:
            raise UserError(f"data.columns.event_type={name!r}: the cells of {part!r} are not all yes or no")
        word = pl.when(pl.lit(yes)).then(pl.lit(_done(part))).otherwise(word)
    return table.with_columns(word.alias(name))


def _doubt_marks(table: pl.DataFrame, used: Collection[str], data: ConfigDict, said: Findings) -> None:
    """Warns of columns of yes or no that are called by types of event, one that is mostly no or several, and are not
    read.
    """
    free = [column for column in table if column.name not in used]
    event_types = canonical(pl.Series([_done(column.name) for column in free], dtype=pl.String), data)
    marks = {
        column.name: event_type
        for column, event_type in zip(free, event_types, strict=True)
        if event_type is not None and column.count() and yes_or_no(column) is not None
    }
    if len(marks) == 1:
        _doubt_mark(table, *marks.popitem(), said)
    elif marks:
        text = f"{', '.join(marks)} are yes or no, and not read: do they say what was done?"
        setting = f"data.columns.event_type={JOINED.join(marks)} (the last that is yes counts)"
        others = [column.name for column in free if column.name not in marks and _is_mark(column)]
        if others:
            text = f"{text[:-1]}, as {', '.join(others)} may?"
            setting += f"; with data.event_type_map={{{_done(others[0])!r}: TYPE}} {others[0]}, too"
        said.note("types", text, setting, warning=True)


def _is_mark(column: pl.Series) -> bool:
    """Whether a column is yes or no, some of either."""
    if column.dtype.is_nested():
        return False
    words = texts(column).drop_nulls().unique()
    return len(words) == 2 and (yes := yes_or_no(words)) is not None and bool(yes.any()) and not yes.all()


def _doubt_mark(table: pl.DataFrame, name: str, event_type: str, said: Findings) -> None:
    """Warns of rows with a no in the only column that says whether something was done."""
    cells = texts(table[name])
    words = cells.unique(maintain_order=True).drop_nulls()
    yes = yes_or_no(words)
    if yes is None or yes.all() or not yes.any():
        return
    rows = int(cells.is_in(words.filter(~yes).implode()).sum())
    text = f"{name} is a no in {rows:,} of {len(cells):,} rows, which are events like the others: what were these?"
    other = "impression" if event_type == "click" else "view"
    meaning = {word: event_type if done else other for word, done in zip(words, yes, strict=True)}
    setting = f"data.columns.event_type={name} with data.event_type_map={meaning} if they were {other}s"
    said.note("types", text, setting, warning=True)


def _done(name: str) -> str:
    return re.sub(r"(?i)^(?:is|has|did)(?:[\W_]+|(?=[A-Z]))", "", own_name(name))


def doubt_maps(
    columns: dict[str, pl.Series], status: pl.Series | None, fields: dict[str, str], data: ConfigDict, said: Findings
) -> None:
    """Warns of words of `data.event_type_map` and `data.status_map` that the log does not have."""
    for setting, field, cells in (
        ("event_type_map", "event_type", columns.get("event_type")),
        ("status_map", "status", status),
    ):
        words = [str(word) for word in data[setting] if cells is not None or word != ""]
        if cells is None and words:
            other = (
                "data.status_map for the status of an order"
                if field == "event_type"
                else "data.event_type_map for types"
            )
            text = f"data.{setting} says what {_quoted(words)} means, and no column has such words"
            said.note("types", text, f"data.columns.{field}=..., or {other}", warning=True)
        elif cells is not None:
            there = {word or "" for word in cells.unique().to_list()}
            forms = {form for word in map(plain_word, there) for form in (word, word.removesuffix("s"))}
            if lacking := [word for word in words if plain_word(word) not in forms]:
                near = difflib.get_close_matches(lacking[0], there, 1)
                meant = f"; did you mean {near[0]!r}?" if near else ""
                text = f"data.{setting} says what {_quoted(lacking)} means, which {fields[field]} does not have{meant}"
                said.note("types", text, f"data.{setting}", warning=True)


def _quoted(words: list[str]) -> str:
    return quoted(words[:_SHOWN])


def _of_few_words(table: pl.DataFrame, used: Collection[str]) -> Iterator[tuple[pl.Series, pl.Series]]:
    """Columns of text that are not used, and their first cells, where these are few different words."""
    for column in table:
        if column.name in used or not is_text(column):
            continue
        sample = texts(column.drop_nulls().head(_SAMPLE)).drop_nulls()
        if len(sample) and sample.n_unique() <= _WORDS:
            yield column, sample
