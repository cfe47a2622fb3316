"""Logs of shops in one table: REES46, H&M, JData, and Retailrocket with its properties of items."""

from __future__ import annotations

import polars as pl

from trajectory.data.formats.layout import File, Format, described, words
from trajectory.data.ingest.source.settings import Settings

_DEEPEST = 20  # levels of a category tree


def _coded(log: pl.DataFrame, _: dict[str, pl.DataFrame]) -> tuple[pl.DataFrame, None]:
    """A category has an id always and a code, such as electronics.smartphone, at times."""
    return log.with_columns(category=pl.coalesce(words("category_code"), words("category_id"))), None


def _articles(log: pl.DataFrame, beside: dict[str, pl.DataFrame]) -> tuple[pl.DataFrame, pl.DataFrame | None]:
    names = {"title": "prod_name", "category": "product_type_name", "department": "product_group_name"}
    return log, described(beside["items"], "article_id", **names) if "items" in beside else None


def _categories(log: pl.DataFrame, beside: dict[str, pl.DataFrame]) -> tuple[pl.DataFrame, pl.DataFrame | None]:
    """An item's category is its last one; the department is the root above it in the tree."""
    if "properties" not in beside:
        return log, None
    stated = beside["properties"].filter(words("property") == "categoryid")
    latest = stated.sort("timestamp", maintain_order=True).unique("itemid", keep="last", maintain_order=True)
    items = latest.select(item_id="itemid", category=words("value"))
    if "tree" not in beside:
        return log, items
    tree = (
        beside["tree"].select(words("categoryid").alias("categoryid"), words("parentid").alias("parentid")).drop_nulls()
    )
    parent = dict(tree.rows())
    root = {}
    for category in items["category"].unique().drop_nulls():
        above = category
        for _ in range(_DEEPEST):
            above = parent.get(above, above)
        root[category] = above
    return log, items.with_columns(department=pl.col("category").replace(root))


REES46 = (
    Format(
        "REES46",
        log=(
            File(
                columns=("event_time", "event_type", "product_id", "category_id", "category_code", "brand", "user_id")
            ),
        ),
        settings=Settings(
            columns={
                **{"user": "user_id", "item": "product_id", "time": "event_time", "event_type": "event_type"},
                "value": "price",
            },
            interest_column="category",
        ),
        reshape=_coded,
        note="category is category_code, or category_id where that is missing",
    ),
)
HM = (
    Format(
        "H&M",
        log=(File(name="transactions*", columns=("t_dat", "customer_id", "article_id", "price")),),
        settings=Settings(
            columns={"user": "customer_id", "item": "article_id", "time": "t_dat", "value": "price"},
            event_type_map={"": "purchase"},
            interest_column="category",
            baskets=True,
            duplicates="count",
        ),
        beside={"items": File(name="articles*", columns=("article_id", "prod_name", "product_type_name"))},
        reshape=_articles,
        note="equal rows are one line of that quantity, a day of a customer is one basket; "
        "prices are scaled by the publisher",
    ),
)
JDATA = (
    Format(
        "JData",
        log=(File(columns=("user_id", "sku_id", "time", "model_id", "type", "cate", "brand")),),
        settings=Settings(
            columns={"user": "user_id", "item": "sku_id", "time": "time", "event_type": "type"},
            event_type_map={
                **{"1": "view", "2": "cart", "3": "remove_from_cart", "4": "purchase", "5": "favorite", "6": "click"}
            },
            interest_column="category",
        ),
        reshape=lambda log, _: (log.with_columns(category="cate"), None),
        note="equal rows (clicks logged several times in a second) are set aside as duplicates",
    ),
)
RETAILROCKET = (
    Format(
        "Retailrocket",
        log=(File(columns=("timestamp", "visitorid", "event", "itemid", "transactionid")),),
        settings=Settings(
            columns={
                **{"user": "visitorid", "item": "itemid", "time": "timestamp", "event_type": "event"},
                "basket": "transactionid",
            },
            interest_column="category",
        ),
        beside={
            "properties": File(name="item_properties*", columns=("timestamp", "itemid", "property", "value")),
            "tree": File(name="category_tree*", columns=("categoryid", "parentid")),
        },
        reshape=_categories,
        note="category is an item's last categoryid, department the root of its tree; other properties are hashed "
        "and not read",
    ),
)
