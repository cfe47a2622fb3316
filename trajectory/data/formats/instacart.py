"""Instacart: lines of orders, joined with whose order it is and when it was among the user's orders."""

from __future__ import annotations

import polars as pl

from trajectory.data.formats.layout import File, Format, described
from trajectory.data.ingest.source.settings import Settings

_ORDERS = ("order_id", "user_id", "order_number", "order_dow", "order_hour_of_day", "days_since_prior_order")


def _joined(log: pl.DataFrame, beside: dict[str, pl.DataFrame]) -> tuple[pl.DataFrame, pl.DataFrame | None]:
    small = {name: pl.col(name).cast(pl.Int16, strict=False) for name in _ORDERS[2:5]}
    since = pl.col(_ORDERS[5]).cast(pl.Float32, strict=False)
    orders = beside["orders"].select(*_ORDERS[:2], **small, days_since_prior_order=since)
    lines = log.join(orders, on="order_id", how="left", maintain_order="left")
    if "items" not in beside:
        return lines, None
    items = beside["items"]
    for name in ("aisle", "department"):
        if name in beside:
            items = items.join(beside[name], on=f"{name}_id", how="left", maintain_order="left")
    names = {"category": "aisle", "department": "department"}
    known = {field: name for field, name in names.items() if name in items.columns}
    return lines, described(items, "product_id", title="product_name", **known)


FORMATS = (
    Format(
        "Instacart",
        log=(
            File(
                name="order_products*",
                columns=("order_id", "product_id", "add_to_cart_order", "reordered"),
            ),
        ),
        settings=Settings(
            columns={"user": "user_id", "item": "product_id", "basket": "order_id", "position": "order_number"},
            event_type_map={"": "purchase"},
            interest_column="category",
            baskets=True,
            order="position",
        ),
        beside={
            "orders": File(name="orders*", columns=_ORDERS),
            "items": File(name="products*", columns=("product_id", "product_name", "aisle_id")),
            "aisle": File(name="aisles*", columns=("aisle_id", "aisle")),
            "department": File(name="departments*", columns=("department_id", "department")),
        },
        needed=("orders",),
        reshape=_joined,
        note="an order is one basket; the log has no dates, so order_number orders the "
        "baskets of a user; category is the aisle",
    ),
)
