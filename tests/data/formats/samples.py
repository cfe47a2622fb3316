"""The samples of public raw formats: what writes each, and what counts it without the package."""

from __future__ import annotations

import ast
import json
import random
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import pyarrow.parquet as pq

from tests.data.formats import media, orders, reviews, sessions, shops
from tests.data.formats.counting import Counts, Row, count, json_lines


class Sample(NamedTuple):
    """A made-up log in a public format."""

    format: str
    write: Callable[[Path, random.Random], Path]  # into a folder; returns the path to give to the program
    read: Callable[[Path], Iterable[Row]]
    duplicates: str = "drop"

    def written(self, folder: Path) -> Path:
        """Writes it, always the same."""
        return self.write(folder, random.Random(self.write.__name__))

    def counted(self, folder: Path) -> Counts:
        """What is to come of it."""
        return count(self.read(folder), self.duplicates)


SAMPLES = {
    "movielens_100k": Sample("movielens", reviews.movielens_100k, reviews.read_movielens_100k),
    "movielens_1m": Sample("movielens", reviews.movielens_1m, reviews.read_movielens_1m),
    "movielens_25m": Sample("movielens", reviews.movielens_25m, reviews.read_movielens_25m),
    "amazon_2014": Sample(
        "amazon",
        reviews.amazon_2014,
        reviews.read_amazon(
            *("reviews_Toys_5.json.gz", "meta_Toys.json.gz", ast.literal_eval),
            ("reviewerID", "asin", "unixReviewTime", "categories"),
        ),
    ),
    "amazon_2014_ratings": Sample(
        "amazon", reviews.amazon_2014_ratings, reviews.read_ratings("ratings_Books.csv", 0, 1)
    ),
    "amazon_2018": Sample(
        "amazon",
        reviews.amazon_2018,
        reviews.read_amazon(
            *("Gift_Cards.json", "meta_Gift_Cards.json", json.loads),
            ("reviewerID", "asin", "unixReviewTime", "category"),
        ),
    ),
    "amazon_2018_ratings": Sample("amazon", reviews.amazon_2018_ratings, reviews.read_ratings("All_Beauty.csv", 1, 0)),
    "amazon_2023": Sample(
        "amazon",
        reviews.amazon_2023,
        reviews.read_amazon(
            *("All_Beauty.jsonl", "meta_All_Beauty.jsonl", json.loads),
            ("user_id", "parent_asin", "timestamp", "categories"),
        ),
    ),
    "amazon_2023_ratings": Sample(
        "amazon", reviews.amazon_2023_ratings, reviews.read_ratings("Software.csv", 0, 1, header=1)
    ),
    "recbole": Sample("recbole", reviews.recbole, reviews.read_recbole),
    "taobao": Sample("taobao", shops.taobao, shops.read_taobao),
    "tianchi_mobile": Sample("tianchi_mobile", shops.tianchi_mobile, shops.read_tianchi, "count"),
    "tmall": Sample("tmall", shops.tmall, shops.read_tmall, "count"),
    "tmall_2016": Sample("tmall", shops.tmall_2016, shops.read_tmall_2016, "count"),
    "retailrocket": Sample("retailrocket", shops.retailrocket, shops.read_retailrocket),
    "rees46": Sample("rees46", shops.rees46, shops.read_rees46),
    "jdata": Sample("jdata", shops.jdata, shops.read_jdata),
    "hm": Sample("hm", orders.hm, orders.read_hm, "count"),
    "instacart": Sample("instacart", orders.instacart, orders.read_instacart),
    "online_retail": Sample(
        "online_retail",
        orders.online_retail,
        orders.read_retail(
            *(("data.csv",), ("InvoiceNo", "CustomerID", "UnitPrice"), "%m/%d/%Y %H:%M", "latin-1"),
        ),
    ),
    "online_retail_2": Sample(
        "online_retail",
        orders.online_retail_2,
        orders.read_retail(
            ("Year 2009-2010.csv", "Year 2010-2011.csv"),
            *(("Invoice", "Customer ID", "Price"), "%Y-%m-%d %H:%M:%S", "utf-8"),
        ),
    ),
    "ga4": Sample("ga4", orders.ga4, orders.read_ga4(lambda folder: json_lines(folder / "events_20201227.json"))),
    "ga4_parquet": Sample("ga4", orders.ga4_parquet, orders.read_ga4(lambda folder: pq.read_table(folder).to_pylist())),
    "yoochoose": Sample("yoochoose", sessions.yoochoose, sessions.read_yoochoose),
    "diginetica": Sample("diginetica", sessions.diginetica, sessions.read_diginetica),
    "otto": Sample("otto", sessions.otto, sessions.read_otto),
    "otto_parquet": Sample("otto", sessions.otto_parquet, sessions.read_otto_parquet),
    "lastfm_1k": Sample("lastfm_1k", media.lastfm_1k, media.read_lastfm),
    "mind": Sample("mind", media.mind, media.read_mind),
    "kuairec": Sample("kuairec", media.kuairec, media.read_kuairec),
    "kuairand": Sample("kuairand", media.kuairand, media.read_kuairand),
    "steam_libraries": Sample("steam", media.steam_libraries, media.read_steam),
    "steam_reviews": Sample("steam", media.steam_reviews, media.read_steam_reviews),
    "steam_australian_reviews": Sample("steam", media.steam_australian_reviews, media.read_australian_reviews),
    "steam_200k": Sample("steam", media.steam_200k, media.read_steam_200k),
}
