"""The item table: read from its own file or gathered from the log, and regrouped where a coarser item is wanted."""

from __future__ import annotations

import polars as pl

from trajectory.data.ingest.cells.amounts import amounts
from trajectory.data.ingest.cells.distinct import apply_to_distinct, distinct_texts
from trajectory.data.ingest.cells.parsing import ids, is_text, names, texts
from trajectory.data.ingest.columns.detect import (
    CONTENT_NAMES,
    ITEM_NAMES,
    LOG_NAMES,
    PRODUCTS,
    detect,
    listing,
    matching,
)
from trajectory.data.ingest.columns.name_words import name_words
from trajectory.data.ingest.findings import Findings, quoted
from trajectory.schema import UserError

MOVED = "grouped items"  # topic of what is said of items that count as one
_TEXTS = ("title", "category", "department", "brand")
_WELL, _LEAST = 0.9, 0.01  # shares of the log's items that a table describes: below it warns; below it refuses
_FEW, _HALF = 0.1, 0.5  # shares of the log's items: below it another column is looked for, which needs so many
_CODES = {"sku", "asin", "ean", "gtin", "upc", "isbn", "plu", "barcode"}  # words of ids of goods
_DEEPEST = 10  # levels of a tree of categories that are looked at
_SHOWN = 3
_LOOKED_AT = 1000


def read_items(
    table: pl.DataFrame,
    said: Findings | None = None,
    keep: tuple[str, ...] = (),
    of_log: pl.Series | None = None,
    decimal: str = "auto",
) -> pl.DataFrame:
    """An item table in canonical columns, first row of each item: item, those there are of title, category, department,
    brand (String), price (Float64, with the mark `decimal`), then all other columns that hold scalars, and `keep` under
    their own names.

    The item column is the one commonly named so; where the ids `of_log` are not in it, the one that has most of them.
    UserError without an item column.
    """
    fields = detect(table.columns, ITEM_NAMES)
    if of_log is not None and (better := _joining(table, fields.get("item", ""), of_log)):
        if said:
            said.note("item table", f"its ids are taken from {better}, which has most of the log's items")
        fields = detect([name for name in table.columns if name != better], ITEM_NAMES) | {"item": better}
    if "item" not in fields:
        raise UserError(
            f"expected an item column, such as item_id, in the item table; it has {listing(table.columns)}, of which "
            "none holds the log's items: call the column of ids item_id"
        )
    columns = {"item": ids(table[fields["item"]], said)}
    for field in _TEXTS:
        if field in fields:
            columns[field] = _first_names(table[fields[field]], said)
    if "price" in fields:
        columns["price"] = amounts(table[fields["price"]], decimal, said or Findings())
    for column in table:
        if column.name not in columns and (column.name in keep or column.name not in fields.values()):
            if column.name in keep or is_text(column):
                columns[column.name] = _first_names(column, said)
            elif not column.dtype.is_nested():
                columns[column.name] = column
    items = pl.DataFrame({name: column.alias(name) for name, column in columns.items()})
    items = items.filter(pl.col("item").is_not_null())
    first = items.unique("item", keep="first", maintain_order=True)
    if said and first.height < items.height:
        _say_twice(items, said)
    return first


def _say_twice(items: pl.DataFrame, said: Findings) -> None:
    """Warns of ids that stand in several rows of an item table that say different things."""
    plain = items.select(pl.exclude(pl.List, pl.Struct, pl.Array, pl.Object)).unique()
    twice = plain.filter(pl.len().over("item") > 1)["item"].unique(maintain_order=True)
    if len(twice):
        text = f"{len(twice):,} ids stand in it more than once, with other values, such as {_examples(twice)}"
        said.note("item table", f"{text}: the first row of each counts", warning=True)


def by_titles(table: pl.DataFrame, fields: dict[str, str], said: Findings) -> dict[str, str]:
    """The fields of a log; where none has ids of items, their names are the ids, if there is a column of them."""
    if {"item", "behaviour"} & fields.keys():
        return fields
    free = [name for name in table.columns if name not in fields.values()]
    codes = [name for name in free if {*name_words(name)} & _CODES and table[name].count()]
    if len(codes) == 1:
        text = f"no column is known to hold ids of items: they are taken from {codes[0]}, by a word of its name"
        said.note("items", text, "data.columns.item=COLUMN if another one holds ids", warning=True)
        return fields | {"item": codes[0]}
    title = detect(free, {"title": CONTENT_NAMES["title"]}).get("title", "")
    if not title:
        return fields
    text = f"no column is known to hold ids of items: they are told apart by their names in {title}"
    said.note("items", text, "data.columns.item=COLUMN if one holds ids", warning=True)
    return fields | {"item": title}


