"""What looks wrong in a log although every cell can be read: said, with the setting that changes it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import polars as pl
from ml_collections import ConfigDict

from trajectory.data.ingest.cells.parsing import OBJECTS, ROUNDED, is_text, mostly_numeric, texts
from trajectory.data.ingest.columns.detect import CURRENCIES, LOG_NAMES, matching
from trajectory.data.ingest.columns.line_numbers import LINES, NEW
from trajectory.data.ingest.findings import CURRENCIES as IN_SEVERAL
from trajectory.data.ingest.findings import CURRENCY, Findings, clip
from trajectory.data.times import DAY, day_text
from trajectory.schema import UserError

_NEVER = 1030 * 365 * DAY  # the year 3000
_GAP = 365 * DAY  # seconds without an event
_MOMENTS, _COARSE = 5, 10_000  # different times at least; seconds to which six digits of milliseconds round
_MANY = 50  # orders, from which on it is strange that nobody has two
_STAFF, _BUSY = 5, 100  # users at most, and events of each at least, that may be no shoppers
_DAYS = 5  # different ones, from which numbers may be dates
_DAY = r"^(?:19|20)\d\d-?(?:0[1-9]|1[0-2])-?(?:0[1-9]|[12]\d|3[01])$"
_FREE = 0.01  # of the sales that may be for nothing
_LOOKED_AT = 1000
_SHOWN = 5  # words
# Of the currencies that shops trade in most: ISO 4217, and signs.
CODES = frozenset(
    """
    AED ARS AUD BGN BHD BRL CAD CHF CLP CNY COP CZK DKK EGP EUR GBP HKD HUF IDR ILS INR ISK JPY KES KRW KWD KZT MAD MXN
    MYR NGN NOK NZD PEN PHP PKR PLN QAR RON RSD RUB SAR SEK SGD THB TRY TWD UAH USD UYU VND ZAR $ € £ ¥ ₹ ₽ ₩ zł
    """.split()  # noqa: SIM905
)
_JOINS = ("|", ";", ",")  # between ids that share a cell


def doubt_items(items: pl.Series, table: pl.DataFrame, name: str, used: set[str], said: Findings) -> None:
    """Warns where ids of items are new in nearly every row, as numbers of an order's lines are, and where a row has
    further items in columns beside. UserError where the cells are lists or objects written as text.
    """
    column = table[name]
    if is_text(column):
        sample = texts(column.drop_nulls().head(_LOOKED_AT))
        if 2 * int(sample.str.contains(OBJECTS).sum()) > max(len(sample), 1):
            raise UserError(
                f"column {name!r} holds lists or objects written as text, such as {sample[0][:80]!r}, no ids: "
                "write one row for each of its items, or name another column with data.columns.item"
            )
        for mark in _JOINS:
            if 2 * int(sample.str.contains(mark, literal=True).sum()) > max(len(sample), 1):
                parts = sample.unique(maintain_order=True).str.split(mark)
                first, later = parts.list.first().unique(), parts.list.slice(1).explode(empty_as_null=True).unique()
                if 2 * int(first.is_in(later.implode()).sum()) > len(first):  # "shirt|red" has a kind in each place
                    text = f"{name} holds several items in a cell, such as {clip(sample[0])!r}, each read as one item"
                    said.note("items", f"{text}: write one row for each of them", "data.columns.item", warning=True)
                    return
    rows, distinct = items.count(), items.n_unique()
    if rows >= LINES and distinct >= NEW * rows:
        others = [other for other in matching(table.columns, LOG_NAMES["item"]) if other not in used]
        repeated = {other: values for other in others if (values := table[other].n_unique()) < NEW * rows}
        text = f"{name} is new in nearly every row ({distinct:,} in {rows:,}) and may number the rows"
        better = "".join(f"; {other} has {values:,} values" for other, values in repeated.items())
        said.note("items", text + better, f"data.columns.item={next(iter(repeated), '...')}", warning=True)
    if numbered := re.fullmatch(r"(.*?)([01])", name):
        wanted = re.compile(rf"{re.escape(numbered[1])}[2-9]")
        if beside := [other for other in table.columns if wanted.fullmatch(other)]:
            text = f"only {name} is read, not {', '.join(beside)}: write one row for each item to have them all"
            said.note("items", text, "data.columns.item", warning=True)


def doubt_dates(items: pl.Series, name: str, timed: bool, said: Findings) -> None:
    """Warns of ids of items that are all days of a calendar, such as 19970412, in a log without a time."""
    cells = items.drop_nulls().unique().cast(pl.String)
    if not timed and len(cells) >= _DAYS and cells.str.contains(_DAY).all():
        text = f"{name} has dates, such as {cells.sort()[0]}, and no column is read as the time: is it that?"
        said.note("items", text, f"data.columns.time={name}", warning=True)


def doubt_times(seconds: pl.Series, source: pl.Series, limits: tuple[int, int], said: Findings) -> None:
    """Warns of years without an event between two that have some, of times of two units, and of times that a
    spreadsheet has rounded. Times outside of `limits` are set aside, so that no gap before them is asked about.
    """
    name = source.name
    if is_text(source):
        cells = texts(source.unique(maintain_order=True))
        rounded = cells.filter(cells.str.contains(ROUNDED))
        if len(rounded):
            text = f"times in {name} are numbers that a spreadsheet has rounded, such as {rounded[0]}"
            said.note("time", f"{text}: export them as texts", warning=True)
    moments = seconds.drop_nulls().unique()
    if len(moments) >= _MOMENTS and (moments % _COARSE == 0).all() and (moments % 60 > 0).any():
        text = f"times in {name} are {len(moments):,} different ones, all multiples of {_COARSE:,} seconds"
        said.note("time", f"{text}: a spreadsheet may have rounded them, export them as texts", warning=True)
    first, last = limits
    kept, late = seconds.filter(seconds.is_between(first, last)), seconds.filter(seconds > _NEVER)
    early = seconds.filter(seconds < first)
    early = early.filter((early * 1000).is_between(kept.min(), kept.max())) if len(kept) else early.clear()
    for rows, where in ((late, "after the year 3000"), (early, f"before {day_text(first)}")):
        if len(rows) and mostly_numeric(source):
            text = f"{len(rows):,} rows have times {where}, such as {rows[0]}: is {name} in another unit, in part?"
            said.note("time", text, "data.time_unit=auto", warning=True)
    days = (kept // DAY).unique().sort()
    gaps = days.diff()
    widest = gaps.arg_max()
    if widest is not None and gaps[widest] * DAY > _GAP:
        before, after = day_text(days[widest - 1] * DAY), day_text(days[widest] * DAY)
        earlier = int((kept < days[widest] * DAY).sum())
        later = len(kept) - earlier
        few = f"{earlier:,} rows are before" if earlier <= later else f"{later:,} rows are after"
        said.note(
            "time",
            f"no event lies between {before} and {after}, {few}: a wrong clock, or is a part of the log missing?",
            f"data.cleaning.min_date={after} sets the earlier ones aside"
            if earlier <= later
            else f"data.cleaning.max_date={before} sets the later ones aside",
            warning=True,
        )


def doubt_values(columns: dict[str, pl.Series], sale: pl.Series | None, said: Findings) -> None:
    """Says which sales are returns for their value alone."""
    if sale is None:
        return
    below = sale & (columns["value"] < 0)
    for other in ("service", "failed", "void", "back"):
        below = below & ~columns[other] if other in columns else below
    below = below & ~(columns["quantity"] < 0).fill_null(False) if "quantity" in columns else below
    if rows := int(below.sum()):
        text = (
            f"{rows:,} sales have a value below 0, and are taken as returns: are these discounts, credits or returns?"
        )
        said.note("value", text, "data.service_lines=WORD for items that are no goods", warning=True)


def doubt_unread(source: pl.Series, amount: pl.Series, field: str, data: ConfigDict, said: Findings) -> None:
    """Warns of a column of amounts most of whose cells cannot be read."""
    unread, given = source.drop_nulls().len() - amount.count(), source.count()
    if 2 * unread > given:
        by_hand = data.decimal != "auto"
        setting = f"data.decimal=auto instead of {data.decimal}" if by_hand else f"data.columns.{field}=..."
        text = f"{unread:,} of {given:,} cells of {source.name}, read as the {field}, are no amounts"
        said.note("amounts", text, setting, warning=True)


def doubt_ratings(rating: pl.Series, name: str, data: ConfigDict, said: Findings) -> None:
    """Warns of ratings of 0 where all others are 1 or more."""
    zeros, above = int((rating == 0).sum()), rating.filter(rating > 0)
    if zeros and len(above) and (above >= 1).all() and not data.rating_threshold:
        text = f"{name} is 0 in {zeros:,} of {rating.count():,} rows: does 0 mean that no rating was given?"
        said.note("types", text, "data.rating_threshold=1 keeps these rows beside the histories", warning=True)


def doubt_currencies(table: pl.DataFrame, used: set[str], said: Findings) -> None:
    """Says which currency amounts are in, or warns of several, by a column's name, or where all its words are codes."""
    named = matching(table.columns, CURRENCIES)
    for column in table:
        if column.name in used or not is_text(column):
            continue
        first = texts(column.head(_LOOKED_AT)).drop_nulls()
        if column.name not in named and not (len(first) and CODES.issuperset(first)):
            continue
        words = texts(column).drop_nulls().value_counts(name="rows")
        words = words.sort("rows", column.name, descending=[True, False])
        if words.height == 1 and CODES.issuperset(words[column.name]):
            said.note(CURRENCY, f"amounts are in {words[column.name][0]}, by {column.name}")
        if words.height > 1 and (column.name in named or CODES.issuperset(words[column.name])):
            shown = ", ".join(f"{word} {rows:,}x" for word, rows in words.head(_SHOWN).iter_rows())
            text = f"{column.name} has {words.height} currencies ({shown}), whose amounts are added up as they are"
            said.note(IN_SEVERAL, f"{text}: convert them, or read the rows of one currency alone", warning=True)


