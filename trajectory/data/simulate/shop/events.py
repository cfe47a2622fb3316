"""The table of a made-up shop's events: what happened in sessions, with prices, orders and returns."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl

from trajectory.data.simulate.base import START
from trajectory.data.simulate.shop.catalogue import Catalogue
from trajectory.data.simulate.shop.funnel import CART, PURCHASE, RETURN, SEARCH, TYPES, Lines
from trajectory.data.simulate.shop.parameters import Shop
from trajectory.data.simulate.shop.plants import Campaigns
from trajectory.data.simulate.shop.sessions import SECOND, Sessions
from trajectory.data.times import DAY, WEEK
from trajectory.schema import EVENT_TYPES

COLUMNS = (
    "user_id", "item_id", "timestamp", "position", "event_type", "quantity", "price", "value", "order_id", "query",
    "device_id", "session_id", "week",
)  # fmt: skip
# Of a search, uniform; the category's number is filled in.
QUERIES = ("category {:02d}", "category {:02d} sale", "cheap category {}", "CATEGORY {:02d}", "ctegory {}")
FIRST_ORDER = 536_365


class Visits(NamedTuple):
    """Sessions of one origin, and what happens in them."""

    origin: str
    sessions: Sessions
    lines: Lines


def event_table(
    p: Shop, visits: list[Visits], goods: Catalogue, plan: Campaigns, devices: pl.DataFrame, rng: np.random.Generator
) -> pl.DataFrame:
    """All events by user and time: COLUMNS, then origin, roles, discount, campaign (whose coupon paid), logged_in.

    `devices`: see `truth.device_table`.
    """
    rows = _flat(visits)
    rows["discount"], rows["campaign"] = _discounts(p, rows, goods, plan)
    rows["price"] = np.round(goods.price[rows["item"]] * (1 - rows["discount"]), 2)
    rows["order"] = _orders(rows)
    rows["logged_in"] = _logged_in(p, rows, rng)
    rows = _with_returns(p, rows, rng)
    code, searched = rows["type"], rows["type"] == SEARCH
    first = np.searchsorted(devices["owner"].to_numpy(), rows["user"])
    texts = pl.Series([text.format(k + 1) for k in range(p.interests) for text in QUERIES])
    query = rows["category"].clip(0) * len(QUERIES) + rng.integers(0, len(QUERIES), code.size)
    roles = pl.Series([",".join(EVENT_TYPES[name]) for name in TYPES])
    priced, ordered = pl.Series(~searched), pl.Series(code >= PURCHASE)
    table = pl.DataFrame(
        {
            "user_id": devices["user"].gather(first),
            "item_id": rows["item"] + 1,
            "timestamp": pl.Series(rows["time"]).cast(pl.Datetime("us")),
            "event_type": pl.Series(TYPES).gather(code),
            "quantity": rows["quantity"],
            "price": rows["price"],
            "value": np.round(rows["quantity"] * rows["price"], 2),
            "order_id": rows["order"],
            "query": texts.gather(query),
            "device_id": devices["device"].gather(first + rows["device"]),
            "session_id": rows["session"] + 1,
            "week": (rows["time"] // SECOND - START) // WEEK,
            "origin": pl.Series([visit.origin for visit in visits]).gather(rows["visits"]),
            "roles": roles.gather(code),
            "discount": rows["discount"],
            "campaign": rows["campaign"] + 1,
            "logged_in": rows["logged_in"],
        }
    )
    present = {
        **dict.fromkeys(("item_id", "price", "discount"), priced),
        **dict.fromkeys(("value", "order_id"), ordered),
        "quantity": pl.Series(code >= CART),
        "query": pl.Series(searched),
        "session_id": pl.Series(code != RETURN),
        "campaign": ordered & pl.Series(rows["campaign"] >= 0),
    }
    table = table.with_columns(pl.when(some).then(pl.col(name)).alias(name) for name, some in present.items())
    table = table.sort("user_id", "timestamp", maintain_order=True)
    table = table.with_columns(pl.int_range(pl.len()).over("user_id").alias("position"))
    return table.select(*COLUMNS, pl.exclude(COLUMNS))


def _flat(visits: list[Visits]) -> dict[str, np.ndarray]:
    """The events of all visits, one after the other; sessions are numbered by when they begin."""
    sizes = [visit.sessions.user.size for visit in visits]
    rank = np.empty(sum(sizes), np.int64)
    rank[np.argsort(np.concatenate([visit.sessions.start for visit in visits]), kind="stable")] = np.arange(rank.size)
    rows, before = [], 0
    for number, (_, sessions, lines) in enumerate(visits):
        at = lines.session
        rows.append(
            {
                **{name: getattr(sessions, name)[at] for name in ("user", "device", "category")},
                **{name: getattr(lines, name) for name in ("type", "item", "quantity", "time")},
                "session": rank[before + at],
                "visits": np.full(at.size, number),
            }
        )
        before += sizes[number]
    return {name: np.concatenate([part[name] for part in rows]) for name in rows[0]}


def _discounts(
    p: Shop, rows: dict[str, np.ndarray], goods: Catalogue, plan: Campaigns
) -> tuple[np.ndarray, np.ndarray]:
    """Share of the list price taken off each event's item, and the campaign whose coupon is used (-1 = none)."""
    week = ((rows["time"] // SECOND - START) // WEEK).clip(0, p.weeks - 1)
    off = p.promotion_discount * goods.promoted[rows["item"], week]
    campaign = np.full(off.size, -1)
    bought = rows["type"] == PURCHASE
    user, item = rows["user"][bought], rows["item"][bought]
    campaign[bought] = plan.coupon(p, user, item // p.items_per_interest, week[bought])
    return 1 - (1 - off) * (1 - p.coupon_discount * (campaign >= 0)), campaign


def _orders(rows: dict[str, np.ndarray]) -> np.ndarray:
    """Number of each line's order, by the order of sessions; 0 where nothing is bought."""
    bought = rows["type"] == PURCHASE
    order = np.zeros(bought.size, np.int64)
    order[bought] = FIRST_ORDER + np.unique(rows["session"][bought], return_inverse=True)[1]
    return order


def _logged_in(p: Shop, rows: dict[str, np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """Whether each event's session is logged in; one with an order always is, a bot never, bool."""
    draw = rng.random(int(rows["session"].max(initial=-1)) + 1) < p.logged_in
    draw[rows["session"][rows["order"] > 0]] = True
    return draw[rows["session"]] & (rows["user"] < p.users)


def _with_returns(p: Shop, rows: dict[str, np.ndarray], rng: np.random.Generator) -> dict[str, np.ndarray]:
    """The rows, and after them what is returned of them."""
    line = np.flatnonzero((rows["type"] == PURCHASE) & (rng.random(rows["type"].size) < p.returning))
    time = rows["time"][line] + rng.integers(DAY * SECOND, (p.return_days * DAY + 1) * SECOND, line.size)
    inside = time < (START + p.weeks * WEEK) * SECOND
    line, time = line[inside], time[inside]
    returns = {name: values[line] for name, values in rows.items()}
    returns |= {"time": time, "type": np.full(line.size, RETURN, np.int8)}
    returns["quantity"] = 1 + (rng.random(line.size) * returns["quantity"]).astype(np.int64)
    return {name: np.concatenate([values, returns[name]]) for name, values in rows.items()}
