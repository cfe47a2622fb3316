"""A behaviour log, from whatever source and in whatever columns, as an `EventLog`: nothing dropped, nothing judged."""

from __future__ import annotations

from typing import Any

import polars as pl
from ml_collections import ConfigDict

from trajectory.data.columns import listing, missing, pick
from trajectory.data.domains import resolve
from trajectory.data.items import gather_items, match, read_items, regroup
from trajectory.data.kinds import split_behaviour
from trajectory.data.sources import Source, read_source
from trajectory.data.times import STEP, read_times
from trajectory.data.values import ids, labels, mostly_numeric, numbers, texts
from trajectory.schema import EventLog, UserError

STEP_ITEM = "step"  # the item of every event of a log that has no items: a row per user and time step
STEP_USER = "user"  # the user of such a log if it has no user column
ITSELF = "item"  # data.item_column: the item id itself, where a domain would regroup
# What can order the events of a user for each `data.order`, best first: the first whose first column the log has,
# by its columns that are there. source_line always is.
ORDERS: dict[str, tuple[tuple[str, ...], ...]] = {
    "auto": (("time", "subsecond", "position"), ("position",), ("source_line",)),
    "time": (("time", "subsecond"), ("position",), ("source_line",)),
    "position": (("position",),),
    "file": (("source_line",),),
}
# Canonical columns; a feature of the same name is renamed.
_RESERVED = (
    "source_line",
    "user",
    "item",
    "time",
    "subsecond",
    "position",
    "kind",
    "value",
    "quantity",
    "rating",
    "basket",
    "label",
    "features",
    "row_hash",
    "meaning",
    "malformed",
    "raw_item",
    "raw_time",
    "raw_value",
)


def read_log(data: ConfigDict) -> EventLog:
    """Reads the log that `config.data` describes, after `domains.resolve`. UserError if it cannot be read.

    `events` holds beside the columns that `EventLog` names, each only where it is needed: `malformed` (the text of a
    row with too many or too few fields), and `raw_item`, `raw_time`, `raw_value` (the source's text where item, time
    or value could not be made of it). `label` is -1 where the source has neither 0 nor 1.
    """
    data = resolve(data)
    source = read_source(data)
    table = _with_joined(source.table, data.columns.item)
    names = pick(table.columns, data.columns)
    stepwise = not names.keys() & {"item", "behaviour"} and "label" in names
    if stepwise:
        # Numbers beside the label are what the rows are about: features, unless asked for as something else.
        numeric = {field for field, name in names.items() if not data.columns[field] and mostly_numeric(table[name])}
        names = {field: name for field, name in names.items() if field not in numeric & {"kind", "value", "basket"}}
    detected: dict[str, Any] = {"source": source.origin, "rows": table.height, "columns": names}
    columns = {"source_line": pl.int_range(1, table.height + 1, dtype=pl.Int64, eager=True)}
    columns["user"] = _users(table, names, data.single_user or (STEP_USER if stepwise else ""))
    columns |= _items_and_kinds(table, names, data, stepwise)
    columns |= _times(table, names, data, detected)
    columns |= _others(table, names)
    features = _features(table, names, data, stepwise)
    columns |= features
    items = _items(columns, source, names, data)
    # 64 bits over all cells: among 10 million different rows, the chance that any two agree is 3 in a million.
    columns["row_hash"] = table.hash_rows()
    if source.malformed is not None:
        columns["malformed"] = source.malformed
    events = pl.DataFrame([column.alias(name) for name, column in columns.items()])
    detected |= {
        "order": _order(events, data),
        "features": tuple(features),
        "items": items.height if items is not None else 0,
    }
    return EventLog(events, items, tuple(features), detected)


def _with_joined(table: pl.DataFrame, name: str) -> pl.DataFrame:
    """With a column of the texts of several, where "a+b" is asked for and is no column: what there is of them."""
    parts = name.split("+")
    if len(parts) == 1 or name in table.columns or not {*parts} <= {*table.columns}:
        return table
    some = [texts(table[part]).replace("", None) for part in parts]
    both = pl.concat_str(*(pl.lit(column) for column in some), separator=", ", ignore_nulls=True).replace("", None)
    return table.with_columns(both.alias(name))


def _users(table: pl.DataFrame, names: dict[str, str], single: str) -> pl.Series:
    if "user" in names:
        return ids(table[names["user"]])
    if single:
        return pl.Series([single]).new_from_index(0, table.height)
    raise missing("user", table.columns, ", or data.single_user if the whole log is of one user")


