"""A behaviour log, from whatever source and in whatever columns, as an `EventLog`: nothing dropped, nothing judged."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import polars as pl
from ml_collections import ConfigDict

from trajectory.data.ingest.amount_columns import find_amounts
from trajectory.data.ingest.amounts import UNKNOWN, amounts, proven_mark
from trajectory.data.ingest.cell_parsing import ids, labels, mostly_numeric, names, positions, texts
from trajectory.data.ingest.cells import candidates, examples, unused
from trajectory.data.ingest.columns import LOG_NAMES, SESSIONS, detect, listing, matching, missing, pick
from trajectory.data.ingest.customers import customers
from trajectory.data.ingest.distinct import apply_to_distinct
from trajectory.data.ingest.domains import DOMAINS, resolve
from trajectory.data.ingest.doubts import (
    doubt_currencies,
    doubt_items,
    doubt_labels,
    doubt_other_amounts,
    doubt_ratings,
    doubt_times,
    doubt_values,
)
from trajectory.data.ingest.duplicates import sent_again
from trajectory.data.ingest.event_types import of_sales, split_behaviour
from trajectory.data.ingest.findings import Findings, clip
from trajectory.data.ingest.formulas import without_formulas
from trajectory.data.ingest.frames import row_hashes
from trajectory.data.ingest.interests import KEY, say_interests
from trajectory.data.ingest.item_lists import with_lines
from trajectory.data.ingest.items import by_ids, by_titles, describe_match, gather_items, match, read_items, regroup
from trajectory.data.ingest.missing import blank_missing, say_nobodies
from trajectory.data.ingest.no_sale_flags import no_sales
from trajectory.data.ingest.order_status import NAMES as ORDER_STATUS
from trajectory.data.ingest.order_status import failed_orders
from trajectory.data.ingest.order_totals import without_totals
from trajectory.data.ingest.orders import fill_lines
from trajectory.data.ingest.prices import row_values
from trajectory.data.ingest.service_lines import service_lines
from trajectory.data.ingest.signs import with_signs
from trajectory.data.ingest.sources import Source, read_source
from trajectory.data.ingest.spellings import unify_spellings
from trajectory.data.ingest.ties import by_session, numbered_ties, whole_positions, without_untrusted_positions
from trajectory.data.ingest.time_columns import COUNTED, JOINED, find_time
from trajectory.data.ingest.type_columns import (
    by_words,
    doubt_maps,
    doubt_unknown,
    doubt_unread,
    named_for_sales,
    with_marks,
)
from trajectory.data.times import STEP, day_text, times_of
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
_UNREAD = {"quantity": "a sale there counts as one piece"}  # what is done where an amount cannot be read
_FEATURES_OF_STEPS = {"event_type", "value", "quantity", "rating", "basket"}
# Canonical columns; a feature of the same name is renamed.
_RESERVED = (
    "source_line",
    "user",
    "item",
    "time",
    "subsecond",
    "position",
    "event_type",
    "value",
    "quantity",
    "rating",
    "basket",
    "label",
    "features",
    "row_hash",
    "meaning",
    "failed",
    "void",
    "back",
    "sold",
    "service",
    "malformed",
    "file",
    "raw_item",
    "raw_time",
)


def read_log(data: ConfigDict) -> EventLog:
    """Reads the log that `config.data` describes, after `domains.resolve`. UserError if it cannot be read.

    `events` holds beside the columns that `EventLog` names, each only where it is needed: `malformed` (the text of a
    row with too many or too few fields), `file` (which of several files the row is from), and `raw_item`, `raw_time`
    (the source's text where item or time could not be made of it). `label` is -1 where the source has neither 0 nor 1.
    `detected` holds `source`, `rows`, `columns` (field -> column), `found_by` (field -> how), `examples` (field ->
    cells), `unused` (columns that are not read), `time` (unit), `zone`, `span`, `order`, and what `Findings.as_dict`
    gives.
    """
    data = resolve(data)
    source, said = read_source(data), Findings()
    for text in source.notes:
        said.note("file", text)
    for text in source.warnings:
        said.note("file", f"{text}; is one of them a part of the log, too?", warning=True)
    of_format = bool(source.named) or data.source in DOMAINS
    if not of_format:
        source = with_lines(replace(source, table=without_formulas(source.table, said)), said)
    table = with_marks(_with_joined(source.table, data.columns.item), data.columns.event_type)
    fields = _pick(table, data)
    if source.lines:  # what beside the list states pieces or money is of the whole order
        own = detect(source.lines, {field: LOG_NAMES[field] for field in ("value", "quantity")})
        fields |= {field: name for field, name in own.items() if not data.columns[field]}
    stepwise = not fields.keys() & {"item", "behaviour"} and "label" in fields
    if not of_format:
        fields = customers(table, fields, data, said)
    if not of_format and not stepwise and "user" in fields:
        fields = by_ids(table, by_titles(table, fields, said), data.columns.item, said)
    if stepwise:
        # Numbers beside the label are what the rows are about: features, unless asked for as something else.
        numeric = {field for field, name in fields.items() if not data.columns[field] and mostly_numeric(table[name])}
        fields = {field: name for field, name in fields.items() if field not in numeric & _FEATURES_OF_STEPS}
    told = {"event_type", "behaviour", "label", "rating"} & fields.keys() or data.columns.event_type
    status = {*matching(table.columns, ORDER_STATUS), data.columns.status}
    if not told and (name := by_words(table, {*fields.values(), *status}, data)):
        fields["event_type"] = name
    if not of_format:
        fields = without_totals(table, fields, data.columns.value, {*status, *data.features}, said)
    id_columns = [fields[field] for field in ("user", "item") if field in fields]
    table = blank_missing(table, data.missing, id_columns, said)
    table, time, how = find_time(table, fields, data.columns.time, data.order, said)
    fields = {field: name for field, name in fields.items() if field != "time"} | ({"time": time} if time else {})
    fields = fields if of_format else whole_positions(table, fields, data, said)
    found_by = {field: "set by hand" if data.columns[field] else "name" for field in fields} | {"time": how}
    if not told and "event_type" in fields:
        found_by["event_type"] = "content"
    found_by |= {field: "format" for field, name in fields.items() if name == source.named.get(field)}
    detected: dict[str, Any] = {"source": source.origin, "rows": table.height, "columns": fields, "found_by": found_by}
    columns = {"source_line": pl.int_range(1, table.height + 1, dtype=pl.UInt32, eager=True)}
    columns["row_hash"] = row_hashes(source.table)
    single = data.single_user or (STEP_USER if stepwise else "")
    columns["user"] = _users(table, fields, single, data.fold_case, said)
    columns |= _items_and_event_types(table, fields, data, stepwise, said)
    columns |= _times(table, fields, data, detected, said)
    columns |= numbered_ties(columns, table, data, fields, found_by)
    session = next((name for name in matching(table.columns, SESSIONS) if name not in fields.values()), "")
    if session and {"time", "position"} <= columns.keys() and data.order == "auto":
        columns["position"] = by_session(columns, table[session])
    if not of_format and not stepwise:
        find_amounts(table, columns, fields, found_by, data, said)
        if not told and not fields.keys() & {"event_type", "rating", "quantity", "basket"} and named_for_sales(fields):
            columns["sold"] = pl.Series([True]).new_from_index(0, table.height)
    columns |= _others(table, fields, columns, data, of_format, said)
    columns |= fill_lines(columns, fields, said)
    if failed := failed_orders(table, columns, {*fields.values(), *data.features}, data, said):
        fields["status"], columns["failed"] = failed
        found_by.setdefault("status", "name")
    used, flags = {*fields.values(), *data.features}, list[str]()
    if not of_format or data.no_sale_flags:
        more, flags = no_sales(table, columns, used, data, said)
        columns |= more
    event_id, columns["row_hash"] = ("", columns["row_hash"]) if of_format else sent_again(table, columns, used)
    if event_id:
        text = f"rows of one {event_id} that say the same are one event, sent again: the later ones are set aside"
        said.note("events", text, "data.duplicates=keep", warning=True)
    features = _features(table, fields, data, stepwise, said)
    columns |= features
    items = _items(columns, source, table, data, used, said)
    if data.source not in DOMAINS:
        if "label" in fields and "event_type" not in fields and not stepwise:
            doubt_labels(columns["label"], fields["label"], said)
        if "value" in columns:
            doubt_values(columns, of_sales(columns, data, back=False), said)
        if not of_format:
            unread = {*used, *status, *flags}
            doubt_unread(table, unread, not told, data, said)
            if "event_type" not in columns:
                doubt_unknown(table, columns, unread, data, said)
            if "rating" in columns:
                doubt_ratings(columns["rating"], fields["rating"], data, said)
            doubt_other_amounts(table, columns, fields, unread, said)
            doubt_maps(columns, texts(table[fields["status"]]) if "status" in fields else None, fields, data, said)
    if source.malformed is not None:
        columns["malformed"] = source.malformed
    if source.files is not None:
        columns["file"] = source.files
    events = pl.DataFrame([column.alias(name) for name, column in columns.items()])
    events = without_untrusted_positions(events, "" if of_format else fields.get("position", ""), data, said)
    if "position" not in events.columns:
        fields.pop("position", None)
    detected |= {
        "examples": examples(table, fields),
        "unused": unused(source.table.columns, fields, data, (*features, *flags)),
        "order": _order(events, data),
        "event_id": event_id,
        "features": tuple(features),
        "items": items.height if items is not None else 0,
        **said.as_dict(),
    }
    return EventLog(events, items, tuple(features), detected)


def _pick(table: pl.DataFrame, data: ConfigDict) -> dict[str, str]:
    """Field -> column by name or by hand; a time that is asked for in several columns is no column yet.

    A column without a cell stands behind others for the same field, and is no value.
    """
    named, columns = data.columns.to_dict(), table.columns
    joined = named["time"] if named["time"] not in columns and JOINED in named["time"] else ""
    named = named | {"time": ""} if joined else named
    empty = {column.name for column in table if column.null_count() == table.height} - {*named.values()}
    fields = pick(columns, named)
    if empty & {*fields.values()}:
        others = pick([name for name in columns if name not in empty], named)
        fields = others if others.keys() >= fields.keys() - {"value"} else fields
    return fields


def _with_joined(table: pl.DataFrame, name: str) -> pl.DataFrame:
    """With a column of the texts of several, where "a+b" is asked for and is no column: what there is of them."""
    parts = name.split("+")
    if len(parts) == 1 or name in table.columns or not {*parts} <= {*table.columns}:
        return table
    cells = [texts(table[part]).replace("", None) for part in parts]
    both = pl.concat_str(*(pl.lit(column) for column in cells), separator=", ", ignore_nulls=True).replace("", None)
    return table.with_columns(both.alias(name))


def _users(table: pl.DataFrame, fields: dict[str, str], single: str, fold: bool, said: Findings) -> pl.Series:
    if "user" in fields:
        users = unify_spellings(apply_to_distinct(ids, table[fields["user"]], said), fields["user"], fold, said)
        say_nobodies(users, said)
        others = [name for name in matching(table.columns, LOG_NAMES["user"]) if name != fields["user"]]
        fuller = next((name for name in others if 2 * table[name].null_count() < users.null_count()), "")
        if fuller and 2 * users.null_count() > len(users):
            text = f"the user is missing in {users.null_count():,} of {len(users):,} rows, {fuller} is not"
            said.note("users", text, f"data.columns.user={fuller}", warning=True)
        return users
    if single:
        return pl.Series([single]).new_from_index(0, table.height)
    also = "" if {"item", "behaviour"} & fields.keys() else "item"
    single = ", or data.single_user if the whole log is of one user"
    raise missing("user", table.columns, single, candidates(table, fields), also)


def _items_and_event_types(
    table: pl.DataFrame, fields: dict[str, str], data: ConfigDict, stepwise: bool, said: Findings
) -> dict[str, pl.Series]:
    columns = {}
    if "event_type" in fields:
        columns["event_type"] = apply_to_distinct(names, table[fields["event_type"]], said)
    if "item" in fields:
        items = apply_to_distinct(ids, table[fields["item"]], said)
        columns["item"] = unify_spellings(items, fields["item"], data.fold_case, said)
        doubt_items(columns["item"], table, fields["item"], {*fields.values()}, said)
    elif "behaviour" in fields:
        raw = texts(table[fields["behaviour"]])
        columns["event_type"], columns["item"] = split_behaviour(raw, data)
        if not columns["item"].count():
            raise UserError(
                f"no text in column {fields['behaviour']!r} begins with a known word for a type of event "
                f"and goes on with an item, for example {clip(next(iter(raw.drop_nulls()), ''))!r}; add "
                "words to data.event_type_map or set data.columns.item"
            )
    elif stepwise:
        could = candidates(table, fields).removesuffix("; ")
        text = f"no column is known to hold items, so each row is a step with a {fields['label']}, its numbers features"
        said.note("items", f"{text}{could and '; '}{could}", "data.columns.item=...", warning=bool(could))
        columns["item"] = pl.Series([STEP_ITEM]).new_from_index(0, table.height)
    else:
        raise missing("item", table.columns, "", candidates(table, fields))
    return columns


def _times(
    table: pl.DataFrame, fields: dict[str, str], data: ConfigDict, detected: dict[str, Any], said: Findings
) -> dict[str, pl.Series]:
    columns = {}
    if "position" in fields:
        columns["position"] = positions(table[fields["position"]])
    if "time" not in fields:
        return columns
    source = table[fields["time"]]
    if detected["found_by"]["time"] == COUNTED:
        detected["time"] = "none: days and seconds are counted, and read as position"
        return {"position": positions(source)} | columns
    times = times_of(source, data.time_unit, data.day_first, said)
    detected["time"], detected["zone"] = times.unit, times.zone
    if times.unit == STEP:
        detected["time"] = "none: the time column counts steps and is read as position"
        return {"position": times.seconds} | columns
    columns["time"] = times.seconds
    if times.subsecond is not None:
        columns["subsecond"] = times.subsecond
        said.note("order", "times have parts of a second, which order events")
    doubt_times(times.seconds, source, said)
    bounds = (times.seconds.min(), times.seconds.max())
    detected["span"] = [day_text(bound) for bound in bounds if isinstance(bound, int)]
    unread = times.seconds.is_null() & source.is_not_null()
    if unread.any():
        columns["raw_time"] = texts(source).set(~unread, None)
        said.unreadable(source.name, columns["raw_time"].drop_nulls(), "set aside")
    return columns


def _others(
    table: pl.DataFrame,
    fields: dict[str, str],
    known: dict[str, pl.Series],
    data: ConfigDict,
    of_format: bool,
    said: Findings,
) -> dict[str, pl.Series]:
    numbers = {field: table[fields[field]] for field in ("value", "quantity", "rating") if field in fields}
    likely = proven_mark([*numbers.values()])
    columns: dict[str, pl.Series] = {
        field: amounts(column, data.decimal, said, likely, _UNREAD.get(field, UNKNOWN))
        for field, column in numbers.items()
    }
    if "value" in columns:
        doubt_currencies(table, {*fields.values()}, said)
    if not of_format or data.sign_of_sales != "auto":
        beside = {"basket": table[fields["basket"]]} if "basket" in fields else {}
        columns |= with_signs(known | columns | beside, fields, data, said)
    if "value" in columns and "quantity" in columns:
        value, quantity = columns["value"], columns["quantity"]
        columns["value"] = row_values(value, quantity, known["item"], fields["value"], data, said)
    if "basket" in fields:
        columns["basket"] = apply_to_distinct(ids, table[fields["basket"]], said)
    if "label" in fields:
        columns["label"] = labels(table[fields["label"]])
    return columns


def _features(
    table: pl.DataFrame, fields: dict[str, str], data: ConfigDict, stepwise: bool, said: Findings
) -> dict[str, pl.Series]:
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
        wanted = [column.name for column in table if column.name not in fields.values() and mostly_numeric(column)]
    return {
        f"{name}_feature" if name in _RESERVED else name: amounts(table[name], data.decimal, said).cast(pl.Float32)
        for name in wanted
    }


def _items(
    columns: dict[str, pl.Series], source: Source, table: pl.DataFrame, data: ConfigDict, used: set[str], said: Findings
) -> pl.DataFrame | None:
    """The item table; ids of `columns["item"]` are brought to its type, or to its groups where those are wanted.

    `columns` gets `service`, where the log has lines of what is no goods.
    """
    items: pl.DataFrame | None
    wanted = [name for name in (data.interest_column, data.item_column) if name and name != ITSELF]
    if source.items is not None:
        item_table = blank_missing(source.items, data.missing, (), said)
        columns["item"], items = match(
            columns["item"], read_items(item_table, said, tuple(wanted), columns["item"]), said
        )
        describe_match(columns["item"], items, said)
        of_log = tuple(name for name in wanted if name not in items.columns and name in table.columns)
        if of_log:
            more = gather_items(table.select(of_log), columns["item"], {*of_log}, said, of_log)
            items = items.join(more, on="item", how="left", maintain_order="left") if more is not None else items
    else:
        items = gather_items(table, columns["item"], used, said, tuple(wanted))
    if data.interest_column:
        if source.items is not None and items is not None:
            say_interests(items, source.items.columns, items.rename({"item": KEY}), data.interest_column, said)
        else:
            by_row = table.drop(used & {*table.columns}).with_columns(columns["item"].alias(KEY))
            say_interests(items, table.columns, by_row, data.interest_column, said)
    if (service := service_lines(columns, _titles(table, columns["item"], items, used), data, said)) is not None:
        columns["service"] = service
    if data.item_column and data.item_column != ITSELF:
        ungrouped = columns["item"]
        columns["item"], items = regroup(ungrouped, items, data.item_column, said)
        if columns["item"].null_count():
            columns["raw_item"] = ungrouped.cast(pl.String).set(columns["item"].is_not_null(), None)
    return items


def _titles(table: pl.DataFrame, item: pl.Series, items: pl.DataFrame | None, used: set[str]) -> pl.DataFrame:
    """Item and title, as texts, of items that have one in the item table, else in the log."""
    none = pl.DataFrame(schema={"item": pl.String, "title": pl.String})
    known = (
        none
        if items is None or "title" not in items.columns
        else items.select(pl.col("item", "title").cast(pl.String)).drop_nulls()
    )
    rest = ~item.cast(pl.String).is_in(known["item"].implode()) & item.is_not_null()
    more = gather_items(table.filter(rest), item.filter(rest).cast(pl.String), used) if rest.any() else None
    return (
        known
        if more is None or "title" not in more.columns
        else pl.concat([known, more.select("item", "title").drop_nulls()])
    )


def _order(events: pl.DataFrame, data: ConfigDict) -> str:
    """What orders a user's events: time, else position, else the order of the file."""
    if data.order not in ORDERS:
        raise UserError(f"data.order={data.order!r} is unknown; expected {', '.join(ORDERS)}")
    if data.order == "position" and "position" not in events.columns:
        raise UserError("data.order='position' needs a position column; set data.columns.position, or order by time")
    first = order_columns(events.columns, data.order)[0]
    return "file" if first == "source_line" else first


def order_columns(columns: list[str], order: str) -> tuple[str, ...]:
    """The columns, of those there are, that order the events of a user; what ties in all of them is left to chance."""
    chosen = next(names for names in ORDERS[order] if names[0] in columns)
    return tuple(name for name in chosen if name in columns)