def by_ids(table: pl.DataFrame, fields: dict[str, str], by_hand: str, said: Findings) -> dict[str, str]:
    """The fields of a log; where a column that is called just a product has names of several words, the item is a
    column of ids beside it, if there is one. `by_hand`: the column that was asked for, which stays.
    """
    name = fields.get("item", "")
    if by_hand or not matching([name], PRODUCTS) or not _in_words(table[name]):
        return fields
    free = [column for column in table.columns if column not in fields.values() and not matching([column], PRODUCTS)]
    ids_beside = [
        column for column in matching(free, LOG_NAMES["item"]) if table[column].count() and not _in_words(table[column])
    ]
    if not ids_beside:
        return fields
    text = f"{name} has names of several words, so {ids_beside[0]} is taken for the item and {name} for its title"
    said.note("items", text, f"data.columns.item={name}", warning=True)
    return fields | {"item": ids_beside[0]}


def _in_words(column: pl.Series) -> bool:
    """Whether most of the first cells are of several words."""
    cells = texts(column.drop_nulls().head(_LOOKED_AT)) if is_text(column) else pl.Series([], dtype=pl.String)
    return 2 * int(cells.str.contains(r"\p{L}\S* +\S").sum()) > len(cells)


def _joining(table: pl.DataFrame, named: str, of_log: pl.Series) -> str:
    """The column that has most of the log's items, where that `named` for it has few or none does; "" otherwise."""
    wanted = of_log.unique().drop_nulls().cast(pl.String)

    def share(name: str) -> float:
        there = ids(table[name]).cast(pl.String)
        return (int(wanted.is_in(there.implode()).sum()) + same_ids(wanted, there).height) / len(wanted)

    if wanted.is_empty() or (named and share(named) >= _FEW):
        return ""
    others = [
        column.name for column in table if column.name != named and (is_text(column) or column.dtype.is_integer())
    ]
    best = max(others, key=share, default="")
    return best if best and share(best) >= _HALF else ""


def _first_names(column: pl.Series, said: Findings | None) -> pl.Series:
    return names(_entry(column) if column.dtype == pl.List else column, said)


def _entry(lists: pl.Series) -> pl.Series:
    """An entry of each list: the first, or where that is the same in all, as the root of a tree of categories, the
    first after it that is not; the last one of shorter lists.
    """
    for place in range(_DEEPEST if lists.dtype == pl.List(pl.String) else 0):
        entry = lists.list.get(place, null_on_oob=True)
        if not entry.count():
            break
        if entry.drop_nulls().n_unique() > 1:
            return entry.zip_with(entry.is_not_null(), lists.list.last()).alias(lists.name)
    return lists.list.first().alias(lists.name)


def gather_items(
    table: pl.DataFrame, item: pl.Series, used: set[str], said: Findings | None = None, keep: tuple[str, ...] = ()
) -> pl.DataFrame | None:
    """The item table of a log that brings none: each item's most frequent title, category, department, brand.

    Also its most frequent value of the columns of `keep` that the log has. None if the log has no such column beside
    those already `used`.
    """
    columns = detect([column for column in table.columns if column not in used], CONTENT_NAMES)
    columns |= {name: name for name in keep if name in table.columns and name not in columns}
    if not columns:
        return None
    rows = pl.DataFrame({"item": item} | {field: _first_texts(table[name]) for field, name in columns.items()})
    items = _summarise(rows.filter(pl.col("item").is_not_null()).with_columns(weight=1), "item", (*_TEXTS, *keep))
    items = items.with_columns(pl.selectors.categorical().cast(pl.String))
    return items.with_columns(names(items[field], said) for field in columns)


def _first_texts(column: pl.Series) -> pl.Series:
    column = _entry(column) if column.dtype == pl.List else column
    return apply_to_distinct(lambda column, _: texts(column), column, Findings())


def regroup(
    item: pl.Series, items: pl.DataFrame | None, column: str, said: Findings | None = None
) -> tuple[pl.Series, pl.DataFrame]:
    """Puts the value of an item-table column in the place of each event's item (null where the item has none).

    Returns the new items of the events, and a table of one row per value with its most frequent category, department
    and brand (over events; ties go to the first in the alphabet) and median price; says of how many events these are
    others. UserError if no such column.
    """
    if items is None or column not in items.columns:
        known = listing(items.columns) if items is not None else "no item table"
        raise UserError(f"data.item_column={column!r} is not in the item table; the log has {known}")
    counts = item.to_frame("item").group_by("item").len("weight").cast({"item": items.schema["item"]})
    rows = items.join(counts, on="item", how="left", maintain_order="left").with_columns(pl.col("weight").fill_null(0))
    value = texts(rows[column]) if rows.schema[column] == pl.String else rows[column]
    rows = rows.with_columns(value=value)
    distinct, place = distinct_texts(item) if isinstance(item.dtype, pl.Categorical) else (item, None)
    values = rows.select("item", "value")
    chosen = distinct.to_frame("item").join(values, on="item", how="left", maintain_order="left")["value"]
    chosen = chosen if place is None else chosen.gather(place)
    rows = rows.filter(pl.col("value").is_not_null()).drop("item")
    table = _summarise(rows, "value")
    if said:
        _say_moved(rows, table, column, said)
    title = pl.col("item").cast(pl.String).alias("title")
    return chosen.alias("item"), table.rename({"value": "item"}).with_columns(title)


