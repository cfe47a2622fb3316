"""Writes a made-up shop: its books, its truth, and raw exports with what campaigns and promotions tell beside them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from trajectory.data.simulate.base import SyntheticLog, require
from trajectory.data.simulate.shop.generate import generate
from trajectory.data.simulate.shop.parameters import Dirt, Shop
from trajectory.data.simulate.shop.raw import ga4, orders, rees46
from trajectory.data.simulate.shop.raw.soil import account

DIALECTS = {"ga4": ga4, "rees46": rees46, "orders": orders}


def write(
    parameters: Shop, folder: str | Path, seed: int = 0, raw: Sequence[str] = (), dirt: Dirt | None = None
) -> SyntheticLog:
    """Writes the log of `generate(parameters, seed)` into a folder, and its raw exports into raw/<dialect>; returns it.

    Beside the log and each export: items, campaigns, campaign_descriptions, coupons, coupon_redemptions and
    promotions_by_week (Parquet beside the log, CSV with the dialect's ids beside an export). What is wrong with each
    row of an export: truth/raw_<dialect>.parquet, see `soil.account`.
    """
    unknown = ", ".join(name for name in raw if name not in DIALECTS)
    require(not unknown, f"raw export {unknown} is unknown; expected some of {', '.join(DIALECTS)}")
    log = generate(parameters, seed)
    log.write(folder)
    for name, table in side_tables(log).items():
        table.write_parquet(Path(folder) / f"{name}.parquet")
    for name in raw:
        export(log, Path(folder), name, dirt or Dirt(), np.random.default_rng([seed, *name.encode()]))
    return log


def export(log: SyntheticLog, folder: Path, name: str, dirt: Dirt, rng: np.random.Generator) -> None:
    """Writes one raw export of a log into raw/<name>, and the account of its rows into truth."""
    dialect, place = DIALECTS[name], folder / "raw" / name
    place.mkdir(parents=True, exist_ok=True)
    account(dialect.write(log.truth["events"], log.items, place, dirt, rng), folder / "truth" / f"raw_{name}.parquet")
    item, user = dialect.item_ids(pl.col("item_id")), dialect.user_ids(pl.col("user_id"))
    for table_name, table in {"items": log.items, **side_tables(log)}.items():
        ids = [new.alias(column) for column, new in (("item_id", item), ("user_id", user)) if column in table.columns]
        table.with_columns(ids).rename({"item_id": "product_id"}, strict=False).write_csv(place / f"{table_name}.csv")


def side_tables(log: SyntheticLog) -> dict[str, pl.DataFrame]:
    """What a shop tells of its campaigns and promotions beside its log, by name of the table."""
    truth, day = log.truth, pl.duration(days=1)
    campaign = pl.col("campaign").alias("campaign_id")
    described = truth["campaigns"].select(
        campaign,
        campaign_type=pl.lit("coupon"),
        start_date=pl.from_epoch("start"),
        end_date=pl.from_epoch("stop") - day,
    )
    coupons = (
        truth["campaigns"]
        .join(log.items, on="category")
        .select(coupon_upc=10_000_000 + pl.col("campaign"), item_id="item_id", campaign_id="campaign")
    )
    redeemed = truth["events"].filter((pl.col("event_type") == "purchase") & pl.col("campaign").is_not_null())
    redemptions = redeemed.select(
        "user_id",
        coupon_upc=10_000_000 + pl.col("campaign"),
        campaign_id="campaign",
        redemption_date=pl.col("timestamp").dt.truncate("1d"),
    ).unique(maintain_order=True)
    stores = pl.lit(100)
    promotions = truth["promotions"].select(
        item_id="item", week="week", stores_display=pl.lit(0), stores_mailer=stores, stores=stores
    )
    return {
        "campaigns": truth["assignments"].filter("treated").select(campaign, pl.col("user").alias("user_id")),
        "campaign_descriptions": described,
        "coupons": coupons,
        "coupon_redemptions": redemptions,
        "promotions_by_week": promotions,
    }
