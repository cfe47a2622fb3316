"""Samples of orders and events with items: H&M, Instacart, Online Retail, Google Analytics 4; and what they hold."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl

from tests.data.formats.counting import Row, dicts, moment
from tests.data.formats.writing import ROWS, clock, write, write_csv, write_lines


def hm(folder: Path, rng: random.Random) -> Path:
    rows = []
    while len(rows) < ROWS:
        row = (
            clock(1_537_401_600 + 86_400 * (len(rows) // 5), "%Y-%m-%d"),
            f"{rng.randint(1, 25):064x}",
            f"0{108775000 + rng.randint(1, 40)}",
            "0.050830508474576264",
            rng.choice([1, 2]),
        )
        rows += [row] * rng.choice([1, 1, 1, 2, 3])  # so many pieces
    write(folder / "transactions_train.csv", rows[:ROWS], header="t_dat,customer_id,article_id,price,sales_channel_id")
    header = [
        "article_id",
        "product_code",
        "prod_name",
        "product_type_no",
        "product_type_name",
        "product_group_name",
        "detail_desc",
    ]
    articles = [
        (
            f"0{108775000 + i}",
            "0108775",
            f"Strap top {i}",
            253,
            f"Type {i % 6}",
            "Garment Upper body",
            "Jersey, with\nstraps.",
        )
        for i in range(1, 41)
    ]
    write_csv(folder / "articles.csv", header, articles)
    write(
        folder / "customers.csv", [(f"{1:064x}", "", "", "ACTIVE")], header="customer_id,FN,Active,club_member_status"
    )
    return folder


def instacart(folder: Path, rng: random.Random) -> Path:
    orders, lines, order = [], [], 5000
    for user in range(1, 26):
        for number in range(1, 5):
            order -= 7  # later orders have smaller ids
            part = "train" if number == 4 else "prior"
            since = "" if number == 1 else f"{rng.randint(1, 30)}.0"
            orders.append((order, user, part, number, rng.randint(0, 6), f"{rng.randint(0, 23):02d}", since))
            lines += [(part, order, item, place, 0) for place, item in enumerate(rng.sample(range(1, 41), 3), 1)]
    orders.append((1, 1, "test", 5, 2, "08", "7.0"))  # without lines
    header = "order_id,user_id,eval_set,order_number,order_dow,order_hour_of_day,days_since_prior_order"
    write(folder / "orders.csv", orders, header=header)
    for part in ("prior", "train"):
        rows = [line[1:] for line in lines if line[0] == part]
        write(folder / f"order_products__{part}.csv", rows, header="order_id,product_id,add_to_cart_order,reordered")
    products = [(i, f'Tea, "{i}"', i % 5 + 1, i % 2 + 1) for i in range(1, 41)]
    write_csv(folder / "products.csv", ["product_id", "product_name", "aisle_id", "department_id"], products)
    write_csv(folder / "aisles.csv", ["aisle_id", "aisle"], [(i, f"aisle {i}") for i in range(1, 6)])
    write_csv(folder / "departments.csv", ["department_id", "department"], [(1, "frozen"), (2, "bakery")])
    return folder


def _invoices(rng: random.Random, first: int, count: int, form: Callable[[int], str]) -> list[tuple[Any, ...]]:
    rows = []
    for i in range(count):
        number = first + i // 4
        item = rng.randint(1, 40)
        back = rng.random() < 0.1
        time = form(1_291_191_960 + (number - first) * 40_000)
        customer = "" if number % 6 == 0 else f"{12340 + number % 20}.0"
        rows.append(
            (
                f"C{number}" if back else str(number),
                f"{22000 + item}{'A' if item % 5 == 0 else ''}",
                f'THING {item}, "RED" £',
                -rng.randint(1, 9) if back else rng.randint(1, 12),
                time,
                "2.55",
                customer,
                "United Kingdom",
            )
        )
    return rows


def online_retail(folder: Path, rng: random.Random) -> Path:
    rows = _invoices(rng, 536_365, ROWS, lambda t: clock(t, "%m/%d/%Y %H:%M").lstrip("0").replace("/0", "/"))
    header = ["InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country"]
    write_csv(folder / "data.csv", header, rows, encoding="latin-1")
    return folder / "data.csv"


def online_retail_2(folder: Path, rng: random.Random) -> Path:
    rows = _invoices(rng, 489_434, ROWS - 20, clock)
    header = ["Invoice", "StockCode", "Description", "Quantity", "InvoiceDate", "Price", "Customer ID", "Country"]
    write_csv(folder / "Year 2009-2010.csv", header, rows[:160])
    write_csv(folder / "Year 2010-2011.csv", header, rows[140:])  # the sheets overlap
    return folder


def _ga4(rng: random.Random) -> list[dict[str, Any]]:
    words = ["view_item"] * 4 + ["view_item_list", "select_item", "add_to_cart", "remove_from_cart", "begin_checkout"]
    words += ["purchase", "refund", "page_view", "session_start"]
    records = []
    for i in range(200):
        name = rng.choice(words)
        shown = {"view_item_list": 4, "purchase": 2, "page_view": 0, "session_start": 0}.get(name, 1)
        items = [
            {
                **{"item_id": f"SKU{item}" if item % 7 else "(not set)", "item_name": f"Thing {item}"},
                **{"item_brand": "acme", "item_category": f"Kind {item % 4}", "price": "12.5"},
                "quantity": str(rng.randint(1, 3)) if name in ("add_to_cart", "purchase", "refund") else None,
                "item_revenue": None,
            }
            for item in rng.sample(range(1, 41), shown)
        ]
        records.append(
            {
                "event_date": "20201227",
                "event_timestamp": str(1_609_039_659_225_742 + i * 900_000_001),
                "event_name": name,
                "event_params": [{"key": "ga_session_id", "value": {"int_value": "1"}}],
                "user_id": f"member{i % 3}" if i % 5 == 0 else None,
                "user_pseudo_id": f"{rng.randint(1, 25)}.1644156613",
                "ecommerce": {"transaction_id": f"T{i}"} if name == "purchase" else None,
                "items": items,
            }
        )
    return records


def ga4(folder: Path, rng: random.Random) -> Path:
    records = [{key: value for key, value in record.items() if value is not None} for record in _ga4(rng)]
    write_lines(folder / "events_20201227.json", records)
    return folder / "events_20201227.json"


def ga4_parquet(folder: Path, rng: random.Random) -> Path:
    records = _ga4(rng)
    for record in records:
        record["event_timestamp"] = int(record["event_timestamp"])
        for item in record["items"]:
            item["price"], item["quantity"] = float(item["price"]), item["quantity"] and int(item["quantity"])
    half = len(records) // 2
    for number, part in enumerate((records[:half], records[half:])):
        pl.DataFrame(part, infer_schema_length=None).write_parquet(folder / f"events_{number:012d}.parquet")
    return folder


def read_hm(folder: Path) -> Iterator[Row]:
    kind = {row["article_id"]: row["product_type_name"] for row in dicts(folder / "articles.csv")}
    for row in dicts(folder / "transactions_train.csv"):
        at, value = moment(row["t_dat"], "%Y-%m-%d"), float(row["price"])
        interest, same = kind[row["article_id"]], tuple(row.values())
        yield Row(row["customer_id"], row["article_id"], "purchase", at, interest, value=value, same=same)


def read_instacart(folder: Path) -> Iterator[Row]:
    aisle = {row["product_id"]: row["aisle_id"] for row in dicts(folder / "products.csv")}
    user = {row["order_id"]: row["user_id"] for row in dicts(folder / "orders.csv")}
    for part in ("prior", "train"):
        for row in dicts(folder / f"order_products__{part}.csv"):
            yield Row(user[row["order_id"]], row["product_id"], "purchase", None, aisle[row["product_id"]])


def read_retail(files: tuple[str, ...], names: tuple[str, str, str], form: str, encoding: str) -> Any:
    invoice, customer, price = names

    def rows(folder: Path) -> Iterator[Row]:
        for file in files:
            for row in dicts(folder / file, encoding=encoding):
                back = row[invoice].startswith("C") or int(row["Quantity"]) < 0
                event_type, quantity = "return" if back else "purchase", float(row["Quantity"])
                at, value = moment(row["InvoiceDate"], form), quantity * float(row[price])
                same = tuple(row.values())
                yield Row(row[customer], row["StockCode"], event_type, at, None, quantity, value, same=same)

    return rows


_GA4 = {
    **{"view_item": "view", "view_item_list": "impression", "select_item": "click", "add_to_cart": "cart"},
    **{
        "remove_from_cart": "remove_from_cart",
        "begin_checkout": "checkout",
        "purchase": "purchase",
        "refund": "return",
    },
}


def read_ga4(records: Callable[[Path], list[Any]]) -> Any:
    def rows(folder: Path) -> Iterator[Row]:
        for record in records(folder):
            user, name = record.get("user_id") or record["user_pseudo_id"], record["event_name"]
            for item in record["items"] or [{}]:
                known = item.get("item_id") if item.get("item_id") != "(not set)" else item["item_name"]
                quantity = float(item["quantity"]) if item.get("quantity") else None
                at = int(record["event_timestamp"]) // 1_000_000
                value = float(item["price"]) * (quantity or 1) if item else None
                yield Row(user, known, _GA4.get(name, ""), at, item.get("item_category"), quantity, value)

    return rows
