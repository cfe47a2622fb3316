"""User A: a small made-up Chinese log whose items follow a known chain, one user's table of 5 events, and the truth.

An event's type (浏览 view, 点击 click, 加购 cart, 收藏 favorite, 购买 purchase) is drawn independently of its item,
so the items follow `TRANSITION` exactly and what comes next depends on the last item alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from trajectory.data.simulate.markov import chain_distribution, chain_path, chain_visited, generate_markov
from trajectory.schema import UserError

LOG = Path(__file__).parents[1] / "samples" / "user_a_log.csv"  # 用户, 时间, 行为: what a model is trained on
TABLE = Path(__file__).parents[1] / "samples" / "user_a.csv"  # 时间, 行为: user A's events

ITEMS = ("商品1", "商品2", "商品3", "商品4", "商品5", "商品6")
TRANSITION = (  # from a row's item to a column's
    (0.10, 0.50, 0.15, 0.10, 0.10, 0.05),
    (0.10, 0.15, 0.45, 0.15, 0.10, 0.05),
    (0.15, 0.10, 0.10, 0.50, 0.10, 0.05),
    (0.10, 0.05, 0.10, 0.15, 0.50, 0.10),
    (0.10, 0.10, 0.05, 0.10, 0.15, 0.50),
    (0.45, 0.20, 0.10, 0.10, 0.05, 0.10),
)
EVENT_TYPES = ("浏览", "点击", "加购", "收藏", "购买")
EVENT_TYPE_SHARES = (0.5, 0.2, 0.1, 0.1, 0.1)
USERS, LENGTH, SEED = 400, 15, 0
START = 1_706_486_400  # unix seconds of Monday 2024-01-29 00:00 UTC: histories begin in the four weeks before user A's


@dataclass(frozen=True)
class Truth:
    """What the chain says about the next K steps; columns are `items`."""

    items: tuple[str, ...]
    distribution: np.ndarray  # [K, items], probability of the item at step 1, 2, ...
    visited: np.ndarray  # [K, items], probability that the item occurs within 1, 2, ... steps
    path: tuple[str, ...]  # the most likely K items
    probability: float  # of that path


def truth(history: Sequence[str], steps: int) -> Truth:
    """The exact future after a history of items, oldest first; raises UserError on an unknown item or no steps."""
    unknown = [item for item in history if item not in ITEMS]
    if unknown or not history or steps < 1:
        raise UserError(
            f"expected at least one of {', '.join(ITEMS)} and at least 1 step, got {list(history)} and {steps}"
        )
    last = ITEMS.index(history[-1])
    path, probability = chain_path(TRANSITION, last, steps)
    return Truth(
        items=ITEMS,
        distribution=chain_distribution(TRANSITION, last, steps),
        visited=chain_visited(TRANSITION, last, steps),
        path=tuple(ITEMS[i] for i in path),
        probability=probability,
    )


def log() -> pl.DataFrame:
    """The shipped log: 用户, 时间 (UTC text), 行为 (event type and item in one word, like 浏览商品1)."""
    events = generate_markov(TRANSITION, USERS, LENGTH, SEED, START, EVENT_TYPES, EVENT_TYPE_SHARES).events
    item = pl.Series(ITEMS).gather(events["item_id"] - 1)
    return events.select(
        pl.format("用户{}", pl.col("user_id").cast(pl.String).str.zfill(3)).alias("用户"),
        pl.from_epoch("timestamp").dt.strftime("%Y-%m-%d %H:%M:%S").alias("时间"),
        (pl.col("event_type") + item).alias("行为"),
    )


def table() -> pl.DataFrame:
    """User A's shipped table: 时间, 行为."""
    return pl.DataFrame(
        [
            ("2024-03-01 10:00:00", "浏览商品1"),
            ("2024-03-01 10:20:00", "浏览商品2"),
            ("2024-03-01 10:45:00", "购买商品2"),
            ("2024-03-01 11:30:00", "浏览商品3"),
            ("2024-03-01 12:00:00", "购买商品1"),
        ],
        schema=["时间", "行为"],
        orient="row",
    )
