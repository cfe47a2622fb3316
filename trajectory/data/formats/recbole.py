"""RecBole's atomic files: a log .inter and a table .item whose columns are named name:type."""

from __future__ import annotations

import polars as pl

from trajectory.data.formats.layout import File, Format, described, words
from trajectory.data.ingest.source.settings import Settings

_GENRES = ("genre", "class")  # of which an item has several, with spaces between them
_CATEGORY = ("category", "categories", "genre", "class", "type", "sub_categories", "venue_category_name")


def _atomic(log: pl.DataFrame, beside: dict[str, pl.DataFrame]) -> tuple[pl.DataFrame, pl.DataFrame | None]:
    items = beside.get("items")
    if items is not None:
        known = next((name for name in _CATEGORY if name in items.columns), "category")
        key = "item_id" if "item_id" in items.columns else items.columns[0]  # a table of items begins with their id
        name = words(known).str.split(" ").list.first() if known in _GENRES else pl.col(known)
        items = described(items, key, **({"category": name} if known in items.columns else {}))
    return log, items


FORMATS = (
    Format(
        "RecBole",
        log=(File(name="*.inter", line=r"\w+:token\t(.*\t)?\w+:(token|float).*", separator="\t"),),
        settings=Settings(interest_column="category"),
        beside={"items": File(name="*.item", line=r"\w+:token(_seq)?(\t.*)?", separator="\t")},
        reshape=_atomic,
        note="columns are found by their names before the colon; of several genres the first is the category",
    ),
)
