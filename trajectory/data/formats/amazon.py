"""Amazon Reviews of 2014, 2018 and 2023: reviews as JSON lines or ratings alone, and what is known of the products."""

from __future__ import annotations

from typing import Any

import polars as pl

from trajectory.data.formats.layout import File, Format
from trajectory.data.formats.nested import records
from trajectory.data.ingest.source.settings import Settings

_NOTE = "category is the second level of a product's categories, else the first"
_RATINGS = {"user": "user_id", "item": "item_id", "time": "timestamp", "rating": "rating"}
_OLD = {"user": "reviewerID", "item": "asin", "time": "unixReviewTime", "rating": "overall"}
_NEW = {"user": "user_id", "item": "parent_asin", "time": "timestamp", "rating": "rating"}
_TEXTS = pl.List(pl.String)


def _settings(columns: dict[str, str]) -> Settings:
    return Settings(columns=columns, event_type_map={"": "rating"}, interest_column="category", min_date="1995-07-01")


def _with_products(log: pl.DataFrame, beside: dict[str, pl.DataFrame]) -> tuple[pl.DataFrame, pl.DataFrame | None]:
    """2014 has paths of categories, later years one; 2023 names the department main_category, the brand store."""
    if "items" not in beside:
        return log, None
    table = beside["items"]
    new = "parent_asin" in table.columns
    path = pl.col("categories") if new else pl.coalesce("category", pl.col("categories").list.first())
    main = pl.col("main_category") if new else pl.lit(None, pl.String)
    return log, table.select(
        item_id="parent_asin" if new else "asin",
        title="title",
        department=pl.coalesce(path.list.first(), main),
        category=pl.coalesce(path.list.get(1, null_on_oob=True), path.list.first(), main),
        brand="store" if new else "brand",
        price=pl.col("price").str.extract(r"^\$?(\d+(?:\.\d+)?)$").cast(pl.Float64),
    )


def _reviews(*keys: str) -> File:
    schema = dict.fromkeys(keys, pl.String)
    return File(columns=keys, read=lambda part: records(part, schema))


def _products(item: str, **fields: Any) -> dict[str, File]:
    schema = {name: pl.String for name in (item, "title", "price")} | fields
    return {"items": File(name="meta_*", columns=(item,), read=lambda part: records(part, schema))}


_NEW_PRODUCTS = _products("parent_asin", main_category=pl.String, store=pl.String, categories=_TEXTS)
_OLD_PRODUCTS = _products("asin", brand=pl.String, category=_TEXTS, categories=pl.List(_TEXTS))

FORMATS = (
    Format(
        "Amazon Reviews 2023",
        log=(_reviews(*_NEW.values(), "asin", "verified_purchase"),),
        settings=_settings(_NEW),
        beside=_NEW_PRODUCTS,
        reshape=_with_products,
        note=_NOTE + "; a product is its parent_asin; titles and texts of reviews are not read",
    ),
    Format(
        "Amazon Reviews 2023, ratings only",
        log=(File(columns=tuple(_NEW.values())),),
        settings=_settings(_NEW),
        beside=_NEW_PRODUCTS,
        reshape=_with_products,
        note=_NOTE,
    ),
    Format(
        "Amazon Reviews 2018",
        log=(_reviews(*_OLD.values(), "verified"),),
        settings=_settings(_OLD),
        beside=_OLD_PRODUCTS,
        reshape=_with_products,
        note=_NOTE,
    ),
    Format(
        "Amazon Reviews 2014",
        log=(_reviews(*_OLD.values()),),
        settings=_settings(_OLD),
        beside=_OLD_PRODUCTS,
        reshape=_with_products,
        note=_NOTE,
    ),
    Format(
        "Amazon Reviews 2014, ratings only",
        log=(
            File(
                line=r"(A|#oc-R)[0-9A-Z]{3,30},[0-9B][0-9A-Z]{9},[1-5](\.0)?,\d{9,10}",
                header=("user_id", "item_id", "rating", "timestamp"),
                separator=",",
            ),
        ),
        settings=_settings(_RATINGS),
        beside=_OLD_PRODUCTS,
        reshape=_with_products,
        note=_NOTE,
    ),
    Format(
        "Amazon Reviews 2018, ratings only",
        log=(
            File(
                line=r"[0-9B][0-9A-Z]{9},A[0-9A-Z]{3,30},[1-5](\.0)?,\d{9,10}",
                header=("item_id", "user_id", "rating", "timestamp"),
                separator=",",
            ),
        ),
        settings=_settings(_RATINGS),
        beside=_OLD_PRODUCTS,
        reshape=_with_products,
        note=_NOTE,
    ),
)