def doubt_labels(label: pl.Series, name: str, said: Findings) -> None:
    """Warns of rows of label 0 of a log whose rows are not typed: 0 may mean that nothing was done."""
    if rows := int((label == 0).sum()):
        text = f"{name} is 0 in {rows:,} of {len(label):,} rows, which are events like the others"
        setting = f"data.columns.event_type={name} with data.event_type_map={{'1': 'click', '0': 'impression'}}"
        said.note("types", f"{text}: does 0 mean that nothing was done?", setting, warning=True)


def doubt_other_amounts(
    table: pl.DataFrame, columns: dict[str, pl.Series], fields: dict[str, str], used: set[str], said: Findings
) -> None:
    """Warns of a column that has amounts just where the value has none, as debit and credit of an account."""
    if "value" not in columns:
        return
    whole = columns["item"].is_not_null() & columns["user"].is_not_null()  # the others are set aside
    table, gaps = table.filter(whole), columns["value"].filter(whole).is_null()
    if not gaps.any() or gaps.all():
        return
    name = fields["value"]
    for column in table:
        other = column.name not in used and column.count() == int(gaps.sum()) and mostly_numeric(column)
        if other and (column.is_not_null() == gaps).all():
            text = f"{column.name} has {column.count():,} amounts, just where {name} has none: are these rows sales?"
            said.note("value", text, "leave these rows out of the file", warning=True)


