"""Google Analytics 4 as BigQuery exports it: each event with the list of its items becomes a row an item."""

from __future__ import annotations

from typing import Any

import polars as pl

from trajectory.data.formats.layout import File, Format, words
from trajectory.data.formats.nested import exploded, records
from trajectory.data.ingest import columnar
from trajectory.data.ingest.files import Part
from trajectory.data.ingest.table import Layout, look
from trajectory.data.settings import Settings

_EVENT = ("event_timestamp", "event_name", "user_id", "user_pseudo_id")
_ITEM = ("item_id", "item_name", "item_brand", "item_category", "price", "quantity", "item_revenue")
_SCHEMA: dict[str, Any] = {
    **dict.fromkeys(_EVENT, pl.String),
    "ecommerce": pl.Struct({"transaction_id": pl.String}),
    "items": pl.List(pl.Struct(dict.fromkeys(_ITEM, pl.String))),
}
_UNSET = ("(not set)", "(none)")


def _read(part: Part) -> pl.DataFrame:
    if look(part, Layout()).kind == "parquet":
        tables = columnar.blocks(part, False, lambda names: [name for name in names if name in _SCHEMA])
        return pl.concat(exploded(_texts(table), "items", "entry") for table in tables)
    return records(part, _SCHEMA, explode="items", entry="entry")


def _texts(table: pl.DataFrame) -> pl.DataFrame:
    """The columns and fields of the schema, from Parquet, where types differ and some may lack."""
    columns = []
    for name, kind in _SCHEMA.items():
        column = table[name] if name in table.columns else pl.Series(name, [None], kind).new_from_index(0, table.height)
        columns.append(column if column.dtype != pl.Null else column.cast(kind))
    whole = pl.DataFrame(columns)
    items, order = whole.schema["items"], whole.schema["ecommerce"]
    item = items.inner if isinstance(items, pl.List) else None
    return whole.select(
        pl.col(_EVENT).cast(pl.String),
        ecommerce=pl.struct(_field(pl.col("ecommerce"), order, "transaction_id")),
        items=pl.col("items").list.eval(pl.struct(_field(pl.element(), item, name) for name in _ITEM)),
    )


def _field(record: pl.Expr, kind: Any, name: str) -> pl.Expr:
    have = {field.name for field in kind.fields} if isinstance(kind, pl.Struct) else set()
    return (record.struct.field(name) if name in have else pl.lit(None)).cast(pl.String).alias(name)


def _named(log: pl.DataFrame, _: dict[str, pl.DataFrame]) -> tuple[pl.DataFrame, None]:
    known = {name: pl.when(~words(name).is_in(_UNSET)).then(words(name)) for name in (*_EVENT, *_ITEM)}
    price, quantity, revenue = (known[name].cast(pl.Float64, strict=False) for name in _ITEM[4:])
    order = pl.col("ecommerce").struct.field("transaction_id")
    return log.select(
        "event_timestamp",
        "event_name",
        user=pl.coalesce(known["user_id"], known["user_pseudo_id"]),
        item_id=pl.coalesce(known["item_id"], known["item_name"]),
        title=known["item_name"],
        category=known["item_category"],
        brand=known["item_brand"],
        quantity=quantity,
        value=pl.coalesce(revenue, price * quantity.fill_null(1)),
        entry="entry",
        transaction_id=pl.when(~order.is_in(_UNSET)).then(order),
        malformed="malformed" if "malformed" in log.columns else pl.lit(None, pl.String),
    ), None


FORMATS = (
    Format(
        "Google Analytics 4, BigQuery export",
        log=(File(columns=("event_timestamp", "event_name", "user_pseudo_id", "items"), read=_read),),
        settings=Settings(
            columns={
                **{"user": "user", "item": "item_id", "time": "event_timestamp", "kind": "event_name"},
                **{"basket": "transaction_id", "quantity": "quantity", "value": "value"},
            },
            time_unit="us",
            interest_column="category",
        ),
        reshape=_named,
        note="each item of an event is a row, an event without items is a row without one; an event sent twice is a "
        "duplicate; a user is user_id, else user_pseudo_id; value is item_revenue, else price times quantity",
    ),
)