def _items_and_kinds(
    table: pl.DataFrame, names: dict[str, str], data: ConfigDict, stepwise: bool
) -> dict[str, pl.Series]:
    columns = {}
    if "kind" in names:
        columns["kind"] = texts(table[names["kind"]])
    if "item" in names:
        columns["item"] = ids(table[names["item"]])
    elif "behaviour" in names:
        raw = texts(table[names["behaviour"]])
        columns["kind"], columns["item"] = split_behaviour(raw, data)
        if not columns["item"].count():
            raise UserError(
                f"no text in column {names['behaviour']!r} begins with a known kind word and goes on with an item, for "
                f"example {next(iter(raw.drop_nulls()), '')!r}; add words to data.kind_map or set data.columns.item"
            )
    elif stepwise:
        columns["item"] = pl.Series([STEP_ITEM]).new_from_index(0, table.height)
    else:
        raise missing("item", table.columns)
    return columns


def _times(
    table: pl.DataFrame, names: dict[str, str], data: ConfigDict, detected: dict[str, Any]
) -> dict[str, pl.Series]:
    columns = {}
    if "position" in names:
        columns["position"] = numbers(table[names["position"]]).fill_nan(None).cast(pl.Int64, strict=False)
    if "time" not in names:
        return columns
    source = table[names["time"]]
    time, unit = read_times(source, data.time_unit)
    detected["time"] = unit
    if unit == STEP:
        detected["time"] = "none: the time column counts steps and is read as position"
        return {"position": time} | columns
    columns["time"] = time
    unread = time.is_null() & source.is_not_null()
    if unread.any():
        raw = texts(source)
        columns["raw_time"] = raw.set(~unread, None)
    return columns


def _others(table: pl.DataFrame, names: dict[str, str]) -> dict[str, pl.Series]:
    columns = {}
    if "value" in names:
        source = table[names["value"]]
        columns["value"] = numbers(source)
        if source.dtype == pl.String and columns["value"].is_nan().any():
            columns["raw_value"] = source.set(~columns["value"].is_nan().fill_null(False), None)
    if "basket" in names:
        columns["basket"] = ids(table[names["basket"]])
    if "label" in names:
        columns["label"] = labels(table[names["label"]])
    return columns


def _features(table: pl.DataFrame, names: dict[str, str], data: ConfigDict, stepwise: bool) -> dict[str, pl.Series]:
    wanted = list(data.features)
    for name in wanted:
        if name not in table.columns or not mostly_numeric(table[name]):
            what = (
                "holds no numbers"
                if name in table.columns
                else f"is not in the log, which has {listing(table.columns)}"
            )
            raise UserError(f"data.features names {name!r}, which {what}; name numeric columns of the log")
    if stepwise and not wanted:
        wanted = [column.name for column in table if column.name not in names.values() and mostly_numeric(column)]
    return {f"{name}_feature" if name in _RESERVED else name: numbers(table[name]).cast(pl.Float32) for name in wanted}


def _items(
    columns: dict[str, pl.Series], source: Source, names: dict[str, str], data: ConfigDict
) -> pl.DataFrame | None:
    """The item table; ids of `columns["item"]` are brought to its type, or to its groups where those are wanted."""
    items: pl.DataFrame | None
    if source.items is not None:
        columns["item"], items = match(columns["item"], read_items(source.items))
    else:
        items = gather_items(source.table, columns["item"], {*names.values(), *data.features})
    if data.item_column and data.item_column != ITSELF:
        ungrouped = columns["item"]
        columns["item"], items = regroup(ungrouped, items, data.item_column)
        if columns["item"].null_count():
            columns["raw_item"] = ungrouped.cast(pl.String).set(columns["item"].is_not_null(), None)
    return items


def _order(events: pl.DataFrame, data: ConfigDict) -> str:
    """What orders a user's events: time, else position, else the order of the file."""
    if data.order not in ORDERS:
        raise UserError(f"data.order={data.order!r} is unknown; expected {', '.join(ORDERS)}")
    if data.order == "position" and "position" not in events.columns:
        raise UserError("data.order='position' needs a position column; set data.columns.position, or order by time")
    first = order_columns(events.columns, data.order)[0]
    return "file" if first == "source_line" else first


def order_columns(columns: list[str], order: str) -> list[str]:
    """The columns, of those there are, that order the events of a user; what ties in all of them is left to chance."""
    chosen = next(names for names in ORDERS[order] if names[0] in columns)
    return [name for name in chosen if name in columns]
