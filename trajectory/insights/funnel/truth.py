"""The funnel of a made-up shop as it is written, as its events have it, and as the shop's probabilities have it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from trajectory.insights.funnel.estimate import STEPS
from trajectory.insights.shop_truth import Pair
from trajectory.migrations.sessions import SESSION_TIMEOUT

FEW = 30  # sessions


def pairs(workdir: Path, truth: pl.DataFrame) -> Iterator[Pair]:
    """Sessions with a view of each item and category, and those of them with a cart and a purchase then."""
    read = truth.filter(pl.col("roles").list.contains("input")).sort("user", "time", maintain_order=True)
    new = (pl.col("time").diff().over("user") >= SESSION_TIMEOUT).fill_null(True)
    read = read.with_columns(session=new.cum_sum(), order=pl.int_range(pl.len()))
    written = pl.read_parquet(workdir / "funnel.parquet")
    for level, column in (("item", "item"), ("interest", "category")):
        first = pl.col("order").filter(pl.col("type") == "view").min().over("session", column)
        then = read.filter(pl.col("order") >= first).group_by("session", id=column)
        had = then.agg(carts=(pl.col("type") == "cart").any(), purchases=(pl.col("type") == "purchase").any())
        true = had.group_by("id").agg(pl.len().alias("sessions"), pl.col("carts", "purchases").sum())
        said = written.filter(pl.col("level") == level).join(true, on="id", how="full", coalesce=True, suffix="_true")
        for row in said.sort("id").iter_rows(named=True):
            for name in ("sessions", "carts", "purchases"):
                yield Pair("funnel", f"{name} of {row['id']}", row[name], row[f"{name}_true"])


def chances(folder: Path) -> pl.DataFrame:
    """The probabilities with which the shop makes the steps: level, id, cart, purchase, purchase_of_cart.

    Means over its sessions with a view: of browsing, of causes and campaigns (which buy for sure), and of bots (which
    never do); of a cart, expected purchases over expected carts.
    """
    shop = json.loads((folder / "truth" / "parameters.json").read_text())
    carting, kept, buying = shop["carting"], 1 - shop["removing"], shop["buying"]
    items = pl.read_parquet(folder / "items.parquet").select("item_id", "category")
    views = pl.read_parquet(folder / "truth" / "events.parquet").filter(pl.col("event_type") == "view")
    sure = pl.col("origin").is_in(["cause", "campaign"])
    tables = []
    for level, column in (("item", "item_id"), ("interest", "category")):
        by_session = views.join(items, on="item_id").group_by("session_id", pl.col(column).cast(pl.String).alias("id"))
        many = by_session.agg(viewed=pl.len(), origin=pl.col("origin").first())
        browsing = {
            "cart": 1 - (1 - carting) ** pl.col("viewed"),
            "purchase": buying * (1 - (1 - carting * kept) ** pl.col("viewed")),
        }
        rated = many.with_columns(
            pl.when(sure).then(1.0).when(pl.col("origin") == "bot").then(0.0).otherwise(chance).alias(name)
            for name, chance in browsing.items()
        )
        means = rated.group_by("id").agg(pl.col("cart", "purchase").mean())
        of_cart = pl.col("purchase") / pl.col("cart")
        tables.append(means.with_columns(purchase_of_cart=of_cart.fill_nan(None), level=pl.lit(level)))
    return pl.concat(tables)


def accuracy(workdir: Path, folder: Path) -> list[dict[str, Any]]:
    """How far the written rates are from the shop's: a row for each level and step, of all units and of rarely seen.

    `error`, `counting`: mean absolute error of the rates and of counting (one hit and one miss more); `coverage`: share
    of the 90 % intervals that hold the truth.
    """
    both = pl.read_parquet(workdir / "funnel.parquet").join(chances(folder), on=["level", "id"], suffix="_true")
    rows = []
    for level in ("item", "interest"):
        for step in STEPS:
            hits, trials = ("purchases", "carts") if step == "purchase_of_cart" else (f"{step}s", "sessions")
            of_level = both.filter(pl.col("level") == level).drop_nulls([step, f"{step}_true"])
            for name, part in (("all", of_level), (f"under {FEW} sessions", of_level.filter(pl.col(trials) < FEW))):
                if part.is_empty():
                    continue
                true = part[f"{step}_true"].to_numpy()
                counted = (part[hits].to_numpy() + 1) / (part[trials].to_numpy() + 2)
                inside = (part[f"{step}_low"].to_numpy() <= true) & (true <= part[f"{step}_high"].to_numpy())
                rows.append(
                    {
                        "level": level,
                        "step": step,
                        "of": name,
                        "units": part.height,
                        "error": float(np.abs(part[step].to_numpy() - true).mean()),
                        "counting": float(np.abs(counted - true).mean()),
                        "coverage": float(inside.mean()),
                    }
                )
    return rows