def doubt_events(events: pl.DataFrame, types: pl.DataFrame, detected: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What looks wrong in the events that were kept, by type and what was detected (as in `CleanLog` and `EventLog`),
    and the setting that changes it.
    """
    if events["user"].n_unique() == events.height > 1 and 2 * events.height > detected["rows"]:
        yield (
            "Every user has one event: is the user's column a number of the row or the order?",
            "data.columns.user=...",
        )
    people = events["user"].n_unique()
    asked = any(note["setting"].startswith("data.columns.user=") for note in detected["notes"])
    if not asked and "basket" in events.columns and _MANY <= events["basket"].n_unique() == people < events.height:
        text = f"Every user has one order ({people:,} users, as many orders): is the user's column new with each order?"
        yield text, f"data.columns.user=... instead of {detected['columns'].get('user', 'it')}"
    if "user" in detected["columns"] and people <= _STAFF and events.height >= _BUSY * people:
        many = f"{events.height // people:,} events each" if people > 1 else f"{events.height:,} events"
        text = f"The log has {people} user{'s' * (people > 1)} of {many}: is this who buys, or staff, a shop, a device?"
        yield text, f"data.columns.user=... instead of {detected['columns']['user']}"
    named = any("in every row, so there is nothing to predict" in note["text"] for note in detected["notes"])
    if not named and events["item"].n_unique() == 1 < events.height:
        yield "Every event is of the same item: there is nothing to predict.", "data.columns.item=..."
    if not types["roles"].str.contains(r"input\b").any():
        most = types.sort("rows")["type"][-1]
        yield (
            "The model reads no type of event: there is nothing to learn from.",
            f"data.event_types={{{most!r}: 'input,target'}} if it is to learn from {most}",
        )
    selling = types.filter(pl.col("roles").str.contains(r"sale\b") & ~pl.col("roles").str.contains("negative"))["type"]
    if selling.is_empty():
        read = types.filter(pl.col("roles").str.contains(r"input\b"))["type"]
        untold = "data.event_type_map={'': 'purchase'} if all rows are sales" if "types" in detected else ""
        role = f"data.event_types={{'{read[-1]}': 'input,target,sale'}} if {read[-1]} is one" if len(read) else ""
        role = role or "data.event_type_map={WORD: 'purchase'} for the word of sales"
        yield "No type of event is a sale: demand and values are left out.", untold or role
        return
    sales = events.filter(pl.col("event_type").cast(pl.String).is_in(selling.to_list()))
    if "quantity" in detected["columns"]:
        if rows := int((sales["quantity"] == 0).sum()):
            text = f"{rows:,} sales are of 0 pieces: they count for nothing."
            yield text, "data.columns.quantity=- counts one for each"
        if rows := sales["quantity"].null_count():
            name = detected["columns"].get("quantity")
            cells = [cell for cell in detected["unread"] if cell["column"] == name]
            if cells:
                what = f"a quantity that cannot be read, such as {cells[0]['example']!r}, or none"
                yield f"{rows:,} sales have {what}: each counts as one piece.", f"write {name} as numbers in the file"
            else:
                yield f"{rows:,} sales have no quantity: each counts as one piece.", "data.columns.quantity"
    if "value" in events.columns:
        pieces = (
            sales["quantity"].fill_null(1) if "quantity" in events.columns else pl.repeat(1, len(sales), eager=True)
        )
        if (rows := int(((sales["value"] == 0) & (pieces != 0)).sum())) > _FREE * sales.height:
            text = f"{rows:,} of {sales.height:,} sales are for nothing, as {detected['columns']['value']} is 0"
            yield f"{text}. Are they sales?", "leave these rows out of the file if they are none"
    if "value" in events.columns and 0 < (rows := sales["value"].null_count()) < sales.height:
        name = detected["columns"].get("value", "value")
        text = f"{rows:,} of {sales.height:,} sales have no {name}: they count as pieces, not as money. Are they sales?"
        yield text, "data.columns.value, or a column that states their type as data.columns.event_type"
