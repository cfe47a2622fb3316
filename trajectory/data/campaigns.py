"""The campaigns of a log, if it brings any: who was addressed, with coupons for which items, and who redeemed them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl
from ml_collections import ConfigDict

from trajectory.data import domains
from trajectory.data.columns import LOG_NAMES, detect, missing, pick
from trajectory.data.domains import resolve
from trajectory.data.items import read_items
from trajectory.data.sources import read_source
from trajectory.data.times import read_times
from trajectory.data.values import ids, numbers

COUPON = "coupon_disc"  # column of a log: what a coupon took off the line
FILES = ("campaigns", "campaign_descriptions", "coupons", "coupon_redemptions")


@dataclass(frozen=True)
class Campaigns:
    """All campaigns of a log; times are unix seconds of the log's clock, users and items are the source's ids."""

    described: pl.DataFrame  # campaign, kind, start, stop (the first second after the last day), by start
    recipients: pl.DataFrame  # campaign, user
    offers: pl.DataFrame  # campaign, coupon, item: a coupon holds for each of its items
    redemptions: pl.DataFrame  # campaign, user, coupon, time (the day's first second)


def read_campaigns(data: ConfigDict) -> Campaigns | None:
    """Reads the four tables of campaigns beside the log that `config.data` names; None where they are not all there."""
    folder = _folder(data.source)
    if folder is None or not all((folder / f"{name}.parquet").is_file() for name in FILES):
        return None
    recipients, described, offers, redemptions = (_plain(pl.read_parquet(folder / f"{name}.parquet")) for name in FILES)
    day = pl.duration(days=1)
    described = described.select(
        "campaign",
        pl.col("campaign_type").cast(pl.String).alias("kind"),
        _seconds("start_date").alias("start"),
        _seconds(pl.col("end_date") + day).alias("stop"),
    ).sort("start", "campaign")
    return Campaigns(
        described,
        recipients.select("campaign", "user").unique(maintain_order=True),
        offers.select("campaign", "coupon", "item").unique(maintain_order=True),
        redemptions.select("campaign", "user", "coupon", _seconds("redemption_date").alias("time")).sort("time"),
    )


def read_lines(data: ConfigDict) -> pl.DataFrame:
    """The log's lines by the items that coupons name, by user and time: user, item, group, time, value, basket, coupon.

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
        numbers(table[names["value"]]).alias("value") if "value" in names else pl.lit(0.0).alias("value"),
        (ids(table[names["basket"]]) if "basket" in names else time).alias("basket"),
        (table[COUPON] != 0).alias("coupon") if COUPON in table.columns else pl.lit(False).alias("coupon"),
    )
    items = read_items(source.items) if source.items is not None else None
    if items is not None and data.item_column in items.columns:
        group = items.select("item", pl.col(data.item_column).cast(pl.String).alias("group"))
        lines = lines.join(group, on="item", how="left", maintain_order="left")
    else:
        lines = lines.with_columns(pl.col("item").cast(pl.String).alias("group"))
    return lines.drop_nulls(["user", "item", "time"]).sort("user", "time", maintain_order=True)


def _folder(source: str) -> Path | None:
    folder = domains.locate(source) if source in domains.known() else Path(source).expanduser()
    return folder if folder.is_dir() else None


def _plain(table: pl.DataFrame) -> pl.DataFrame:
    """Columns by the names used here, ids as the log's are read."""
    found = detect(table.columns, {field: LOG_NAMES[field] for field in ("user", "item")})
    found |= {"campaign": "campaign_id"} | ({"coupon": "coupon_upc"} if "coupon_upc" in table.columns else {})
    return table.rename({column: field for field, column in found.items()}).with_columns(
        ids(table[column]).alias(field) for field, column in found.items()
    )


def _seconds(column: str | pl.Expr) -> pl.Expr:
    expression = pl.col(column) if isinstance(column, str) else column
    return expression.cast(pl.Datetime("us")).dt.epoch("s")
