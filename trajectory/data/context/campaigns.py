"""The campaigns of a log, if it brings any: who was addressed, with coupons for which items, and who redeemed them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl
from ml_collections import ConfigDict

from trajectory.data.ingest.cells.amounts import amounts
from trajectory.data.ingest.cells.parsing import ids
from trajectory.data.ingest.columns.detect import is_unit_price, missing, pick
from trajectory.data.ingest.findings import Findings
from trajectory.data.ingest.items.table import read_items
from trajectory.data.ingest.sales.event_types import roles, selling_types, with_meaning
from trajectory.data.ingest.source.domains import resolve
from trajectory.data.ingest.source.side_files import ITEM, USER, first_side_file, folder_of, read_side, usable_rows
from trajectory.data.ingest.source.sources import read_source
from trajectory.data.times import DAY, read_times

COUPON = "coupon_disc"  # column of a log: what a coupon took off the line
_CAMPAIGN = {"campaign": ("campaign", "campaign_id")}
_COUPON = {"coupon": ("coupon", "coupon_upc", "coupon_id")}
_COLUMNS: dict[str, dict[str, tuple[str, ...]]] = {
    "campaigns": {**_CAMPAIGN, **USER},
    "campaign_descriptions": {
        **_CAMPAIGN,
        "kind": ("campaign_type",),
        "start": ("start_date",),
        "stop": ("end_date",),
    },
    "coupons": {**_CAMPAIGN, **_COUPON, **ITEM},
    "coupon_redemptions": {**_CAMPAIGN, **USER, **_COUPON, "time": ("redemption_date",)},
}


@dataclass(frozen=True)
class Campaigns:
    """All campaigns of a log; times are unix seconds of the log's clock, users and items are the source's ids."""

    described: pl.DataFrame  # campaign, kind, start, stop (the first second after the last day), by start
    recipients: pl.DataFrame  # campaign, user
    offers: pl.DataFrame  # campaign, coupon, item: a coupon holds for each of its items
    redemptions: pl.DataFrame  # campaign, user, coupon, time (the day's first second)


def read_campaigns(data: ConfigDict) -> Campaigns | None:
    """Reads the four tables of campaigns beside the log that `config.data` names; None where they are not all there."""
    folder = folder_of(data.source)
    paths = {name: path for name in _COLUMNS if folder and (path := first_side_file(folder, name))}
    if paths.keys() != _COLUMNS.keys():
        return None
    tables = {name: _read(path, name) for name, path in paths.items()}
    for code in ("campaign", "coupon"):
        if len({table.schema[code] for table in tables.values() if code in table.columns}) > 1:
            for name in (name for name in tables if code in tables[name].columns):
                tables[name] = tables[name].with_columns(pl.col(code).cast(pl.String))
    described = tables["campaign_descriptions"].with_columns(pl.col("kind").cast(pl.String), pl.col("stop") + DAY)
    return Campaigns(
        described.select("campaign", "kind", "start", "stop").sort("start", "campaign"),
        tables["campaigns"].select("campaign", "user").unique(maintain_order=True),
        tables["coupons"].select("campaign", "coupon", "item").unique(maintain_order=True),
        tables["coupon_redemptions"].select("campaign", "user", "coupon", "time").sort("time"),
    )


def read_lines(data: ConfigDict) -> pl.DataFrame:
    """The log's sales by the items that coupons name, by user and time: user, item, group, time, value, basket, coupon.

    `group` is what the run knows the item by (`data.item_column`), `coupon` whether the line was paid with one (false
    in a log that does not say), `value` 0 where there is none. Raises UserError for a log without user, item or time.
    """
    data = resolve(data)
    source = read_source(data)
    names = pick(source.table.columns, data.columns)
    for field in ("user", "item", "time"):
        if field not in names:
            raise missing(field, source.table.columns)
    table = source.table
    time, _ = read_times(table[names["time"]], data.time_unit)
    lines = pl.DataFrame(
        [ids(table[names["user"]]).alias("user"), ids(table[names["item"]]).alias("item"), time.alias("time")]
    )
    lines = lines.with_columns(
        _values(table, names, data),
        (ids(table[names["basket"]]) if "basket" in names else time).alias("basket"),
        (table[COUPON] != 0).alias("coupon") if COUPON in table.columns else pl.lit(False).alias("coupon"),
    )
    lines = lines.filter(_sells(table, names, data))
    items = read_items(source.items) if source.items is not None else None
    if items is not None and data.item_column in items.columns:
        group = items.select("item", pl.col(data.item_column).cast(pl.String).alias("group"))
        lines = lines.join(group, on="item", how="left", maintain_order="left")
    else:
        lines = lines.with_columns(pl.col("item").cast(pl.String).alias("group"))
    return lines.drop_nulls(["user", "item", "time"]).sort("user", "time", maintain_order=True)


def _values(table: pl.DataFrame, names: dict[str, str], data: ConfigDict) -> pl.Series:
    """What each row is worth, null where unknown."""
    if "value" not in names:
        return pl.Series("value", [0.0]).new_from_index(0, table.height)
    value = amounts(table[names["value"]], data.decimal, Findings())
    if "quantity" in names and is_unit_price(names["value"]):
        value *= amounts(table[names["quantity"]], data.decimal, Findings()).fill_null(1.0)
    return value.alias("value")


def _sells(table: pl.DataFrame, names: dict[str, str], data: ConfigDict) -> pl.Series:
    """Whether each row is of a type of event that is a sale."""
    columns = [table[names["event_type"]].cast(pl.String).alias("event_type")] if "event_type" in names else []
    columns += [
        amounts(table[names[field]], data.decimal, Findings()).alias(field)
        for field in ("quantity", "rating")
        if field in names
    ]
    columns += [table[names["basket"]].alias("basket")] if "basket" in names else []
    rows = with_meaning(pl.DataFrame([table[names["user"]].alias("user"), *columns]), data)
    return rows["meaning"].is_in(selling_types(roles(data))).fill_null(False)


def _read(path: Path, name: str) -> pl.DataFrame:
    """A table of campaigns in the names used here, dates as unix seconds of the day's beginning."""
    table = read_side(path, name, _COLUMNS[name])
    dates = [read_times(table[field])[0].alias(field) for field in ("start", "stop", "time") if field in table.columns]
    codes = [ids(table[field]).alias(field) for field in ("campaign", "coupon") if field in table.columns]
    table = table.with_columns(*dates, *codes)
    return usable_rows(table, path, name, pl.all_horizontal(pl.col([*_COLUMNS[name]]).is_not_null()))
