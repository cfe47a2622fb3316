"""Google Analytics 4 as BigQuery exports it: each event with the list of its items becomes a row an item."""

from __future__ import annotations

from typing import Any

import polars as pl

from trajectory.data.files.files import Part
from trajectory.data.formats.layout import File, Format, words
from trajectory.data.formats.nested import records
from trajectory.data.ingest.source.settings import Settings

_EVENT = ("event_timestamp", "event_name", "user_id", "user_pseudo_id")
_ITEM = ("item_id", "item_name", "item_brand", "item_category", "price", "quantity", "item_revenue")
_SCHEMA: dict[str, Any] = {
    **dict.fromkeys(_EVENT, pl.String),
    "ecommerce": pl.Struct({"transaction_id": pl.String}),
    "items": pl.List(pl.Struct(dict.fromkeys(_ITEM, pl.String))),
}
_UNSET = ("(not set)", "(none)")


def _read(part: Part) -> pl.DataFrame:
    return records(part, _SCHEMA, explode="items", entry="entry")


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
        log=(File(columns=("event_timestamp", "event_name", "event_params", "user_pseudo_id"), read=_read),),
        settings=Settings(
            columns={
                **{"user": "user", "item": "item_id", "time": "event_timestamp", "event_type": "event_name"},
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
