"""Seventh stage: what is known of the items, which of them are no goods, and groups of them where these are wanted."""

from __future__ import annotations

import polars as pl

from trajectory.data.ingest.cells.missing import blank_missing
from trajectory.data.ingest.items.interests import KEY, say_interests
from trajectory.data.ingest.items.table import describe_match, gather_items, match, read_items, regroup
from trajectory.data.ingest.sales.service_lines import service_lines
from trajectory.data.ingest.stages.reading import Reading

_ITSELF = "item"  # data.item_column: the item id itself, where a domain would regroup


def read_item_table(reading: Reading) -> None:
    """Fills `items`; ids of the log are brought to its type, or to its groups where those are wanted.

    Adds `service`, where the log has lines of what is no goods, and `raw_item`, where an item is of no group.
    """
    columns, data, said = reading.columns, reading.data, reading.said
    group = "" if data.item_column == _ITSELF else data.item_column
    wanted = tuple(name for name in (data.interest_column, group) if name)
    if reading.source.items is not None:
        columns["item"], reading.items = _own_table(reading, reading.source.items, wanted)
    else:
        reading.items = gather_items(reading.table, columns["item"], reading.used, said, wanted)
    if data.interest_column:
        _say_interests(reading)
    if (service := service_lines(columns, _titles(reading), data, said)) is not None:
        columns["service"] = service
    if group:
        ungrouped = columns["item"]
        columns["item"], reading.items = regroup(ungrouped, reading.items, group, said)
        if columns["item"].null_count():
            columns["raw_item"] = ungrouped.cast(pl.String).set(columns["item"].is_not_null(), None)


def _own_table(reading: Reading, item_table: pl.DataFrame, wanted: tuple[str, ...]) -> tuple[pl.Series, pl.DataFrame]:
    """The log's items and the table of its source, with the columns of `wanted` that only the log has."""
    table, data, said, item = reading.table, reading.data, reading.said, reading.columns["item"]
    item_table = blank_missing(item_table, data.missing, (), said)
    item, items = match(item, read_items(item_table, said, wanted, item, data.decimal), said)
    describe_match(item, items, said)
    of_log = tuple(name for name in wanted if name not in items.columns and name in table.columns)
    if of_log:
        gathered = gather_items(table.select(of_log), item, {*of_log}, said, of_log)
        items = items.join(gathered, on="item", how="left", maintain_order="left") if gathered is not None else items
    return item, items


def _say_interests(reading: Reading) -> None:
    """Says what groups the items, in the item table where the source has one, else in the rows of the log."""
    source, items, table = reading.source, reading.items, reading.table
    asked, said = reading.data.interest_column, reading.said
    if source.items is not None and items is not None:
        described = items.drop("title", strict=False).rename({"item": KEY})
        say_interests(items, source.items.columns, described, asked, said, once=True)
        return
    rows = table.drop(reading.used & {*table.columns}).with_columns(reading.columns["item"].alias(KEY))
    say_interests(items, table.columns, rows, asked, said, once=False)


def _titles(reading: Reading) -> pl.DataFrame:
    """Item and title, as texts, of items that have one in the item table, else in the log."""
    items, item = reading.items, reading.columns["item"]
    titles = pl.DataFrame(schema={"item": pl.String, "title": pl.String})
    if items is not None and "title" in items.columns:
        titles = items.select(pl.col("item", "title").cast(pl.String)).drop_nulls()
    rest = ~item.cast(pl.String).is_in(titles["item"].implode()) & item.is_not_null()
    if not rest.any():
        return titles
    gathered = gather_items(reading.table.filter(rest), item.filter(rest).cast(pl.String), reading.used)
    if gathered is None or "title" not in gathered.columns:
        return titles
    return pl.concat([titles, gathered.select("item", "title").drop_nulls()])
