"""What is true of a made-up shop, as tables: demand, devices, promotions."""

from __future__ import annotations

import numpy as np
import polars as pl

from trajectory.data.simulate.shop.catalogue import Catalogue
from trajectory.data.simulate.shop.parameters import Shop


def weekly_demand(events: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame:
    """Pieces of each item sold, returned, and sold less returned (demand) in each week that has any, and their value.

    A return counts in its own week.
    """
    sold, returned = pl.col("event_type") == "purchase", pl.col("event_type") == "return"
    sign = pl.when(sold).then(1).otherwise(-1)
    return (
        events.filter(sold | returned)
        .group_by("item_id", "week")
        .agg(
            sold=pl.col("quantity").filter(sold).sum(),
            returned=pl.col("quantity").filter(returned).sum(),
            demand=(pl.col("quantity") * sign).sum(),
            value=(pl.col("value") * sign).sum().round(2),
        )
        .join(items.select("item_id", "category"), on="item_id")
        .select(pl.col("item_id").alias("item"), "category", "week", "sold", "returned", "demand", "value")
        .sort("item", "week")
    )


def device_table(devices: np.ndarray, ids: np.ndarray, rng: np.random.Generator) -> pl.DataFrame:
    """Every device: device (an id that tells nothing of its user), user, owner (index of the user); by owner."""
    owner = np.repeat(np.arange(devices.size), devices)
    number = 1_000_000_000 + rng.permutation(owner.size) * 37
    return pl.DataFrame({"device": [f"{one}.{one % 99_991}" for one in number], "user": ids[owner], "owner": owner})


def promotion_table(p: Shop, goods: Catalogue) -> pl.DataFrame:
    """Every item in promotion in each week: item, week, discount."""
    item, week = np.nonzero(goods.promoted)
    return pl.DataFrame({"item": item + 1, "week": week, "discount": np.full(item.size, p.promotion_discount)})
