"""The goods of a made-up shop: names, prices, how often each is shown in each week, promotions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from trajectory.data.simulate.shop.parameters import Shop

BRANDS = ("Alder", "Birch", "Cedar", "Élan", "Fir", "")  # of an item, uniform; "" = none
GOODS = ("kettle", "lamp, red", 'tray 12" oval', "café set", "mug", "clock", "basket", "ribbon")


@dataclass(frozen=True)
class Catalogue:
    """V items, from 0; item i is of category i // items_per_interest, and the earlier of it the more frequent."""

    items: pl.DataFrame  # item_id, title, category, department, brand, price
    price: np.ndarray  # float64 [V], list price
    promoted: np.ndarray  # bool [V, weeks]
    share: np.ndarray  # float64 [interests, weeks, items of a category]: of what is shown of a category

    @property
    def category(self) -> np.ndarray:
        """Category of each item, int64 [V]."""
        return np.arange(len(self.price)) // self.share.shape[2]


def catalogue(p: Shop, rng: np.random.Generator) -> Catalogue:
    """Draws the goods, and which of them are in promotion in which week."""
    price = np.round(p.price * np.exp(p.price_spread * rng.standard_normal(p.items)), 2).clip(0.05)
    promoted = rng.random((p.items, p.weeks)) < p.promoted
    rank = np.tile(np.arange(1, p.items_per_interest + 1), p.interests)
    weight = (rank**-p.zipf)[:, None] * np.where(promoted, p.promotion_lift, 1.0)
    share = np.moveaxis(weight.reshape(p.interests, p.items_per_interest, p.weeks), 2, 1)
    category = np.repeat(np.arange(p.interests), p.items_per_interest)
    items = pl.DataFrame(
        {
            "item_id": np.arange(1, p.items + 1),
            "title": [f"{GOODS[i % len(GOODS)]} {i + 1:04d}" for i in range(p.items)],
            "category": p.names[category],
            "department": [f"department_{1 + k * p.departments // p.interests}" for k in category.tolist()],
            "brand": pl.Series(BRANDS).replace("", None).gather(rng.integers(0, len(BRANDS), p.items)),
            "price": price,
        }
    )
    return Catalogue(items, price, promoted, share / share.sum(axis=2, keepdims=True))
