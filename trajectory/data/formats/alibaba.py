"""Logs of Alibaba's shops: Taobao UserBehavior, Tianchi mobile and Tmall (IJCAI-15)."""

from __future__ import annotations

import polars as pl

from trajectory.data.formats.layout import File, Format, words
from trajectory.data.ingest.source.settings import Settings

TMALL_YEAR = 2014  # the log ends on its Singles' Day, 11 November, in the season before the contest of 2015


def _dated(log: pl.DataFrame, _: dict[str, pl.DataFrame]) -> tuple[pl.DataFrame, None]:
    """time_stamp is month and day, with or without a leading zero: 829, 1111."""
    day = str(TMALL_YEAR) + words("time_stamp").str.zfill(4)
    return log.with_columns(time_stamp=day, category="cat_id", brand="brand_id"), None


TAOBAO = (
    Format(
        "Taobao UserBehavior",
        log=(
            File(
                line=r"-?\d+,-?\d+,-?\d+,(pv|buy|cart|fav),-?\d+",
                header=("user_id", "item_id", "category", "behavior", "timestamp"),
                separator=",",
            ),
        ),
        settings=Settings(
            columns={"user": "user_id", "item": "item_id", "event_type": "behavior", "time": "timestamp"},
            interest_column="category",
            min_date="2017-11-01",
            max_date="2017-12-31",
        ),
        note="times outside November and December 2017 are set aside: the log is of nine days from 25 November on",
    ),
)
TIANCHI_MOBILE = (
    Format(
        "Tianchi mobile",
        log=(File(columns=("user_id", "item_id", "behavior_type", "user_geohash", "item_category", "time")),),
        settings=Settings(
            columns={"user": "user_id", "item": "item_id", "event_type": "behavior_type", "time": "time"},
            event_type_map={"1": "view", "2": "favorite", "3": "cart", "4": "purchase"},
            interest_column="category",
            duplicates="count",
        ),
        reshape=lambda log, _: (log.with_columns(category="item_category"), None),
        note="times are whole hours: equal rows are one event of that quantity",
    ),
)
TMALL = (
    Format(
        "Tmall (IJCAI-15)",
        log=(File(columns=("user_id", "item_id", "cat_id", "seller_id", "brand_id", "time_stamp", "action_type")),),
        settings=Settings(
            columns={"user": "user_id", "item": "item_id", "event_type": "action_type", "time": "time_stamp"},
            event_type_map={"0": "click", "1": "cart", "2": "purchase", "3": "favorite"},
            interest_column="category",
            duplicates="count",
        ),
        reshape=_dated,
        note=f"time_stamp is month and day, the year is taken as {TMALL_YEAR}; equal rows are one event of that "
        "quantity",
    ),
    Format(
        "Tmall (IJCAI-16)",
        log=(File(columns=("use_ID", "sel_ID", "ite_ID", "cat_ID", "act_ID", "time")),),
        settings=Settings(
            columns={"user": "use_ID", "item": "ite_ID", "event_type": "act_ID", "time": "time"},
            event_type_map={"0": "click", "1": "purchase"},
            interest_column="category",
            duplicates="count",
        ),
        reshape=lambda log, _: (log.with_columns(category="cat_ID"), None),
        note="times are days: equal rows are one event of that quantity",
    ),
)
