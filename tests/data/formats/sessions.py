"""Samples of sessions without users: Yoochoose, Diginetica, OTTO; and what they hold."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq

from tests.data.formats.counting import Row, dicts, json_lines, moment, split
from tests.data.formats.writing import ROWS, clock, write, write_lines


def yoochoose(folder: Path, rng: random.Random) -> Path:
    def moment(i: int) -> str:
        return clock(1_396_868_000 + i * 300, "%Y-%m-%dT%H:%M:%S") + f".{i % 1000:03d}Z"

    contexts = ["0", "S", "3", "12", "2089046"]
    clicks = [(i // 4 + 1, moment(i), 214_536_500 + rng.randint(1, 40), rng.choice(contexts)) for i in range(240)]
    buys = [
        (i + 1, moment(i * 4), 214_536_500 + rng.randint(1, 40), rng.choice([0, 12462]), rng.choice([0, 1, 2]))
        for i in range(60)
    ]
    write(folder / "yoochoose-clicks.dat", clicks)
    write(folder / "yoochoose-buys.dat", buys)
    write(folder / "yoochoose-test.dat", [(9000, moment(1), 214_536_501, "0")] * 5)  # another set of sessions
    return folder


def diginetica(folder: Path, rng: random.Random) -> Path:
    views, purchases = [], []
    for session in range(1, 41):
        user, day = rng.choice(["NA"] * 4 + ["7"]), f"2016-05-{session % 28 + 1:02d}"
        times = rng.sample(range(1000, 900_000), 6)
        views += [(session, user, 9000 + rng.randint(1, 40), time, day) for time in times]
        if session % 2:
            purchases += [
                (session, user, times[0] + 5000 + i, day, session + 700, 9000 + rng.randint(1, 40)) for i in range(3)
            ]
    write(folder / "train-item-views.csv", views, ";", "sessionId;userId;itemId;timeframe;eventdate")
    write(folder / "train-purchases.csv", purchases, ";", "sessionId;userId;timeframe;eventdate;ordernumber;itemId")
    write(folder / "product-categories.csv", [(9000 + i, 100 + i % 5) for i in range(1, 41)], ";", "itemId;categoryId")
    write(
        folder / "products.csv",
        [(9000 + i, 9, "4,5") for i in range(1, 41)],
        ";",
        "itemId;pricelog2;product.name.tokens",
    )
    write(folder / "train-clicks.csv", [(1, 5, 9001)], ";", "queryId;timeframe;itemId")
    return folder


def otto(folder: Path, rng: random.Random) -> Path:
    records, left = [], ROWS
    while left:
        count = min(left, rng.randint(1, 15))
        left -= count
        events = [
            {
                "aid": rng.randint(1, 60),
                "ts": 1_659_304_800_025 + (left * 40 + i) * 61_003,
                "type": rng.choice(["clicks"] * 5 + ["carts", "orders"]),
            }
            for i in range(count)
        ]
        records.append({"session": len(records), "events": events})
    write_lines(folder / "otto-recsys-train.jsonl", records)
    return folder / "otto-recsys-train.jsonl"


def otto_parquet(folder: Path, rng: random.Random) -> Path:
    rows = [(i // 6, rng.randint(1, 60), 1_659_304_800 + i * 61, rng.choice([0, 0, 0, 1, 2])) for i in range(ROWS)]
    schema = {"session": pl.Int32, "aid": pl.Int32, "ts": pl.Int32, "type": pl.UInt8}
    pl.DataFrame(rows, schema=schema, orient="row").write_parquet(folder / "train.parquet")
    return folder / "train.parquet"


def read_yoochoose(folder: Path) -> Iterator[Row]:
    clicks, buys = split(folder / "yoochoose-clicks.dat", ","), split(folder / "yoochoose-buys.dat", ",")
    named: dict[str, Counter[str]] = {}
    for _, _, item, context in clicks:
        if context.isdigit() and 1 <= int(context) <= 12:
            named.setdefault(item, Counter())[context] += 1
    # Of equally frequent categories the first in the alphabet.
    category = {item: min(counts, key=lambda c, n=counts: (-n[c], c)) for item, counts in named.items()}
    for user, time, item, context in clicks:
        at = moment(time, "%Y-%m-%dT%H:%M:%S.%fZ")
        yield Row(user, item, "click", at, category.get(item), same=(user, time, item, context))
    for user, time, item, price, quantity in buys:
        at, pieces = moment(time, "%Y-%m-%dT%H:%M:%S.%fZ"), float(quantity) or None
        value = float(price) * (pieces or 1) or None
        yield Row(
            user, item, "purchase", at, category.get(item), pieces, value, same=(user, time, item, price, quantity)
        )


def read_diginetica(folder: Path) -> Iterator[Row]:
    category = {row["itemId"]: row["categoryId"] for row in dicts(folder / "product-categories.csv", ";")}
    for file, event_type in (("train-item-views.csv", "view"), ("train-purchases.csv", "purchase")):
        for row in dicts(folder / file, ";"):
            at = moment(row["eventdate"], "%Y-%m-%d")
            yield Row(
                row["sessionId"],
                row["itemId"],
                event_type,
                at,
                category[row["itemId"]],
                same=(event_type, *row.values()),
            )


def read_otto(folder: Path) -> Iterator[Row]:
    words = {"clicks": "click", "carts": "cart", "orders": "purchase"}
    for record in json_lines(folder / "otto-recsys-train.jsonl"):
        for event in record["events"]:
            same = (record["session"], *event.values())
            yield Row(record["session"], event["aid"], words[event["type"]], event["ts"] // 1000, same=same)


def read_otto_parquet(folder: Path) -> Iterator[Row]:
    for row in pq.read_table(folder / "train.parquet").to_pylist():
        event_type = ("click", "cart", "purchase")[row["type"]]
        yield Row(row["session"], row["aid"], event_type, row["ts"], same=tuple(row.values()))
