"""Amazon Reviews of 2014, 2018 and 2023: reviews as JSON lines or ratings alone, and what is known of the products."""

from __future__ import annotations

from typing import Any

import polars as pl

from trajectory.data.formats.layout import File, Format
from trajectory.data.formats.nested import records
from trajectory.data.settings import Settings

_NOTE = "category is the second level of a product's categories, else the first"
_RATINGS = {"user": "user_id", "item": "item_id", "time": "timestamp", "rating": "rating"}
_OLD = {"user": "reviewerID", "item": "asin", "time": "unixReviewTime", "rating": "overall"}
_NEW = {"user": "user_id", "item": "parent_asin", "time": "timestamp", "rating": "rating"}
_TEXTS = pl.List(pl.String)


def _settings(columns: dict[str, str]) -> Settings:
    return Settings(columns=columns, kind_map={"": "rating"}, interest_column="category", min_date="1995-07-01")


def _with_products(log: pl.DataFrame, beside: dict[str, pl.DataFrame]) -> tuple[pl.DataFrame, pl.DataFrame | None]:
    """2014 has paths of categories, later years one; 2023 names the department main_category, the brand store."""
    if "items" not in beside:
        return log, None
    table = beside["items"]
    have = set(table.columns)
    path = next(pl.col(name) for name in ("category", "categories") if name in have)
    if table.schema[path.meta.output_name()] == pl.List(_TEXTS):
        path = path.list.first()
    main = pl.col("main_category") if "main_category" in have else pl.lit(None, pl.String)
    price = pl.col("price").cast(pl.String).str.extract(r"^\$?(\d+(?:\.\d+)?)$").cast(pl.Float64)
    return log, table.select(
        item_id=next(name for name in ("parent_asin", "asin") if name in have),
        title="title",
        department=pl.coalesce(path.list.first(), main),
        category=pl.coalesce(path.list.get(1, null_on_oob=True), path.list.first(), main),
        brand="store" if "store" in have else "brand",
        price=price,
    )


def _reviews(*keys: str) -> File:
    schema = dict.fromkeys(keys, pl.String)
    return File(columns=keys, read=lambda part: records(part, schema))


def _products(*keys: str, path: Any = _TEXTS) -> File:
    schema = {key: path if key in ("category", "categories") else pl.String for key in keys}
    return File(name="meta_*", columns=keys[:1], read=lambda part: records(part, schema))


FORMATS = (
    Format(
        "Amazon Reviews 2023",
        log=(_reviews(*_NEW.values(), "asin", "verified_purchase"),),
        settings=_settings(_NEW),
        beside={"items": _products("parent_asin", "title", "main_category", "categories", "store", "price")},
        reshape=_with_products,
        note=_NOTE + "; a product is its parent_asin; titles and texts of reviews are not read",
    ),
    Format(
        "Amazon Reviews 2023, ratings only",
        log=(File(columns=tuple(_NEW.values())),),
        settings=_settings(_NEW),
        beside={"items": _products("parent_asin", "title", "main_category", "categories", "store", "price")},
        reshape=_with_products,
        note=_NOTE,
    ),
    Format(
        "Amazon Reviews 2018",
        log=(_reviews(*_OLD.values(), "verified"),),
        settings=_settings(_OLD),
        beside={"items": _products("asin", "title", "category", "brand", "price")},
        reshape=_with_products,
        note=_NOTE,
    ),
    Format(
        "Amazon Reviews 2014",
        log=(_reviews(*_OLD.values()),),
        settings=_settings(_OLD),
        beside={"items": _products("asin", "title", "categories", "brand", "price", path=pl.List(_TEXTS))},
        reshape=_with_products,
        note=_NOTE,
    ),
    Format(
        "Amazon Reviews 2014, ratings only",
        log=(
            File(
                line=r"A[0-9A-Z]{8,20},[0-9B][0-9A-Z]{9},[1-5](\.0)?,\d{9,10}",
                header=("user_id", "item_id", "rating", "timestamp"),
                separator=",",
            ),
        ),
        settings=_settings(_RATINGS),
        beside={"items": _products("asin", "title", "categories", "brand", "price", path=pl.List(_TEXTS))},
        reshape=_with_products,
        note=_NOTE,
    ),
    Format(
        "Amazon Reviews 2018, ratings only",
        log=(
            File(
                line=r"[0-9B][0-9A-Z]{9},A[0-9A-Z]{8,20},[1-5](\.0)?,\d{9,10}",
                header=("item_id", "user_id", "rating", "timestamp"),
                separator=",",
            ),
        ),
        settings=_settings(_RATINGS),
        beside={"items": _products("asin", "title", "category", "brand", "price")},
        reshape=_with_products,
        note=_NOTE,
    ),
)