def _say_moved(rows: pl.DataFrame, table: pl.DataFrame, column: str, said: Findings) -> None:
    both = rows.join(table, on="value", suffix=" of most")
    told = []
    for name in [name for name in ("category", "department") if name in table.columns and name != column]:
        known = both.filter(pl.col(name).is_not_null())
        others = known.filter(pl.col(name) != pl.col(f"{name} of most"))
        moved = int(others["weight"].sum()) / max(int(known["weight"].sum()), 1)
        told += [f"{moved:.1%} of the events in another {name}"] * bool(moved)
    if told:
        said.note(
            MOVED,
            f"all items of one {column} are one item and count where most of their events are; by themselves they "
            f"would count {' and '.join(told)}",
            "data.item_column",
        )


def match(item: pl.Series, items: pl.DataFrame, said: Findings | None = None) -> tuple[pl.Series, pl.DataFrame]:
    """The same items and table with ids of one type: text, if the two sides differ.

    An id of the table that differs from one of the log only by leading zeros, ".0" or case becomes that of the log,
    where only one of either side can be meant.
    """
    theirs = items.schema["item"]
    if item.dtype.is_integer() and theirs.is_integer():
        return item, items.with_columns(pl.col("item").cast(item.dtype, strict=False))
    if item.dtype != theirs:
        item = item if isinstance(item.dtype, pl.Categorical) else item.cast(pl.String)
        items = items.with_columns(pl.col("item").cast(pl.String))
    same = same_ids(item.unique().drop_nulls(), items["item"])
    if same.height:
        items = items.with_columns(pl.col("item").replace(same["other"], same["id"]))
        if said:
            said.note(
                "item table",
                f"{same.height:,} ids differ from the log's only by leading zeros, .0 or case and are taken for the "
                f"same, such as {same['other'][0]!r} for {same['id'][0]!r}",
            )
    return item, items


def same_ids(ids_here: pl.Series, ids_there: pl.Series) -> pl.DataFrame:
    """Pairs `id`, `other` of distinct text ids that differ only by leading zeros, ".0" or case, if unambiguous."""
    sides = [
        side.cast(pl.String).alias(name).to_frame().with_columns(key=_plain(pl.col(name)))
        for name, side in (("id", ids_here), ("other", ids_there))
    ]
    alone = [side.filter(pl.col("key").is_not_null() & pl.col("key").is_unique()) for side in sides]
    return alone[0].join(alone[1], on="key").filter(pl.col("id") != pl.col("other")).select("id", "other")


def _plain(name: pl.Expr) -> pl.Expr:
    return pl.coalesce(name.str.extract(r"^0*(\d+?)(?:\.0+)?$"), name.str.to_lowercase())


def describe_match(item: pl.Series, items: pl.DataFrame, said: Findings) -> None:
    """Says how much of the log a table of items describes. UserError if it is next to nothing."""
    counts = item.drop_nulls().value_counts(name="events").rename({item.name: "item"})
    counts = counts.cast({"item": items.schema["item"]})
    known = counts["item"].is_in(items["item"].implode())
    share = int(known.sum()) / max(counts.height, 1)
    events, described = (int(rows["events"].sum()) for rows in (counts, counts.filter(known)))
    text = f"describes {known.sum():,} of the log's {counts.height:,} items, {described:,} of its {events:,} events"
    if share < _WELL and counts.height:
        text += f"; the log has {_examples(counts.filter(~known)['item'])}, the table {_examples(items['item'])}"
    if share < _LEAST and counts.height:
        raise UserError(f"the item table {text}: write the ids alike, or take the item table out of the folder")
    said.note("item table", text, warning=share < _WELL)


def _examples(ids_shown: pl.Series) -> str:
    return quoted(map(str, ids_shown.sort().head(_SHOWN)))


def _summarise(rows: pl.DataFrame, key: str, fields: tuple[str, ...] = _TEXTS) -> pl.DataFrame:
    """One row per value of `key`, sorted: the text that weighs most in each column, and the median price."""
    table = rows.select(pl.col(key).unique().sort())
    for column in (name for name in dict.fromkeys(fields) if name in rows.columns and name != key):
        weights = rows.filter(pl.col(column).is_not_null()).group_by(key, column).agg(pl.col("weight").sum())
        first = weights.sort("weight", column, descending=[True, False]).unique(key, keep="first", maintain_order=True)
        table = table.join(first.select(key, column), on=key, how="left", maintain_order="left")
    if "price" in rows.columns and rows.schema["price"].is_numeric():
        prices = rows.group_by(key).agg(pl.col("price").median())
        table = table.join(prices, on=key, how="left", maintain_order="left")
    return table
